"""GraphQL over SSE, distinct connections mode: framing, and how a stream begins, goes on and ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

import models
from audit.tail import tail
from counterfoil.app import create_app
from counterfoil.door import stream as door
from counterfoil.door.pace import Pace
from counterfoil.settings import read_settings
from models import Permission, clock
from schema.context import Loaders
from tests.client import Client, ClientWith, default_app
from tests.counterfoil.door.socket import PATIENCE, connected
from tests.resolvers.test_feed import revoke_permission, sign_out

pytestmark = pytest.mark.anyio
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])

SSE = "text/event-stream"
FEED = "subscription ($filter: HistoryFilter) { historyFeed(filter: $filter) { cursor event { seq } } }"


class Stream:
    """An answer as it arrives. `reads` can be cleared to take nothing any more."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.reads = asyncio.Event()
        self.reads.set()
        self.begun = asyncio.Event()
        self.from_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.to_client: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._buffer = b""

    async def accept(self, message: Any) -> None:
        """The server's way to send."""
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.begun.set()
            return
        await self.to_client.put(message.get("body", b""))
        if not message.get("more_body", False):
            await self.to_client.put(None)

    async def event(self) -> dict[str, str] | None:
        """The next event with its fields; comments as {"": text}. None when the stream is over."""
        async with asyncio.timeout(PATIENCE):
            while b"\n\n" not in self._buffer:
                piece = await self.to_client.get()
                if piece is None:
                    assert self._buffer == b""
                    return None
                self._buffer += piece
        block, _, self._buffer = self._buffer.partition(b"\n\n")
        assert b"\r" not in block
        lines = [line.partition(":") for line in block.decode().split("\n")]
        return {name: value.removeprefix(" ") for name, _, value in lines}

    async def next(self) -> dict[str, str]:
        """The next event that is no comment."""
        while (event := await self.event()) is not None:
            if event.keys() != {""}:
                return event
        raise AssertionError("the stream is over")

    async def result(self) -> Any:
        """The result of the next `next` event."""
        event = await self.next()
        assert event["event"] == "next"
        return json.loads(event["data"])

    async def rest(self) -> list[dict[str, str]]:
        """All events that are left, without comments."""
        events = []
        while (event := await self.event()) is not None:
            if event.keys() != {""}:
                events.append(event)
        return events


@asynccontextmanager
async def streamed(
    client: Client,
    query: str,
    variables: Any = None,
    *,
    method: str = "POST",
    app: Starlette | None = None,
    content: bytes | None = None,
    **more: str,
) -> AsyncIterator[Stream]:
    """A request for a stream; the client goes away afterwards."""
    sent = {"query": query, "variables": variables or {}}
    headers = {"accept": SSE, "authorization": f"Bearer {client.token}", "host": "counterfoil.test", **more}
    headers = {name: value for name, value in headers.items() if value}
    body = (json.dumps(sent).encode() if content is None else content) if method == "POST" else b""
    if method == "POST":
        headers["content-type"] = "application/json"
    stream = Stream()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"" if body else urlencode({**sent, "variables": json.dumps(sent["variables"])}).encode(),
        "scheme": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 4711),
        "server": ("counterfoil.test", 80),
        "state": {},
    }
    await stream.from_client.put({"type": "http.request", "body": body, "more_body": False})
    running = asyncio.create_task((app or default_app())(scope, stream.from_client.get, stream.accept))
    try:
        async with asyncio.timeout(PATIENCE):
            await stream.begun.wait()
        yield stream
    finally:
        stream.reads.set()
        await stream.from_client.put({"type": "http.disconnect"})
        async with asyncio.timeout(PATIENCE):
            await running


@on_sqlite
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_answers_once_and_completes(client: Client, method: str) -> None:
    async with streamed(client, "{ __typename }", method=method) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == SSE
        assert stream.headers["cache-control"] == "no-store"
        # nginx would gather the events.
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["x-request-id"].startswith("req_")
        assert "content-length" not in stream.headers
        # The HTML standard dispatches no event without data.
        assert await stream.rest() == [
            {"event": "next", "data": '{"data":{"__typename":"Query"}}'},
            {"event": "complete", "data": ""},
        ]


@on_sqlite
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "BAD_REQUEST"),
        ("{ nothing }", "BAD_REQUEST"),
        ("query a { __typename } query b { __typename }", "BAD_REQUEST"),
        ('subscription { historyFeed(after: "rubbish") { cursor } }', "BAD_CURSOR"),
    ],
)
async def test_errors_of_the_document_come_through_the_stream(client: Client, query: str, code: str) -> None:
    async with streamed(client, query) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, SSE)
        told, complete = await stream.rest()
        assert [error["extensions"]["code"] for error in json.loads(told["data"])["errors"]] == [code]
        assert (told["event"], complete["event"]) == ("next", "complete")


@on_sqlite
async def test_a_get_request_changes_nothing(client: Client) -> None:
    query = 'mutation { createCustomer(input: {name: "Lakeside"}) { customer { id } } }'
    async with streamed(client, query, method="GET") as stream:
        assert stream.status in (200, 405)
        if stream.status == 200:
            assert [error["extensions"]["code"] for error in (await stream.result())["errors"]] == ["BAD_REQUEST"]
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 0


async def test_a_feed_goes_on_after_the_last_event_id(client: Client) -> None:
    since = {"filter": {"from": clock.now().isoformat()}}
    async with streamed(client, FEED, since) as stream:
        for name in ("First", "Second", "Third"):
            await client.change("CreateCustomer", input={"name": name})
        first = await stream.next()
        told = json.loads(first["data"])["data"]["historyFeed"]
        assert (first["event"], first["id"]) == ("next", told["cursor"])
    async with streamed(client, FEED, since, last_event_id=first["id"]) as stream:
        second = await stream.next()
        assert json.loads(second["data"])["data"]["historyFeed"]["event"]["seq"] == told["event"]["seq"] + 1
    # It goes before the cursor with which the feed once began: a browser repeats the URL.
    begun = FEED.replace("($filter", "($after: String, $filter").replace("(filter", "(after: $after, filter")
    repeated = {**since, "after": first["id"]}
    async with streamed(client, begun, repeated, method="GET", last_event_id=second["id"]) as stream:
        assert (await stream.result())["data"]["historyFeed"]["event"]["seq"] == told["event"]["seq"] + 2
    async with streamed(client, FEED, since, last_event_id="rubbish") as stream:
        assert code_of(await stream.rest()) == "BAD_CURSOR"
    assert tail().followers == 0


def code_of(events: list[dict[str, str]]) -> str:
    """The code of the error with which a stream ended that clients are not to open again by themselves."""
    told, complete = events
    assert (told["event"], complete["event"]) == ("next", "complete")
    answer = json.loads(told["data"])
    assert answer.keys() == {"errors"}
    [error] = answer["errors"]
    return str(error["extensions"]["code"])


@on_sqlite
async def test_a_stream_tells_why_it_ends_after_its_first_event(
    client: Client, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At once: what is refused from the start would wait.
    monkeypatch.setattr(Pace, "kept", AsyncMock(side_effect=AssertionError))
    for end, code in ((revoke_permission, "FORBIDDEN"), (sign_out, "UNAUTHENTICATED")):
        auditor = await client_with([Permission.AUDIT_READ])
        async with streamed(auditor, FEED, {"filter": {"from": clock.now().isoformat()}}) as stream:
            await client.change("CreateCustomer", input={"name": "Before"})
            while "data" not in await stream.result():
                pass
            await end(auditor)
            rest = await stream.rest()
            assert code_of(rest[-2:]) == code


@on_sqlite
async def test_what_fails_before_a_stream_begins_has_its_status(client: Client) -> None:
    refused: list[tuple[int, str, dict[str, Any]]] = [
        (400, "BAD_REQUEST", {"content": b"{"}),
        (422, "BAD_REQUEST", {"content": b"{}"}),
        (415, "UNSUPPORTED_MEDIA_TYPE", {"content_type": "text/plain"}),
        (403, "CSRF", {"authorization": "", "cookie": "counterfoil=cfs_x"}),
        # A body that is not there: the end of the connection would be looked for behind it.
        (400, "BAD_REQUEST", {"method": "GET", "content_length": "20"}),
    ]
    for status, code, more in refused:
        async with streamed(client, "{ __typename }", **more) as stream:
            assert stream.status == status, more
            assert stream.headers["content-type"].startswith("application/graphql-response+json")
            body = await stream.to_client.get()
            assert json.loads(body or b"")["errors"][0]["extensions"]["code"] == code


async def test_a_mutation_over_a_stream_has_a_reason_and_is_not_repeated(client: Client) -> None:
    create = 'mutation { createCustomer(input: {name: "Once"}) { events { seq reason } errors { code } } }'
    sent: dict[str, Any] = {"idempotency_key": "one-of-a-kind", "counterfoil_reason": "Ticket 4711"}
    answers = []
    for _ in range(2):
        async with streamed(client, create, **sent) as stream:
            answers.append(await stream.result())
    assert answers[0] == answers[1]
    assert answers[0]["data"]["createCustomer"]["events"][0]["reason"] == "Ticket 4711"
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 1


@on_sqlite
async def test_streams_and_sockets_have_the_limits_of_requests(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(read_settings(max_operations=1, execution_timeout=1.0))
    runs = asyncio.Event()

    async def endless(*_: object) -> Any:
        runs.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Loaders, "load", endless)
    contact = '{ contact(id: "con_00000000000000000000000000") { id } }'
    async with connected(app=app) as socket, streamed(client, contact, app=app) as first:
        await socket.init(client.token)
        await runs.wait()
        async with streamed(client, "{ __typename }", app=app) as second:
            assert code_of(await second.rest()) == "TOO_MANY_OPERATIONS"
        refused = await socket.run("a", "{ __typename }")
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "TOO_MANY_OPERATIONS")
        assert code_of(await first.rest()) == "EXECUTION_TIMEOUT"
        refused = await socket.run("a", contact)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "EXECUTION_TIMEOUT")


@on_sqlite
async def test_a_feed_that_loses_its_database_ends_so_that_clients_come_back(
    client: Client, database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = FEED.replace("seq", "seq sentence")
    since = {"filter": {"from": clock.now().isoformat()}}
    fetch = database.fetch
    lost = ""

    async def failing(sql: str, *args: Any) -> list[models.Row]:
        if lost and lost in sql:
            raise OSError("the network is away")
        return await fetch(sql, *args)

    monkeypatch.setattr(database, "fetch", failing)
    monkeypatch.setattr("models.out_of_reach.LASTING_SECONDS", 0.0)
    # As events are looked for, and as one is read: then it was not delivered, and is the first one afterwards.
    for statement in ("FROM event t WHERE t.seq > ?", "FROM event_detail"):
        async with connected() as socket, streamed(client, query, since) as stream:
            await socket.init(client.token)
            await socket.subscribe("a", query, variables=since)
            await client.change("CreateCustomer", input={"name": "Before"})
            delivered = await stream.next()
            assert (await socket.receive())["type"] == "next"
            lost = statement
            # A mutation reads what it wrote, too.
            await client.run('mutation { createCustomer(input: {name: "After"}) { errors { code } } }')
            assert [event["event"] for event in await stream.rest() if event["event"] != "next"] == []
            assert (await socket.closed()).code == 1013
            lost = ""
        async with streamed(client, query, since, last_event_id=delivered["id"]) as stream:
            assert "added customer" in str(await stream.result())


@on_sqlite
async def test_a_stream_ends_with_its_session(client: Client, client_with: ClientWith) -> None:
    somebody = await client_with()
    await somebody.run("mutation { signOut { errors { code } } }")
    async with streamed(somebody, FEED) as stream:
        told, complete = await stream.rest()
        assert [error["extensions"]["code"] for error in json.loads(told["data"])["errors"]] == ["UNAUTHENTICATED"]
        assert complete["event"] == "complete"


@on_sqlite
async def test_comments_keep_a_quiet_stream_open(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEARTBEAT_SECONDS", 0.01)
    async with streamed(client, FEED) as stream:
        for _ in range(3):
            assert await stream.event() == {"": ""}


@on_sqlite
async def test_a_client_has_so_many_streams_and_no_more(client: Client) -> None:
    app = create_app(read_settings(max_sockets=1))
    async with streamed(client, FEED, app=app) as first:
        assert first.status == 200
        async with streamed(client, "{ __typename }", app=app) as second:
            assert second.status == 429
    async with streamed(client, "{ __typename }", app=app) as third:
        assert third.status == 200


@on_sqlite
async def test_only_who_likes_event_streams_best_gets_one(client: Client) -> None:
    for accept, streams in (
        (SSE, True),
        (f"{SSE}, multipart/mixed", True),
        (f"application/json;q=0.5, {SSE};q=0.9", True),
        (f"{SSE}, application/json", False),
        (f"{SSE};q=0.5, application/json;q=0.9", False),
        (f"{SSE};q=0, */*", False),
        ("text/event-streams, */*;q=0.1", False),
        ("*/*", False),
    ):
        async with streamed(client, "{ __typename }", accept=accept) as stream:
            assert (stream.headers["content-type"] == SSE) is streams, accept


@on_sqlite
async def test_a_subscription_is_refused_where_only_one_answer_fits(client: Client) -> None:
    async with streamed(client, FEED, accept="application/json") as stream:
        assert 400 <= stream.status < 500
        body = await stream.to_client.get()
        assert body is not None
        assert "subscription" in json.loads(body)["errors"][0]["message"]
