"""The endpoint for WebSockets: who may open one, and how it ends."""

from __future__ import annotations

import time
from contextlib import suppress

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from counterfoil.door.closing import Closing, Code
from counterfoil.door.cookies import Cookies
from counterfoil.door.guard import check_head
from counterfoil.door.operation import Operations
from counterfoil.door.origin import is_allowed
from counterfoil.door.places import Places
from counterfoil.door.refusing import Refused, refusal
from counterfoil.door.requests import client_address
from counterfoil.door.socket import Connection
from counterfoil.settings import Settings

_log = structlog.get_logger("counterfoil.socket")

SUBPROTOCOL = "graphql-transport-ws"
# What browsers and people read when no code of the protocol says more (RFC 6455, 7.4.1).
_POLICY_VIOLATION = 1008


class Sockets:
    """GraphQL over WebSockets with graphql-transport-ws. The older subprotocol `graphql-ws` is not spoken."""

    def __init__(self, operations: Operations, places: Places, cookies: Cookies, settings: Settings) -> None:
        self._operations = operations
        self._places = places
        self._cookies = cookies
        self._settings = settings

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket to its end."""
        structlog.contextvars.clear_contextvars()
        try:
            check_head(socket.scope, self._settings.max_url, self._settings.max_headers)
        except Refused as refused:
            # Servers without that extension are not ours: they answer with 403.
            if "websocket.http.response" in socket.scope.get("extensions", {}):
                await socket.send_denial_response(refusal(refused))
            else:
                await socket.close(_POLICY_VIOLATION)
            return
        try:
            cookie = self._cookie(socket)
        except Refused:
            _log.info("origin refused")
            # Before it is accepted, this answers the handshake with 403.
            await socket.close(_POLICY_VIOLATION)
            return
        address = client_address(socket, self._settings.trusted_proxies)
        spoken = SUBPROTOCOL in socket.scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if spoken else None)
        started = time.monotonic()
        if spoken:
            closing = await self._run(socket, address, cookie)
        else:
            closing = Closing(Code.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        if closing is not None:
            # Who has hung up meanwhile, or is just told something else by the server, cannot be told.
            with suppress(WebSocketDisconnect, RuntimeError):
                await socket.close(closing.code, closing.reason)
        code = int(closing.code) if closing is not None else None
        _log.info("socket", code=code, seconds=round(time.monotonic() - started, 1))

    def _cookie(self, socket: WebSocket) -> str | None:
        if not is_allowed(socket.headers, self._settings.cors_origins):
            raise Refused(403, "Pages of this origin may not call the API.")
        return self._cookies.token_of(socket)

    async def _run(self, socket: WebSocket, address: str | None, cookie: str | None) -> Closing | None:
        try:
            with self._places.take(address):
                return await Connection(socket, self._operations, address, cookie).run()
        except Refused as full:
            return Closing(Code.TOO_MANY_SOCKETS, str(full))
        except Exception:
            _log.exception("bug")
            return Closing(Code.INTERNAL_ERROR, "Internal server error")
