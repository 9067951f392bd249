"""GraphQL over Server-Sent Events, distinct connections mode: the results of one operation as an event stream.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, and the event stream format of the HTML standard
(9.2.5). Each event of a feed has its cursor as `id`, so that an EventSource goes on after it by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing
from types import MappingProxyType

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.graphql import OperationType

from counterfoil.door.ending import Ending
from counterfoil.door.operation import ANY, Answer, Operations
from counterfoil.door.parameters import Parameters
from counterfoil.door.places import Places
from schema.context import Context

# Seconds between two comments that keep the connection open. Who takes none of what is sent: see `door.transport`.
HEARTBEAT_SECONDS = 15.0
EVENT_STREAM = "text/event-stream"
_HEADERS: Mapping[str, str] = MappingProxyType(
    {"content-type": EVENT_STREAM, "vary": "Accept", "x-accel-buffering": "no"}
)
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class _Over(Exception):
    """All is sent, or the server stops."""


class Streams:
    """What answers with event streams."""

    def __init__(self, operations: Operations, places: Places, ending: Ending) -> None:
        self._operations = operations
        self._places = places
        self._ending = ending

    def answer(self, request: Request, asked: Parameters, context: Context) -> Response:
        """The results of an operation, also the errors of its document. Refused when the client has too many open."""
        if request.method == "HEAD":
            # RFC 9110, 9.3.2: as a GET is answered, whose head says nothing of the results.
            with self._places.take(context.request.client_address):
                return _head()
        context.last_event_id = request.headers.get("last-event-id")
        allowed = ANY if request.method == "POST" else ANY - {OperationType.MUTATION}
        place = self._places.take(context.request.client_address)
        answers = self._operations.answers(asked, context, allowed)
        return EventStream(answers, context.following, self._ending, place)


def _head() -> Response:
    head = Response(headers=_HEADERS)
    # Nobody knows how long the stream would be.
    del head.headers["content-length"]
    return head


class EventStream(Response):
    """The answers as events: `next` for each, then `complete`.

    What has no end ends without `complete` when the server stops, or has lost its database: the client comes back.
    """

    media_type = None

    def __init__(
        self,
        answers: AsyncGenerator[Answer, None],
        following: asyncio.Event,
        ending: Ending,
        place: AbstractContextManager[object],
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._answers = answers
        self._following = following
        self._ending = ending
        self._place = place
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to the end. ClientDisconnect when the client does not take it, or is gone."""
        with self._place:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            gone = False
            try:
                async with asyncio.TaskGroup() as others:
                    others.create_task(self._beat(send))
                    others.create_task(self._until_stopped())
                    others.create_task(_until_gone(receive))
                    await self._write(send)
                    raise _Over
            except* ClientDisconnect:
                gone = True
            except* _Over:
                pass
            if gone:
                raise ClientDisconnect
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send) -> None:
        async with aclosing(self._answers) as answers:
            async for answer in answers:
                if answer.lost:
                    return
                identifier = f"id: {answer.cursor}\n".encode() if answer.cursor is not None else b""
                # JSON as orjson writes it has no line breaks.
                await self._send(send, b"event: next\n%sdata: %s\n\n" % (identifier, orjson.dumps(answer.body)))
        await self._send(send, _COMPLETE)

    async def _beat(self, send: Send) -> None:
        while True:
            await self._send(send, _COMMENT)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _until_stopped(self) -> None:
        await self._ending.announced()
        # Queries and mutations end by themselves.
        await self._following.wait()
        raise _Over

    async def _send(self, send: Send, frame: bytes) -> None:
        try:
            async with self._turn:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        except OSError:
            raise ClientDisconnect from None


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect
