"""Bytes of any kind: whatever comes, the answer is well formed, no 5xx and no traceback. `--long` tries more."""

from __future__ import annotations

import json

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import models
from tests.client import Client
from tests.counterfoil.log_lines import told

pytestmark = pytest.mark.anyio

EXAMPLES = 120
LONG = 2000

KINDS = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    'application/json; charset="',
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "",
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
WORDS = (
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "...",
    "@skip(if: true)",
    "$a",
    "!",
    "=",
    '"',
    '"""',
    "\\u0000",
    "#",
    "on",
    "query",
)
NAMES = (
    "viewer",
    "customers",
    "__typename",
    "__schema",
    "F",
    "fragment",
    "mutation",
    "first",
    "1",
    "-1.5e9",
    "null",
    ",",
)
SOURCES = st.lists(st.sampled_from(WORDS + NAMES), max_size=40).map(" ".join) | st.text(max_size=60)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "query": SOURCES | JSON_VALUES,
        "variables": JSON_VALUES,
        "operationName": SOURCES | JSON_VALUES,
        "extensions": JSON_VALUES | st.fixed_dictionaries({"persistedQuery": JSON_VALUES}),
        "documentId": JSON_VALUES,
    },
)
BODIES = (
    st.binary(max_size=200)
    | REQUESTS.map(lambda value: json.dumps(value).encode())
    | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    | st.lists(
        st.sampled_from(
            [
                b"--x",
                b"--x--",
                b"\r\n",
                b"\n",
                b"Content-Disposition: form-data; name=",
                b'"operations"',
                b'"map"',
                b"{}",
            ]
        )
        | st.binary(max_size=12),
        max_size=20,
    ).map(b"".join)
)
VALUES = st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n\0"))
HEADERS = st.fixed_dictionaries(
    {"content-type": st.sampled_from(KINDS).map(str.encode) | VALUES},
    optional={
        "accept": VALUES | st.sampled_from([b"*/*", b"application/json", b"application/*;q=0.1, */*;q=0"]),
        "accept-encoding": VALUES,
        "content-encoding": VALUES | st.sampled_from([b"gzip", b"identity", b"br"]),
        "authorization": VALUES | VALUES.map(lambda value: b"Bearer " + value),
        "counterfoil-upload": VALUES,
        "counterfoil-reason": VALUES,
        "counterfoil-cost": VALUES,
        "idempotency-key": VALUES,
        "x-request-id": VALUES,
        "content-length": VALUES,
    },
)


@pytest.fixture
async def http(client: Client) -> httpx.AsyncClient:
    """Somebody who is signed in when they do not say otherwise."""
    return client.http


async def assert_answered(
    http: httpx.AsyncClient, method: str, path: str, headers: dict[str, bytes], body: bytes
) -> None:
    sent = {name.encode(): value for name, value in headers.items()}
    response = await http.request(method, path, content=body, headers=sent)
    assert response.status_code < 500, response.text
    if method != "OPTIONS":
        answer = response.json()
        assert set(answer) <= {"data", "errors", "extensions"}
        assert ("data" in answer) is (response.status_code < 300)
        assert all(error["extensions"]["code"] != "INTERNAL_ERROR" for error in answer.get("errors", []))


def fuzzed(request: pytest.FixtureRequest) -> settings:
    examples = LONG if request.config.getoption("--long") else EXAMPLES
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_whatever_comes_is_answered(
    http: httpx.AsyncClient, database: models.Database, request: pytest.FixtureRequest
) -> None:
    cases: list[tuple[str, str, dict[str, bytes], bytes]] = []

    @fuzzed(request)
    @given(st.sampled_from(["POST"] * 6 + ["GET", "OPTIONS", "PUT"]), HEADERS, BODIES, st.binary(max_size=30))
    def collect(method: str, headers: dict[str, bytes], body: bytes, query: bytes) -> None:
        escaped = "".join(f"%{byte:02x}" for byte in query)
        cases.append((method, f"/graphql?query={escaped}", headers, body))

    # Made first: hypothesis knows nothing of event loops.
    collect()
    with told() as entries:
        for method, path, headers, body in cases:
            with anyio.fail_after(60):
                await assert_answered(http, method, path, headers, body)
    assert [entry for entry in entries if entry["log_level"] == "error"] == []
    assert not database.transaction_active()
