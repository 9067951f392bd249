"""What every HTTP request gets: an id, and a line in the log."""

from __future__ import annotations

import re
import time
from collections.abc import Collection

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.door.address import Network, client_of
from models import download, pdf_link
from models.identifier import new_id

_log = structlog.get_logger("counterfoil.http")

HEADER = "X-Request-Id"
_KEY = "counterfoil.request_id"
# Of the ASGI scope: for how many seconds the answer waited for its turn.
WAITED = "counterfoil.waited"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Of a token as much is no use.
_BEGINS = re.compile(r"/[A-Za-z0-9._-]{0,20}")


def request_id(scope: Scope) -> str:
    """The id of the request: in its response's header, in the log, and in the events that it leaves."""
    return str(scope[_KEY])


def client_address(connection: HTTPConnection, trusted_proxies: Collection[Network]) -> str | None:
    """The client's address. Behind a trusted proxy, the last address in X-Forwarded-For that is not one."""
    direct = connection.client.host if connection.client else None
    # Some proxies add a line of their own below what the client sent.
    return client_of(direct, ",".join(connection.headers.getlist("x-forwarded-for")), trusted_proxies)


class Requests:
    """The ASGI layer around what answers. The id is always our own: it stays in history for ever.

    A well-formed X-Request-Id of the client stands beside it in the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = new_id("req")
        scope[_KEY] = identifier
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        _bind(identifier, Headers(scope=scope).get(HEADER, ""))
        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            # Nobody is left to answer; the number is nginx's for that.
            status = 499
        finally:
            waited = scope.get(WAITED, 0.0)
            milliseconds = round((time.perf_counter() - started - waited) * 1000, 1)
            paced = {"waited_ms": round(waited * 1000, 1)} if waited else {}
            _log.info("request", method=scope["method"], path=_path(scope), status=status, ms=milliseconds, **paced)


def _bind(identifier: str, sent_id: str) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=identifier)
    if _WELL_FORMED.fullmatch(sent_id):
        structlog.contextvars.bind_contextvars(client_request_id=sent_id)


def _path(scope: Scope) -> str:
    """The path as logs may hold it: in those of downloads stand a token and a name."""
    path = str(scope["path"])
    if "endpoint" in scope:
        return next((f"{hidden}…" for hidden in (download.PATH, pdf_link.PATH) if path.startswith(hidden)), path)
    # What leads nowhere may be one of those that somebody has bent: //documents/…, /graphql/../documents/…
    begins = _BEGINS.match(path)
    shown = begins[0] if begins else ""
    return path if path == shown else f"{shown}…"
