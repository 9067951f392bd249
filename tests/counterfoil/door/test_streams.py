"""GraphQL over SSE, distinct connections mode: framing, and how a stream begins, goes on and ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from audit.tail import tail
from counterfoil.app import create_app
from counterfoil.door import stream as door
from counterfoil.settings import read_settings
from models import clock
from tests.client import Client, ClientWith, default_app
from tests.counterfoil.door.socket import PATIENCE

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
    **more: str,
) -> AsyncIterator[Stream]:
    """A request for a stream; the client goes away afterwards."""
    sent = {"query": query, "variables": variables or {}}
    headers = {"accept": SSE, "authorization": f"Bearer {client.token}", "host": "counterfoil.test", **more}
    body = json.dumps(sent).encode() if method == "POST" else b""
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
        assert (await stream.result())["data"]["historyFeed"]["event"]["seq"] == told["event"]["seq"] + 1
    assert tail().followers == 0


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
