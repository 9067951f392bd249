"""Bytes of any kind, as bodies, headers and forms: the answer is well formed, no 5xx and no traceback."""

from __future__ import annotations

import json
from collections import Counter

import anyio
import httpx
import psutil
import pytest
from hypothesis import strategies as st

import models
from tests import factories
from tests.client import Client
from tests.counterfoil.door.fuzzing import GROWTH, assert_none_added, drawn, left_behind, many
from tests.counterfoil.log_lines import told

pytestmark = pytest.mark.anyio

FEW = 120

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


UPLOAD = (
    "mutation ($input: UploadDocumentInput!) { uploadDocument(input: $input) { document { name } errors { code } } }"
)
# What stands in the form for the customer that files are for.
CUSTOMER = "<customer>"
GOOD = {"query": UPLOAD, "variables": {"input": {"customerId": CUSTOMER, "file": None}}}
OPERATIONS = st.one_of(
    *[st.just(GOOD)] * 12,
    REQUESTS,
    JSON_VALUES,
    st.builds(lambda variables: {"query": UPLOAD, "variables": variables}, JSON_VALUES),
    st.just({"query": UPLOAD.replace("uploadDocument", "a: uploadDocument", 1), "variables": GOOD["variables"]}),
).map(json.dumps)
WAYS = (
    "variables.input.file",
    "variables.input",
    "variables",
    "query",
    "",
    "variables.input.file.0",
    "variables.0",
    "..",
)
MAPS = st.one_of(
    *[st.just({"0": [WAYS[0]]})] * 12,
    st.dictionaries(st.sampled_from(["0", "1", "", "operations"]), st.lists(st.sampled_from(WAYS), max_size=2)),
    JSON_VALUES,
).map(json.dumps)
DISPOSITIONS = st.sampled_from(
    [
        *['form-data; name="{0}"{1}'] * 80,
        *("form-data", "", "attachment; name={0}", "form-data; name*=utf-8''{0}{1}", 'form-data; name="{0}"{1};;=;"'),
        *('form-data; name="{0}\xff"{1}', 'form-data; name="{0}{1}', "form-data; name=\"{0}\"; filename*=x'y'%ff"),
    ]
)
FILENAMES = st.sampled_from(
    [
        *['; filename="a.txt"'] * 20,
        "",
        '; filename=""',
        '; filename="../\\..\xfc"',
        '; filename="a\x00b"',
        '; filename="' + "a" * 500,
    ]
)
CONTENTS = st.sampled_from(
    [*[b"Both agree."] * 6, b"%PDF-1.7\n", b"", b"\r\n--x", b"--x--", b"\x00" * 70_000]
) | st.binary(max_size=50)
ENDS = st.sampled_from([*[b"\r\n"] * 60, b"\n", b"", b"--", b"\0"])


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """A form with the parts that an upload has; most have something wrong with one of them."""
    parts = [
        ("operations", "", draw(OPERATIONS).encode()),
        ("map", "", draw(MAPS).encode()),
        ("0", draw(FILENAMES), draw(CONTENTS)),
    ]
    parts = draw(st.just(parts) | st.just(parts) | st.lists(st.sampled_from(parts), max_size=4))
    body = b""
    for name, filename, content in parts:
        disposition = draw(DISPOSITIONS).format(name, filename).encode("latin-1")
        body += b"--x" + draw(ENDS) + b"Content-Disposition: " + disposition + b"\r\n\r\n" + content + b"\r\n"
    return body + draw(st.sampled_from([*[b"--x--\r\n"] * 6, b"--x--", b"", b"--x", b"--x--\r\nmore" * 9]))


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


Request = tuple[str, str, dict[str, bytes], bytes]


async def assert_all_answered(http: httpx.AsyncClient, database: models.Database, cases: list[Request]) -> None:
    """Each is answered, nothing broke, and the second half leaves nothing in memory."""
    before, resident = Counter[str](), 0
    with told() as entries:
        for number, (method, path, headers, body) in enumerate(cases):
            if number == len(cases) // 2:
                before, resident = await left_behind(), psutil.Process().memory_info().rss
            with anyio.fail_after(60):
                await assert_answered(http, method, path, headers, body)
        assert [entry for entry in entries if entry["log_level"] == "error"] == []
        entries.clear()
    await assert_none_added(before)
    assert psutil.Process().memory_info().rss - resident < GROWTH
    assert not database.transaction_active()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_whatever_comes_is_answered(
    http: httpx.AsyncClient, database: models.Database, request: pytest.FixtureRequest
) -> None:
    methods = st.sampled_from(["POST"] * 6 + ["GET", "OPTIONS", "PUT"])
    paths = st.binary(max_size=30).map(lambda query: "/graphql?query=" + "".join(f"%{byte:02x}" for byte in query))
    cases = await drawn(st.tuples(methods, paths, HEADERS, BODIES), many(request, FEW))
    await assert_all_answered(http, database, cases)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_forms_of_any_kind_are_answered(
    client: Client, database: models.Database, request: pytest.FixtureRequest
) -> None:
    customer = (await factories.customer(client))["id"]
    headers = {"content-type": b"multipart/form-data; boundary=x", "counterfoil-upload": b"1"}
    cases = await drawn(forms(), many(request, FEW))
    await assert_all_answered(
        client.http,
        database,
        [("POST", "/graphql", headers, body.replace(CUSTOMER.encode(), customer.encode())) for body in cases],
    )
    stored = await client.run("query ($id: ID!) { customer(id: $id) { documents { totalCount } } }", id=customer)
    assert stored["customer"]["documents"]["totalCount"] > 0
