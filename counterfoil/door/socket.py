"""One WebSocket with the subprotocol graphql-transport-ws: its messages, and the operations that run in it.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md; section names below are its message types.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from enum import IntEnum
from typing import Any, NoReturn, cast

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.websockets import WebSocket, WebSocketDisconnect

from audit import Request
from counterfoil.door.admission import ENDED
from counterfoil.door.decoding import NULL, holds_null, parsed
from counterfoil.door.errors import MASKED
from counterfoil.door.operation import Operations
from counterfoil.door.parameters import Parameters, checked
from counterfoil.door.refusing import Refused
from counterfoil.door.taking import while_taken
from counterfoil.door.transport import TAKEN
from counterfoil.door.viewer import viewer_of
from models.identifier import new_id
from schema.context import Context

_log = structlog.get_logger("counterfoil.socket")

# Seconds: for connection_init; for the client to take anything of what was sent before; without any operation.
INIT_SECONDS = 5.0
SLOW_SECONDS = 15.0
IDLE_SECONDS = 900.0
MAX_OPERATIONS = 20
LONGEST_ID = 128


class Code(IntEnum):
    """Why a socket is closed: the codes of the protocol, and from 4470 on our own."""

    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429
    INTERNAL_ERROR = 4500
    TOO_SLOW = 4470
    IDLE = 4471
    TOO_MANY_SOCKETS = 4472


class Closing(Exception):
    """The socket is to be closed with this code and reason."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # RFC 6455, 5.5: at most 125 bytes, two of which are the code.
        self.reason = reason.encode("utf-8", "replace")[:123].decode(errors="ignore")


class Gone(Exception):
    """The client has closed the socket, or the connection broke."""


class Connection:
    """An accepted socket."""

    def __init__(self, socket: WebSocket, operations: Operations, address: str | None, cookie: str | None) -> None:
        self._socket = socket
        self._runs = operations
        self._address = address
        self._headers = socket.headers
        self._cookie = cookie
        self._acknowledged = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._taken: Callable[[], int] = socket.scope.get("extensions", {}).get(TAKEN, {}).get("bytes", lambda: 0)

    async def run(self) -> Closing | None:
        """Serve it to its end; why it is to be closed, or None when the client is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._read(tasks)
        except ExceptionGroup as raised:
            if raised.subgroup(Gone) is not None:
                return None
            closings = raised.subgroup(Closing)
            if closings is None:
                raise
            return cast(Closing, closings.exceptions[0])

    async def _read(self, tasks: asyncio.TaskGroup) -> NoReturn:
        until = asyncio.get_running_loop().time() + INIT_SECONDS
        while True:
            text = await self._next(until)
            message = _message(text)
            match message["type"]:
                case "connection_init":
                    await self._init(message)
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "subscribe":
                    await self._subscribe(message, tasks, null=holds_null(text))
                case "complete":
                    self._complete(message)
                case _:
                    raise Closing(Code.BAD_REQUEST, "Unknown message type")

    async def _next(self, init_until: float) -> str:
        """The next message."""
        received = await self._received(init_until)
        if received["type"] == "websocket.disconnect":
            raise Gone
        text = received.get("text")
        if text is None:
            raise Closing(Code.BAD_REQUEST, "Messages are text")
        return str(text)

    async def _received(self, init_until: float) -> Mapping[str, Any]:
        loop = asyncio.get_running_loop()
        while True:
            until = loop.time() + IDLE_SECONDS if self._acknowledged else init_until
            try:
                async with asyncio.timeout_at(until):
                    return await self._socket.receive()
            except TimeoutError:
                if not self._acknowledged:
                    raise Closing(Code.INIT_TIMEOUT, "Connection initialisation timeout") from None
                if not self._operations:
                    raise Closing(Code.IDLE, "No operation for a long time") from None

    async def _init(self, message: Mapping[str, Any]) -> None:
        """ConnectionInit. Who asks is told by `Authorization` in the payload, else by the handshake's headers."""
        if self._acknowledged:
            raise Closing(Code.TOO_MANY_INITS, "Too many initialisation requests")
        self._headers = _with_authorization(self._headers, message.get("payload") or {})
        if (await viewer_of(self._headers, self._cookie)).actor is None:
            raise Closing(Code.FORBIDDEN, "Forbidden")
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: Mapping[str, Any], tasks: asyncio.TaskGroup, *, null: bool) -> None:
        """Subscribe. A message with a `null` character is one, but no database takes it: this operation is refused."""
        if not self._acknowledged:
            raise Closing(Code.UNAUTHORIZED, "Unauthorized")
        identifier = _identifier(message)
        try:
            asked = checked(message.get("payload"), "")
        except Refused as refused:
            raise Closing(Code.BAD_REQUEST, str(refused)) from None
        if identifier in self._operations:
            raise Closing(Code.SUBSCRIBER_EXISTS, f"Subscriber for {identifier} already exists")
        if null:
            await self._refuse(identifier, [{"message": NULL, "extensions": {"code": "BAD_REQUEST"}}])
            return
        if len(self._operations) >= MAX_OPERATIONS:
            told = f"A socket runs {MAX_OPERATIONS} operations at once: complete others first."
            await self._refuse(identifier, [{"message": told, "extensions": {"code": "LIMIT_EXCEEDED"}}])
            return
        self._operations[identifier] = tasks.create_task(self._run(identifier, asked))

    def _complete(self, message: Mapping[str, Any]) -> None:
        """Complete, from the client. The operation may have completed at the same moment."""
        running = self._operations.pop(_identifier(message), None)
        if running is not None:
            running.cancel()

    async def _run(self, identifier: str, asked: Parameters) -> None:
        """Next, Error and Complete."""
        request = Request(new_id("req"), self._address)
        structlog.contextvars.bind_contextvars(request_id=request.id)
        try:
            viewer = await viewer_of(self._headers, self._cookie)
            if viewer.actor is None:
                raise Closing(Code.UNAUTHORIZED, ENDED)
            context = Context(request, viewer.actor, viewer.session_id, token=viewer.token)
            async with aclosing(self._runs.answers(asked, context)) as results:
                async for answer in results:
                    if answer.signed_out:
                        raise Closing(Code.UNAUTHORIZED, ENDED)
                    if answer.refused:
                        await self._refuse(identifier, answer.body["errors"])
                        return
                    await self._send({"id": identifier, "type": "next", "payload": answer.body})
        except (Closing, Gone):
            raise
        except Exception:
            _log.exception("bug")
            masked = {"message": MASKED, "extensions": {"code": "INTERNAL_ERROR", "requestId": request.id}}
            await self._refuse(identifier, [masked])
        else:
            # Free for another operation as soon as the client can know that this one is over.
            del self._operations[identifier]
            await self._send({"id": identifier, "type": "complete"})

    async def _refuse(self, identifier: str, errors: list[object] | None) -> None:
        if self._operations.get(identifier) is asyncio.current_task():
            del self._operations[identifier]
        await self._send({"id": identifier, "type": "error", "payload": errors})

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Send one message. Nothing is queued: who takes none of what was sent before for some time is too slow.

        A client that takes it bit by bit may need any time for the whole. Waiting for the turn has no limit of its own:
        who has it has one.
        """
        text = orjson.dumps(message).decode()
        try:
            async with self._turn, while_taken(self._taken, SLOW_SECONDS):
                await self._socket.send({"type": "websocket.send", "text": text})
        except TimeoutError:
            told = "Too slow: go on after the cursor of the last event that you received"
            raise Closing(Code.TOO_SLOW, told) from None
        except (WebSocketDisconnect, RuntimeError):
            # The connection is gone, or the server is closing it.
            raise Gone from None


def _message(text: str) -> Mapping[str, Any]:
    """A message: an object with a `type` and at most an object as payload ("Invalid message")."""
    try:
        message = parsed(text)
    except Refused as refused:
        raise Closing(Code.BAD_REQUEST, str(refused)) from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closing(Code.BAD_REQUEST, "Messages are JSON objects with a type")
    if not isinstance(message.get("payload"), dict | None):
        raise Closing(Code.BAD_REQUEST, "A payload is a JSON object")
    return message


def _identifier(message: Mapping[str, Any]) -> str:
    identifier = message.get("id")
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= LONGEST_ID:
        raise Closing(Code.BAD_REQUEST, f"An id is a string of 1 to {LONGEST_ID} characters")
    return identifier


def _with_authorization(headers: Headers, payload: Mapping[str, Any]) -> Headers:
    """The headers with `Authorization` from the payload, which browsers cannot send with a WebSocket."""
    found = [value for name, value in payload.items() if name.lower() == "authorization" and isinstance(value, str)]
    if not found:
        return headers
    others = [(name, value) for name, value in headers.raw if name != b"authorization"]
    # JSON holds what no header could: it becomes a token that nobody has.
    return Headers(raw=[*others, (b"authorization", found[0].encode())])
