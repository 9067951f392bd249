"""What every HTTP request gets: an id, a line in the log, a limit for its body, and an answer to a bug."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.door.pace import Pace
from counterfoil.door.refusing import BodyRefused, Refused, body_too_large, body_too_slow, refusal
from counterfoil.door.uploads import is_upload
from counterfoil.settings import Settings
from models import download, pdf_link
from models.identifier import new_id

_log = structlog.get_logger("counterfoil.http")

HEADER = "X-Request-Id"
_KEY = "counterfoil.request_id"
_READ = "counterfoil.read"
# Each takes time to look through, however short it is.
MOST_HEADERS = 100
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


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

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._pace = Pace(settings.max_refusals)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = new_id("req")
        scope[_KEY] = identifier
        started = time.perf_counter()
        status = 500
        begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                await self._in_turn(scope, status)
                headers = MutableHeaders(scope=message)
                headers[HEADER] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        _bind(identifier, Headers(scope=scope).get(HEADER, ""))
        try:
            check_head(scope, self._settings.max_url, self._settings.max_headers)
            await self._app(scope, self._limited(scope, receive), send_with_id)
        except Refused as refused:
            await refusal(refused)(scope, receive, send_with_id)
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

    async def _in_turn(self, scope: Scope, status: int) -> None:
        if 400 <= status < 500:
            client = client_address(HTTPConnection(scope), self._settings.trusted_proxies)
            await self._pace.kept(client, scope.get(_READ, 0))

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        settings = self._settings
        if is_upload(scope):
            return limited(scope, receive, settings.max_body + settings.max_upload, settings.upload_timeout)
        return limited(scope, receive, settings.max_body, settings.body_timeout)


def _bind(identifier: str, sent_id: str) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=identifier)
    if _WELL_FORMED.fullmatch(sent_id):
        structlog.contextvars.bind_contextvars(client_request_id=sent_id)


def _path(scope: Scope) -> str:
    """The path as logs may hold it: in those of downloads stand a token and a name."""
    path = str(scope["path"])
    return next((f"{hidden}…" for hidden in (download.PATH, pdf_link.PATH) if path.startswith(hidden)), path)


def check_head(scope: Scope, longest_url: int, most: int) -> None:
    """Refused for a URL that is too long (RFC 9110, 15.5.15), or headers that are too large (RFC 6585, 5)."""
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > longest_url:
        raise Refused(
            414, f"The URL is limited to {longest_url:,} bytes: use POST.", "URL_TOO_LONG", Connection="close"
        )
    if len(scope["headers"]) > MOST_HEADERS:
        told = f"A request has at most {MOST_HEADERS} headers."
        raise Refused(431, told, "HEADERS_TOO_LARGE", Connection="close")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > most:
        told = f"The headers are limited to {most:,} bytes."
        raise Refused(431, told, "HEADERS_TOO_LARGE", Connection="close")


def limited(scope: Scope, receive: Receive, most: int, seconds: float) -> Receive:
    """`receive`, raising BodyRefused as soon as the body is known to be longer than `most` bytes, or takes longer.

    It also refuses a body that is not as long as its Content-Length says.
    """
    announced = Headers(scope=scope).get("content-length")
    received = 0
    ended = False
    until: float | None = None

    async def receive_limited() -> Message:
        nonlocal received, ended, until
        if ended:
            # What comes now says that the client has hung up: nothing limits when.
            return await receive()
        if announced is not None and (not announced.isascii() or not announced.isdecimal()):
            raise BodyRefused(400, "Content-Length must be a number.", Connection="close")
        if announced is not None and int(announced) > most:
            raise body_too_large(most)
        until = until or asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise body_too_slow(seconds) from None
        received += len(message.get("body", b""))
        scope[_READ] = received
        if received > most:
            raise body_too_large(most)
        ended = message["type"] == "http.request" and not message.get("more_body", False)
        if ended and announced is not None and int(announced) != received:
            raise BodyRefused(400, "The body is not as long as Content-Length says.", Connection="close")
        return message

    return receive_limited
