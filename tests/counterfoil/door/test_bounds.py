"""The limits of the door: each at its bound and above it, and what an attack costs, counted in work and not in time."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import Message

import models
from audit import Change
from counterfoil.app import create_app
from counterfoil.door import admission, decoding, documents, viewer
from counterfoil.door.guard import MOST_HEADERS, limited
from counterfoil.settings import read_settings
from schema.context import Loaders
from schema.limits import Limits
from tests.client import Client

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
GZIP = {**JSON, "content-encoding": "gzip"}
NAME = "{ __typename }"
ASKING = json.dumps({"query": NAME}).encode()
NAMED = {"data": {"__typename": "Query"}}
MIB = 1024 * 1024


def code(response: httpx.Response) -> str:
    """The code of the only error of an answer without data."""
    answer = response.json()
    assert "data" not in answer
    [error] = answer["errors"]
    return str(error["extensions"]["code"])


def small(client: Client, **settings: Any) -> Client:
    return Client(client.token, app=create_app(read_settings(**settings)))


def fields(count: int) -> str:
    return "{" + " ".join(f"f{number}" for number in range(count)) + "}"


# For each limit: its setting, a document with so many of what it counts, and the code.
DOCUMENTS: dict[str, tuple[Callable[[int], str], int, str]] = {
    "max_document": (lambda count: NAME + " " * (count - len(NAME)), 40, "LENGTH_LIMIT"),
    "max_tokens": (lambda count: "{" + "__typename " * (count - 2) + "}", 40, "TOKEN_LIMIT"),
    "max_definitions": (
        lambda count: " ".join(f"query q{number} {NAME}" for number in range(count)),
        5,
        "OPERATION_LIMIT",
    ),
    "max_variables": (
        lambda count: (
            "query (" + " ".join(f"$v{number}: Boolean = {{a: {{}}}}" for number in range(count)) + ") { __typename }"
        ),
        5,
        "VARIABLE_LIMIT",
    ),
    "max_depth": (lambda count: "{viewer" * (count - 1) + NAME + "}" * (count - 1), 5, "DEPTH_LIMIT"),
    "max_aliases": (
        lambda count: "{" + " ".join(f"a{number}: __typename" for number in range(count)) + "}",
        5,
        "ALIAS_LIMIT",
    ),
    "max_fields": (fields, 5, "FIELD_LIMIT"),
    "max_directives": (lambda count: "{ __typename " + "@include(if: true)" * count + "}", 5, "DIRECTIVE_LIMIT"),
    # Four of a kind are six pairs.
    "max_repeats": (
        lambda count: "{" + "__typename " * 4 + ("viewer { permissions permissions }" if count > 6 else "") + "}",
        6,
        "REPEAT_LIMIT",
    ),
}


async def test_documents_are_limited_at_the_bound(client: Client) -> None:
    for setting, (document, bound, expected) in DOCUMENTS.items():
        bounded = small(client, **{setting: bound})
        for count, met in ((bound - 1, False), (bound, False), (bound + 1, True)):
            response = await bounded.http.post("/graphql", json={"query": document(count), "operationName": None})
            codes = {error["extensions"]["code"] for error in response.json().get("errors", [])}
            assert (codes == {expected}) is met, (setting, count, codes)
            assert not met or response.status_code == 422, setting


# Documents that graphql-core would take long for: as text, and folded into a fragment that a scan does not unfold.
ATTACKS = {
    "fields": "{ viewer {" + "permissions " * 1500 + "} }",
    "aliases": "{" + " ".join(f"a{number}: __typename" for number in range(600)) + "}",
    "directives": "{ __typename " + "@skip(if: true)" * 280 + "}",
    "variables": "query (" + " ".join(f"$a{number}: Int" for number in range(390)) + ") { __typename }",
    "operations": " ".join(f"query a{number} {{ __typename }}" for number in range(390)),
    "tokens": "{" + "__typename " * 5000 + "}",
    "comments": NAME + "#\n" * 30_000,
    "spaces": NAME + " " * (MIB // 2),
    "a long text": '{ customers(search: "' + "a" * (MIB // 2) + '") { totalCount } }',
}
FOLDED = {
    "fields in fragments": "{ " + "...F " * 30 + "} fragment F on Query { " + "__typename " * 20 + "}",
    "repeated objects": "{ viewer {" + "actor { name } " * 230 + "} }",
    "repeated fragments": "{"
    + " ".join(f"...F{number}" for number in range(150))
    + "}"
    + " ".join(f"fragment F{number} on Query {{ a }}" for number in range(150)),
    "depth in fragments": "{ ...F0 }"
    + " ".join(f"fragment F{number} on Query {{ viewer {{ ...F{number + 1} }} }}" for number in range(100))
    + "fragment F100 on Query { __typename }",
}


async def test_floods_are_refused_before_they_are_parsed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> Any:
        raise AssertionError("it has come so far")

    monkeypatch.setattr(documents, "validate", never)
    for name, text in FOLDED.items():
        response = await client.http.post("/graphql", json={"query": text})
        assert response.status_code == 422, name
        assert code(response).endswith("_LIMIT"), name
    monkeypatch.setattr(documents, "parse", never)
    for name, text in ATTACKS.items():
        response = await client.http.post("/graphql", json={"query": text})
        assert response.status_code == 422, name
        assert code(response).endswith("_LIMIT"), name


async def test_the_cost_is_known_before_anything_runs(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{ customers(first: 3) { edges { node { contacts(first: 4) { totalCount } } } } }"
    response = await client.http.post("/graphql", json={"query": text}, headers={"Counterfoil-Cost": "1"})
    cost = {"nodes": 15, "most": 20_000, "depth": 5, "aliases": 0, "fields": 5, "directives": 0}
    assert response.json()["extensions"] == {"cost": cost}
    await client.run(text)
    assert "extensions" not in client.response.json()
    monkeypatch.setattr(admission, "too_large", lambda *_: None)
    # Also of what is refused, without a glance at a row.
    stranger = await Client().http.post("/graphql", json={"query": text}, headers={"Counterfoil-Cost": "1"})
    assert stranger.json()["extensions"] == {"cost": cost}
    assert stranger.status_code == 401


async def test_a_body_may_come_in_gzip(client: Client) -> None:
    for body in (gzip.compress(ASKING), gzip.compress(ASKING, 0)):
        for coding in ("gzip", "x-gzip", " GZIP "):
            response = await client.http.post("/graphql", content=body, headers={**JSON, "content-encoding": coding})
            assert response.json() == NAMED
        stream = {**GZIP, "accept": "text/event-stream"}
        response = await client.http.post("/graphql", content=body, headers=stream)
        assert response.text.endswith("event: complete\ndata:\n\n")
    assert (
        await client.http.post("/graphql", content=ASKING, headers={**JSON, "content-encoding": "identity"})
    ).json() == NAMED
    bound = small(client, max_body=2048)
    for size, status in ((2048, 200), (2049, 413)):
        body = gzip.compress(ASKING + b" " * (size - len(ASKING)))
        assert (await bound.http.post("/graphql", content=body, headers=GZIP)).status_code == status, size


NO_GZIP = {
    "plain": ASKING,
    "nothing": b"",
    "broken off": gzip.compress(ASKING)[:-4],
    "broken inside": gzip.compress(ASKING)[:12] + b"\xff" * 20,
    "more behind it": gzip.compress(ASKING) + b"x",
    "two members": gzip.compress(ASKING) * 2,
    "zlib": zlib.compress(ASKING),
}


async def test_what_is_not_one_gzip_member_is_refused(client: Client) -> None:
    for name, body in NO_GZIP.items():
        response = await client.http.post("/graphql", content=body, headers=GZIP)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), name
    for coding in ("br", "deflate", "gzip, gzip", "gzip, identity", "zstd", "*"):
        response = await client.http.post("/graphql", content=b"x", headers={**JSON, "content-encoding": coding})
        assert (response.status_code, code(response)) == (415, "UNSUPPORTED_CONTENT_ENCODING"), coding
        # RFC 9110, 15.5.16: this is how a client learns what it may send.
        assert response.headers["accept-encoding"] == "gzip, identity"
    form = {"content-type": "multipart/form-data; boundary=x", "content-encoding": "gzip", "counterfoil-upload": "1"}
    response = await client.http.post("/graphql", content=gzip.compress(b"--x--"), headers=form)
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_CONTENT_ENCODING")
    assert response.headers["accept-encoding"] == "identity"


async def test_of_a_bomb_no_more_is_unpacked_than_a_body_may_have(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = 0

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._inner = zlib.decompressobj(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal unpacked
            found = self._inner.decompress(data, most)
            unpacked += len(found)
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    class Counted:
        error = zlib.error
        MAX_WBITS = zlib.MAX_WBITS
        decompressobj = Counting

    monkeypatch.setattr(decoding, "zlib", Counted)
    bomb = gzip.compress(b" " * 100 * MIB)
    assert len(bomb) < MIB
    response = await client.http.post("/graphql", content=bomb, headers=GZIP)
    assert (response.status_code, code(response)) == (413, "BODY_TOO_LARGE")
    assert unpacked == MIB + 1


async def test_of_100_mib_no_more_is_read_than_a_body_may_have(client: Client) -> None:
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1600):
            taken += 1
            yield b" " * 64 * 1024

    for headers in (JSON, GZIP | {"content-encoding": "identity"}):
        taken = 0
        transport = httpx.ASGITransport(app=create_app(read_settings()))
        async with httpx.AsyncClient(transport=transport, base_url="http://counterfoil.test") as http:
            response = await http.post("/graphql", content=pieces(), headers=headers)
        assert (response.status_code, code(response)) == (413, "BODY_TOO_LARGE")
        assert taken <= 17


async def test_large_answers_are_packed_for_who_takes_that(client: Client) -> None:
    text = "{ __schema { types { name description } } }"
    sizes = {}
    for accepted in ("gzip", "identity", "gzip;q=0"):
        response = await client.http.post("/graphql", json={"query": text}, headers={"accept-encoding": accepted})
        assert response.json()["data"]["__schema"]
        assert ("content-encoding" in response.headers) is (accepted == "gzip")
        sizes[accepted] = int(response.headers["content-length"])
    assert sizes["gzip"] * 3 < sizes["identity"] == sizes["gzip;q=0"]
    response = await client.http.post("/graphql", json={"query": NAME}, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in response.headers


async def test_a_slow_body_is_refused(client: Client) -> None:
    asked = 0

    async def stalled() -> Message:
        nonlocal asked
        asked += 1
        if asked == 1:
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError("it has ended")

    app = create_app(read_settings(body_timeout=0.01))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(
        {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "headers": [(b"content-type", b"application/json")],
            "query_string": b"",
            "client": None,
        },
        stalled,
        send,
    )
    start, body = sent
    assert (start["status"], dict(start["headers"])[b"connection"]) == (408, b"close")
    assert json.loads(body["body"])["errors"][0]["extensions"]["code"] == "BODY_TIMEOUT"


async def test_after_the_body_a_client_may_wait_as_long_as_it_likes() -> None:
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        # Longer than the whole body may take.
        await asyncio.sleep(0 if ended == 0 else 0.05)
        return next(messages)

    ended = 0
    bounded = limited({"type": "http", "headers": []}, receive, 10, 0.01)
    await bounded()
    ended = 1
    assert (await bounded())["type"] == "http.disconnect"


async def test_a_body_is_as_long_as_it_says(client: Client) -> None:
    for length in (str(len(ASKING) - 1), str(len(ASKING) + 1), "0", "x", "-1", "+5", "1.0", "²", ""):
        headers = {b"content-type": b"application/json", b"content-length": length.encode("latin-1")}
        response = await client.http.post("/graphql", content=ASKING, headers=headers)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), length


async def test_urls_and_headers_are_limited_at_the_bound(client: Client) -> None:
    bounded = small(client, max_url=1024, max_headers=1024)
    start = "/graphql?query=%7B__typename%7D&x="
    # The question mark does not count.
    for size, status in ((1024, 200), (1025, 414)):
        assert (await bounded.http.get(start + "x" * (size + 1 - len(start)))).status_code == status
    request = bounded.http.build_request("POST", "/graphql", json={"query": NAME}, headers={"x-much": ""})
    used = sum(len(name) + len(value) for name, value in request.headers.raw)
    for size, status in ((1024, 200), (1025, 431)):
        headers = {"x-much": "x" * (size - used)}
        assert (await bounded.http.post("/graphql", json={"query": NAME}, headers=headers)).status_code == status


async def test_a_request_has_so_many_headers_and_no_more(client: Client) -> None:
    sent = len(client.http.build_request("POST", "/graphql", json={"query": NAME}).headers.raw)
    for many, status in ((MOST_HEADERS, 200), (MOST_HEADERS + 1, 431)):
        headers = {f"x-{number}": "" for number in range(many - sent)}
        response = await client.http.post("/graphql", json={"query": NAME}, headers=headers)
        assert response.status_code == status
        assert status == 200 or code(response) == "HEADERS_TOO_LARGE"


async def test_an_operation_that_takes_too_long_is_cancelled(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = small(client, execution_timeout=0.05)
    assert (await impatient.http.post("/graphql", json={"query": NAME})).json() == NAMED

    async def endless(*_: object) -> Any:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(Loaders, "load", endless)
        response = await impatient.http.post(
            "/graphql", json={"query": '{ contact(id: "con_00000000000000000000000000") { id } }'}
        )
        assert (response.status_code, code(response)) == (503, "EXECUTION_TIMEOUT")
    # So is finding out who asks.
    monkeypatch.setattr(viewer, "find_viewer", endless)
    for accept in ("*/*", "text/event-stream"):
        response = await impatient.http.post("/graphql", json={"query": NAME}, headers={"accept": accept})
        assert (response.status_code, code(response)) == (503, "EXECUTION_TIMEOUT")


CREATE = 'mutation { createCustomer(input: { name: "Half" }) { customer { id } errors { code } } }'


async def test_a_write_that_takes_too_long_leaves_nothing(
    client: Client, database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Change.insert

    async def stalls(*given: Any) -> Any:
        await insert(*given)
        await asyncio.Event().wait()

    impatient = small(client, execution_timeout=0.5)
    with monkeypatch.context() as patch:
        patch.setattr(Change, "insert", stalls)
        response = await impatient.http.post("/graphql", json={"query": CREATE})
        assert (response.status_code, code(response)) == (503, "EXECUTION_TIMEOUT")
    assert not database.transaction_active()
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 0
    # And the next one writes.
    assert (await client.run(CREATE))["createCustomer"]["errors"] == []


async def test_only_so_many_operations_of_a_client_run_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded = small(client, max_operations=2)
    other = Client(app=bounded.http._transport.app)  # type: ignore[attr-defined]
    released = asyncio.Event()
    waiting = asyncio.Semaphore(0)
    load = Loaders.load

    async def waits(self: Loaders, *given: Any) -> Any:
        waiting.release()
        await released.wait()
        return await load(self, *given)

    monkeypatch.setattr(Loaders, "load", waits)
    text = {"query": '{ contact(id: "con_00000000000000000000000000") { id } }'}
    running = [asyncio.ensure_future(bounded.http.post("/graphql", json=text)) for _ in range(2)]
    for _ in running:
        await waiting.acquire()
    response = await bounded.http.post("/graphql", json={"query": NAME})
    assert (response.status_code, code(response)) == (429, "TOO_MANY_OPERATIONS")
    assert int(response.headers["retry-after"]) > 0
    # Others are not kept out, and afterwards neither is this one.
    assert (await other.http.post("/graphql", json={"query": NAME})).json() == NAMED
    released.set()
    assert [response.json() for response in await asyncio.gather(*running)] == [{"data": {"contact": None}}] * 2
    assert (await bounded.http.post("/graphql", json={"query": NAME})).json() == NAMED


def test_all_limits_can_be_set() -> None:
    changed = {name: number + 1 for name, number in vars(Limits()).items()}
    names = {"length": "max_document", "operations": "max_definitions"}
    settings = read_settings(**{names.get(name, f"max_{name}"): number for name, number in changed.items()})
    assert vars(settings.limits()) == changed
