"""What every HTTP request gets: an id, the client's address, a limit for its body, and a line in the log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import models
from audit.event import CLIENT_ADDRESS, read_disclosures
from counterfoil.app import create_app
from counterfoil.door.guard import Guard, limited
from counterfoil.door.pace import Pace
from counterfoil.door.refusing import BodyRefused
from counterfoil.door.requests import HEADER, Requests, client_address
from counterfoil.settings import read_settings
from tests.client import Client, default_app

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
JSON = {"content-type": "application/json"}
CREATE = 'mutation { createCustomer(input: { name: "Lakeside" }) { events { seq requestId } errors { code } } }'


def body_of(size: int) -> bytes:
    """A query of so many bytes."""
    start, end = b'{"query": "{ viewer { actor { name } } }"', b"}"
    return start + b" " * (size - len(start) - len(end)) + end


async def pieces(body: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """The body in chunks, without saying beforehand how long it is."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def test_an_id_is_made_for_each_request(client: Client) -> None:
    made = []
    for _ in range(2):
        await client.run(CREATE)
        made.append(client.response.headers["x-request-id"])
    assert len(set(made)) == 2
    assert all(identifier.startswith("req_") for identifier in made)


WELL_FORMED = (b"deploy-7", b"0" * 64, b"A.b_c-D9", b"req_01kwef3q8seemv6gzaf2w8kdhe")
ILL_FORMED = (b"", b"short", b"0" * 65, b"with space", b"semi;colon", b"ends-here\n", b"\xe9" * 8, b"<b>bold</b>")


async def test_the_id_is_always_our_own_and_stands_in_the_events(client: Client) -> None:
    for sent in (*WELL_FORMED, *ILL_FORMED):
        data = await client.send(CREATE, {}, {HEADER.encode(): sent})
        identifier = client.response.headers["x-request-id"]
        assert identifier.startswith("req_"), sent
        assert identifier.encode() != sent
        assert [event["requestId"] for event in data["createCustomer"]["events"]] == [identifier], sent


async def test_a_well_formed_id_of_the_client_stands_beside_it_in_the_log(client: Client) -> None:
    keep = (structlog.contextvars.merge_contextvars,)
    told = []
    for sent in (*WELL_FORMED, *ILL_FORMED):
        with structlog.testing.capture_logs(processors=keep) as entries:
            await client.http.get("/healthz", headers={HEADER.encode(): sent})
        told.append(entries[0].get("client_request_id"))
    assert told == [*(sent.decode() for sent in WELL_FORMED), *(None for _ in ILL_FORMED)]


async def test_each_answer_says_that_it_is_not_to_be_guessed_at_nor_kept(client: Client) -> None:
    for path in ("/graphql", "/healthz", "/nowhere"):
        headers = (await client.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"] == "no-store", path
        assert headers["x-request-id"], path


async def test_a_request_leaves_one_line_in_the_log(client: Client) -> None:
    keep = (structlog.contextvars.merge_contextvars,)
    with structlog.testing.capture_logs(processors=keep) as entries:
        await client.run("query ($s: String) { customers(search: $s) { totalCount } }", s="Zaphod")
    [entry] = entries
    told: dict[str, Any] = dict(entry)
    assert 0 < told.pop("ms") < 10_000
    assert told == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "request_id": client.response.headers["x-request-id"],
    }


TOKEN = "WyJkb2NfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAiLCJzZXNfMDAwMCJd.aSGX6Q.dQw4w9WgXcQ"
PATHS = {
    "/graphql": "/graphql",
    "/mail/events/ses": "/mail/events/ses",
    "/nowhere": "/nowhere",
    f"/documents/{TOKEN}/a.pdf": "/documents/…",
    f"/documents/{TOKEN}": "/documents…",
    f"/documents/{TOKEN}/a/b.pdf": "/documents…",
    f"/pdf/{TOKEN}": "/pdf/…",
    f"/pdf/{TOKEN}/": "/pdf…",
    f"//documents/{TOKEN}/a.pdf": "/…",
    f"/graphql/../documents/{TOKEN}/a.pdf": "/graphql…",
    f"/./pdf/{TOKEN}": "/.…",
    f"/%64ocuments/{TOKEN}/a.pdf": "/documents/…",
    f"/%2564ocuments/{TOKEN}/a.pdf": "/…",
    f"/documents%2F{TOKEN}%2Fa.pdf": "/documents/…",
    f"/documents%252F{TOKEN}%252Fa.pdf": "/documents…",
    f"/DOCUMENTS/{TOKEN}/a.pdf": "/DOCUMENTS…",
    f"/pdf;v=1/{TOKEN}": "/pdf…",
    f"/{TOKEN}": f"/{TOKEN[:20]}…",
}


async def test_no_token_of_a_download_is_logged_however_its_address_is_bent(client: Client) -> None:
    for path, shown in PATHS.items():
        for method in ("GET", "POST", "OPTIONS"):
            # A preflight is answered before anybody has looked where it leads.
            headers = [(b"origin", b"https://evil.example.com"), (b"access-control-request-method", b"GET")]
            # Not through httpx, which would straighten the path.
            server = {"server": ("counterfoil.test", 80), "scheme": "http", "client": None, "query_string": b""}
            asked = scope(method=method, path=unquote(path), raw_path=path.encode(), headers=headers, **server)
            spoken = Spoken({"type": "http.request", "body": b""})
            with structlog.testing.capture_logs() as entries:
                await default_app()(asked, spoken.receive, spoken.send)
            [entry] = [entry for entry in entries if entry["event"] == "request"]
            assert entry["path"] == shown or method == "OPTIONS", path
            assert TOKEN[:30] not in str(entries), path


async def test_a_body_may_have_a_mebibyte(client: Client) -> None:
    response = await client.http.post("/graphql", content=body_of(MIB), headers=JSON)
    assert response.json() == {"data": {"viewer": {"actor": {"name": "Ada Admin"}}}}


async def test_a_body_that_announces_more_is_refused_before_it_is_read(client: Client) -> None:
    response = await client.http.post("/graphql", content=body_of(MIB + 1), headers=JSON)
    assert response.status_code == 413
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "BODY_TOO_LARGE"
    assert "1,048,576 bytes" in error["message"]
    # Announced only: nothing of it is waited for.
    response = await client.http.post("/graphql", content=b"{}", headers={**JSON, "content-length": str(10**12)})
    assert response.status_code == 413


async def test_a_body_that_turns_out_longer_is_refused(client: Client) -> None:
    for key in ({}, {"idempotency-key": "k1"}):
        response = await client.http.post("/graphql", content=pieces(body_of(MIB)), headers={**JSON, **key})
        assert response.status_code == 200
        response = await client.http.post("/graphql", content=pieces(body_of(MIB + 1)), headers={**JSON, **key})
        assert response.status_code == 413


async def test_no_more_is_read_than_the_limit() -> None:
    asked = 0

    async def endless() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    receive = limited({"type": "http", "headers": []}, endless, 10_000, 30)
    for _ in range(10):
        await receive()
    with pytest.raises(BodyRefused, match="10,000 bytes"):
        await receive()
    assert asked == 11


async def test_the_limit_is_a_setting(client: Client) -> None:
    small = Client(client.token, app=create_app(read_settings(max_body=2048)))
    assert (await small.http.post("/graphql", content=body_of(2048), headers=JSON)).status_code == 200
    assert (await small.http.post("/graphql", content=body_of(2049), headers=JSON)).status_code == 413


def connection(direct: str | None, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return HTTPConnection({"type": "http", "headers": headers, "client": (direct, 1) if direct else None})


PROXIES = ("10.0.0.1", "10.0.0.2", "10.1.0.0/16", "2001:db8:1::/48")


@pytest.mark.parametrize(
    ("direct", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", (), (), "203.0.113.9"),
        (None, (), (), None),
        (None, ("203.0.113.7",), PROXIES, None),
        ("203.0.113.9", ("203.0.113.7",), (), "203.0.113.9"),
        ("203.0.113.9", ("203.0.113.7",), PROXIES, "203.0.113.9"),
        ("10.0.0.1", ("203.0.113.7",), PROXIES, "203.0.113.7"),
        ("10.0.0.1", ("198.51.100.1, 203.0.113.7",), PROXIES, "203.0.113.7"),
        ("10.0.0.1", ("198.51.100.1,203.0.113.7 , 10.0.0.2",), PROXIES, "203.0.113.7"),
        ("10.0.0.1", ("198.51.100.1", "203.0.113.7"), PROXIES, "203.0.113.7"),
        ("10.0.0.1", ("2001:db8::7",), PROXIES, "2001:db8::7"),
        ("10.0.0.1", (), PROXIES, "10.0.0.1"),
        ("10.0.0.1", ("", " , "), PROXIES, "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.2, 10.0.0.1",), PROXIES, "10.0.0.2"),
        ("::ffff:10.0.0.1", ("203.0.113.7",), PROXIES, "203.0.113.7"),
        ("10.0.0.1", ("203.0.113.7",), ("::ffff:10.0.0.1",), "203.0.113.7"),
        ("::ffff:203.0.113.9", ("203.0.113.7",), PROXIES, "203.0.113.9"),
        ("10.0.0.1", ("::ffff:203.0.113.7, ::ffff:10.0.0.2",), PROXIES, "203.0.113.7"),
        ("10.1.2.3", ("203.0.113.7, 10.1.255.1",), PROXIES, "203.0.113.7"),
        ("10.1.2.3", ("203.0.113.7",), ("::ffff:10.1.0.0/112",), "203.0.113.7"),
        ("2001:db8:1::7", ("203.0.113.7",), PROXIES, "203.0.113.7"),
        ("10.2.0.1", ("203.0.113.7",), PROXIES, "10.2.0.1"),
        ("10.0.0.1", ("203.0.113.7:5678",), PROXIES, "203.0.113.7"),
        ("10.0.0.1", ("[2001:DB8::7]:99",), PROXIES, "2001:db8::7"),
        ("10.0.0.1", ("[2001:db8::7]",), PROXIES, "2001:db8::7"),
        ("10.0.0.1", ("203.0.113.7, unknown",), PROXIES, "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.7, unknown, 10.0.0.2",), PROXIES, "10.0.0.2"),
        ("10.0.0.1", ("<script>",), PROXIES, "10.0.0.1"),
        ("10.0.0.1", ("fe80::1%<script>",), PROXIES, "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.700",), PROXIES, "10.0.0.1"),
        ("a socket", ("203.0.113.7",), PROXIES, "a socket"),
    ],
    ids=[
        "nobody between",
        "no address",
        "no address, but a header",
        "a header that nobody trusts",
        "a header of somebody else than the proxies",
        "one proxy",
        "what the client itself sent stands before",
        "two proxies",
        "a proxy that adds a line of its own",
        "IPv6",
        "a proxy that says nothing",
        "an empty header",
        "only proxies: the one that is furthest away",
        "IPv4 through a socket for IPv6",
        "a proxy that is written as such a socket has it",
        "a client through such a socket",
        "such addresses in the header",
        "a network of proxies",
        "a network that is written as such a socket has it",
        "a network in IPv6",
        "somebody beside the network",
        "a port",
        "a port behind IPv6",
        "brackets",
        "a proxy that does not know",
        "a proxy before one that does not know",
        "markup",
        "a zone",
        "a number that is too large",
        "a peer without an address",
    ],
)
def test_the_clients_address(
    direct: str | None, forwarded: tuple[str, ...], trusted: tuple[str, ...], address: str | None
) -> None:
    proxies = read_settings(trusted_proxies=",".join(trusted)).trusted_proxies
    assert client_address(connection(direct, *forwarded), proxies) == address


async def test_the_address_behind_a_trusted_proxy_is_in_the_event(client: Client) -> None:
    app = create_app(read_settings(trusted_proxies="10.0.0.1"))
    transport = httpx.ASGITransport(app=app, client=("10.0.0.1", 5))
    headers = {"authorization": f"Bearer {client.token}", "x-forwarded-for": "198.51.100.1, 203.0.113.7"}
    async with httpx.AsyncClient(transport=transport, base_url="http://counterfoil.test", headers=headers) as http:
        answer = (await http.post("/graphql", json={"query": CREATE})).json()
    [event] = answer["data"]["createCustomer"]["events"]
    rows = await models.current().fetch("SELECT disclosures FROM event_detail WHERE seq = ?", event["seq"])
    told = [pair for row in rows for pair in read_disclosures(row["disclosures"])]
    assert [value for name, value in told if name == CLIENT_ADDRESS] == ["203.0.113.7"]


class Spoken:
    """An ASGI conversation: what the server is told, and what it answers."""

    def __init__(self, *messages: Message) -> None:
        self._messages = iter(messages)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        return next(self._messages)

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def guarded(app: ASGIApp) -> Requests:
    return Requests(Guard(app, read_settings(), Pace(1000)))


def scope(**more: Any) -> Scope:
    return {"type": "http", "method": "POST", "path": "/graphql", "headers": [], **more}


@pytest.fixture
def entries() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


async def test_a_client_that_hangs_up_is_no_bug(client: Client, entries: list[Any]) -> None:
    spoken = Spoken({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    asked = scope(query_string=b"", headers=headers, client=None, server=("counterfoil.test", 80), scheme="http")
    await create_app(read_settings())(asked, spoken.receive, spoken.send)
    assert spoken.sent == []
    assert [(entry["event"], entry["status"]) for entry in entries] == [("request", 499)]


async def test_an_answer_that_breaks_off_is_not_answered_twice(entries: list[Any]) -> None:
    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half-way")

    spoken = Spoken()
    await guarded(breaks_off)(scope(), spoken.receive, spoken.send)
    assert [message["type"] for message in spoken.sent] == ["http.response.start"]
    assert [(entry["event"], entry["log_level"]) for entry in entries] == [("bug", "error"), ("request", "info")]


async def test_what_is_not_http_passes_untouched() -> None:
    passed = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append((scope, receive, send))

    spoken = Spoken()
    asked = {"type": "lifespan"}
    receive, send = spoken.receive, spoken.send
    await guarded(app)(asked, receive, send)
    assert passed == [(asked, receive, send)]


async def test_the_answer_to_a_bug_is_json_with_the_requests_id() -> None:
    async def stumbles(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no")

    spoken = Spoken()
    await guarded(stumbles)(scope(), spoken.receive, spoken.send)
    start, body = spoken.sent
    assert start["status"] == 500
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/graphql-response+json; charset=utf-8"
    identifier = headers[b"x-request-id"].decode()
    assert json.loads(body["body"])["errors"][0]["extensions"] == {"code": "INTERNAL_ERROR", "requestId": identifier}
