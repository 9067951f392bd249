"""A client that speaks graphql-transport-ws to the application in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from tests.client import default_app

# Far longer than anything here takes: only what is broken waits so long.
PATIENCE = 60
PROTOCOL = "graphql-transport-ws"


class Closed(Exception):
    """The server has closed the socket. `code` is None when it answered the handshake with 403."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Socket:
    """One socket. `reads` can be cleared to take nothing any more; `breaks` are messages that fail to be sent."""

    def __init__(self) -> None:
        self.subprotocol: str | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self.breaks: dict[str, Exception] = {}
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.to_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, message: Any) -> None:
        """Send a message: an object as JSON, a text as it is, or bytes."""
        if isinstance(message, bytes):
            await self.to_server.put({"type": "websocket.receive", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            await self.to_server.put({"type": "websocket.receive", "text": text})

    async def receive(self) -> dict[str, Any]:
        """The next message. Closed."""
        async with asyncio.timeout(PATIENCE):
            sent = await self.to_client.get()
        if sent["type"] == "websocket.close":
            await self.to_client.put(sent)
            raise Closed(sent["code"] if self.subprotocol is not None else None, sent.get("reason") or "")
        message: dict[str, Any] = json.loads(sent["text"])
        return message

    async def closed(self) -> Closed:
        """Why the server closes it, whatever it sends before."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return closed

    async def init(self, token: str | None = None) -> dict[str, Any]:
        """Initialise the connection; the answer."""
        payload = {"payload": {"Authorization": f"Bearer {token}"}} if token else {}
        await self.send({"type": "connection_init", **payload})
        return await self.receive()

    async def subscribe(self, identifier: str, query: str, **payload: Any) -> None:
        """Begin an operation."""
        await self.send({"id": identifier, "type": "subscribe", "payload": {"query": query, **payload}})

    async def run(self, identifier: str, query: str, **payload: Any) -> dict[str, Any]:
        """The first answer of an operation."""
        await self.subscribe(identifier, query, **payload)
        return await self.receive()

    async def accept(self, message: Any) -> None:
        """The server's way to send."""
        await self.reads.wait()
        if error := self.breaks.get(message["type"]):
            raise error
        if message["type"] == "websocket.accept":
            self.subprotocol = message["subprotocol"] or ""
        else:
            await self.to_client.put(message)


@asynccontextmanager
async def connected(
    *subprotocols: str, app: Starlette | None = None, host: str = "counterfoil.test", **headers: str
) -> AsyncIterator[Socket]:
    """A socket, closed by the client afterwards. Without subprotocols it offers graphql-transport-ws."""
    socket = Socket()
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "scheme": "ws",
        "headers": [(name.encode(), value.encode()) for name, value in {"host": host, **headers}.items()],
        "subprotocols": list(subprotocols) or [PROTOCOL],
        "client": ("192.0.2.7", 4711),
        "server": (host, 80),
        "state": {},
    }
    await socket.to_server.put({"type": "websocket.connect"})
    running = asyncio.create_task((app or default_app())(scope, socket.to_server.get, socket.accept))
    try:
        yield socket
    finally:
        socket.reads.set()
        await socket.to_server.put({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(PATIENCE):
            await running
