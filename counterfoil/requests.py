"""What every HTTP request gets: an id, a line in the log, a limit for its body, and an answer to a bug."""

from __future__ import annotations

import re
import time
from collections.abc import Collection

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.uploads import is_upload
from models import download, pdf_link
from models.identifier import new_id

_log = structlog.get_logger("counterfoil.http")

HEADER = "X-Request-Id"
_KEY = "counterfoil.request_id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class BodyTooLarge(Exception):
    """The request's body is longer than allowed."""


def request_id(scope: Scope) -> str:
    """The id of the request: in its response's header, in the log, and in the events that it leaves."""
    return str(scope[_KEY])


def client_address(connection: HTTPConnection, trusted_proxies: Collection[str]) -> str | None:
    """The client's address. Behind a trusted proxy, the last address in X-Forwarded-For that is not one."""
    direct = connection.client.host if connection.client else None
    if direct is None or direct not in trusted_proxies:
        return direct
    # Some proxies add a line of their own below what the client sent.
    lines = ",".join(connection.headers.getlist("x-forwarded-for"))
    forwarded = [part.strip() for part in lines.split(",") if part.strip()]
    return next((address for address in reversed(forwarded) if address not in trusted_proxies), direct)


class Requests:
    """The outermost ASGI layer. The id is always our own: it stays in history for ever.

    A well-formed X-Request-Id of the client stands beside it in the log.
    """

    def __init__(self, app: ASGIApp, *, max_body: int, max_upload: int = 0) -> None:
        self._app = app
        self._max_body = max_body
        self._max_form = max_body + max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent_id = Headers(scope=scope).get(HEADER, "")
        identifier = new_id("req")
        scope[_KEY] = identifier
        started = time.perf_counter()
        status = 500
        begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = MutableHeaders(scope=message)
                headers[HEADER] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=identifier)
        if _WELL_FORMED.fullmatch(sent_id):
            structlog.contextvars.bind_contextvars(client_request_id=sent_id)
        try:
            most = self._max_form if is_upload(scope) else self._max_body
            await self._app(scope, limited(scope, receive, most), send_with_id)
        except ClientDisconnect:
            # Nobody is left to answer; the number is nginx's for that.
            status = 499
        except Exception:
            _log.exception("bug")
            if not begun:
                message = "Something went wrong here. Tell whoever runs this server the request's ID."
                extensions = {"code": "INTERNAL_ERROR", "requestId": identifier}
                await JSONResponse({"errors": [{"message": message, "extensions": extensions}]}, 500)(
                    scope, receive, send_with_id
                )
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            _log.info("request", method=scope["method"], path=_path(scope), status=status, ms=milliseconds)


def _path(scope: Scope) -> str:
    """The path as logs may hold it: in those of downloads stand a token and a name."""
    path = str(scope["path"])
    return next((f"{hidden}…" for hidden in (download.PATH, pdf_link.PATH) if path.startswith(hidden)), path)


def limited(scope: Scope, receive: Receive, most: int) -> Receive:
    """`receive`, raising BodyTooLarge as soon as the body is known to be longer than `most` bytes."""
    announced = Headers(scope=scope).get("content-length", "")
    too_large = f"The request's body is limited to {most:,} bytes."
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        if announced.isdecimal() and int(announced) > most:
            raise BodyTooLarge(too_large)
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise BodyTooLarge(too_large)
        return message

    return receive_limited
