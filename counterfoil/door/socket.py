"""One WebSocket with the subprotocol graphql-transport-ws: its messages, and the operations that run in it.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md; section names below are its message types.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, NoReturn

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from audit import Request
from counterfoil.door.closing import Closing, Code, Gone, why
from counterfoil.door.context import reason_in
from counterfoil.door.decoding import NULL, holds_null
from counterfoil.door.documents import ENDED
from counterfoil.door.errors import MASKED
from counterfoil.door.messages import identifier_of, message_of, with_authorization
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
LOST = "The database does not answer: try again later, after the last cursor"


class _Stopping(Exception):
    """The server stops, as SocketProtocol says."""


class _Running(NamedTuple):
    """An operation. `following` is set when it turns out to have no end. It begins at a time of the loop's clock."""

    task: asyncio.Task[None]
    following: asyncio.Event
    begins: float

    async def over(self) -> None:
        """Wait until it has ended, or is known to have no end."""
        follows = asyncio.create_task(self.following.wait())
        try:
            await asyncio.wait({self.task, follows}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            follows.cancel()


class Connection:
    """An accepted socket."""

    def __init__(self, socket: WebSocket, operations: Operations, address: str | None, cookie: str | None) -> None:
        self._socket = socket
        self._runs = operations
        self._address = address
        self._headers = socket.headers
        self._cookie = cookie
        self._acknowledged = False
        self._operations: dict[str, _Running] = {}
        # On the loop's clock: operations read from now on begin then, since refusals took the turns before.
        self._owed = 0.0
        self._turn = asyncio.Lock()
        self._taken: Callable[[], int] = socket.scope.get("extensions", {}).get(TAKEN, {}).get("bytes", lambda: 0)

    async def run(self) -> Closing | None:
        """Serve it to its end; why it is to be closed, or None when the client is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._read(tasks)
                except _Stopping:
                    now = asyncio.get_running_loop().time()
                    for running in self._operations.values():
                        if running.begins > now:
                            running.task.cancel()
                    await asyncio.gather(*(running.over() for running in self._operations.values()))
                    raise Closing(Code.RESTART, "The server stops: connect again") from None
        except ExceptionGroup as raised:
            if raised.subgroup((Gone, Closing)) is None:
                raise
            return why(raised)

    async def _read(self, tasks: asyncio.TaskGroup) -> NoReturn:
        until = asyncio.get_running_loop().time() + INIT_SECONDS
        while True:
            text = await self._next(until)
            message = message_of(text)
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
            raise _Stopping if received.get("code") == Code.RESTART else Gone
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
        self._headers = with_authorization(self._headers, message.get("payload") or {})
        if (await viewer_of(self._headers, self._cookie)).actor is None:
            raise Closing(Code.FORBIDDEN, "Forbidden")
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: Mapping[str, Any], tasks: asyncio.TaskGroup, *, null: bool) -> None:
        """Subscribe. A message with a `null` character is one, but no database takes it: this operation is refused.

        After refusals an operation waits before it does anything. That one is refused costs as much as that one runs,
        and the client can complete it at any time: so the debt is the socket's.
        """
        if not self._acknowledged:
            raise Closing(Code.UNAUTHORIZED, "Unauthorized")
        identifier = identifier_of(message)
        try:
            asked = checked(message.get("payload"), "")
        except Refused as refused:
            raise Closing(Code.BAD_REQUEST, str(refused)) from None
        if identifier in self._operations:
            raise Closing(Code.SUBSCRIBER_EXISTS, f"Subscriber for {identifier} already exists")
        if len(self._operations) >= MAX_OPERATIONS:
            # It has no place to wait in: what comes behind it waits, too.
            await _until(self._owed)
            told = f"A socket runs {MAX_OPERATIONS} operations at once: complete others first."
            await self._refuse(identifier, [{"message": told, "extensions": {"code": "LIMIT_EXCEEDED"}}], asked)
            return
        following = asyncio.Event()
        task = tasks.create_task(self._run(identifier, asked, following, self._owed, null=null))
        self._operations[identifier] = _Running(task, following, self._owed)

    def _complete(self, message: Mapping[str, Any]) -> None:
        """Complete, from the client. The operation may have completed at the same moment."""
        running = self._operations.pop(identifier_of(message), None)
        if running is not None:
            running.task.cancel()

    async def _run(
        self, identifier: str, asked: Parameters, following: asyncio.Event, begins: float, *, null: bool
    ) -> None:
        """Next, Error and Complete."""
        await _until(begins)
        request = Request(new_id("req"), self._address)
        structlog.contextvars.bind_contextvars(request_id=request.id)
        try:
            if null:
                raise Refused(HTTPStatus.BAD_REQUEST, NULL)
            request = replace(request, reason=reason_in(asked.extensions))
            viewer = await viewer_of(self._headers, self._cookie)
            if viewer.actor is None:
                raise Closing(Code.UNAUTHORIZED, ENDED)
            context = Context(request, viewer.actor, viewer.session_id, token=viewer.token, following=following)
            async with aclosing(self._runs.unpaced(asked, context)) as results:
                async for answer in results:
                    if answer.signed_out:
                        raise Closing(Code.UNAUTHORIZED, ENDED)
                    if answer.lost:
                        raise Closing(Code.TRY_AGAIN_LATER, LOST)
                    if answer.refused:
                        await self._refuse(identifier, answer.body["errors"], None if following.is_set() else asked)
                        return
                    await self._send({"id": identifier, "type": "next", "payload": answer.body})
        except (Closing, Gone):
            raise
        except Refused as refused:
            await self._refuse(identifier, [{"message": str(refused), "extensions": {"code": refused.code}}], asked)
        except Exception:
            _log.exception("bug")
            masked = {"message": MASKED, "extensions": {"code": "INTERNAL_ERROR", "requestId": request.id}}
            await self._refuse(identifier, [masked], None)
        else:
            # Free for another operation as soon as the client can know that this one is over.
            del self._operations[identifier]
            await self._send({"id": identifier, "type": "complete"})

    async def _refuse(self, identifier: str, errors: list[object] | None, asked: Parameters | None) -> None:
        """Error. For what was `asked` in vain the next operations wait; a feed that ends with one was not in vain."""
        if asked is not None:
            now = asyncio.get_running_loop().time()
            self._owed = max(self._owed, now + self._runs.owed(self._address, asked))
        running = self._operations.get(identifier)
        if running is not None and running.task is asyncio.current_task():
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


async def _until(time: float) -> None:
    """Wait until this time of the loop's clock."""
    if (seconds := time - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(seconds)
