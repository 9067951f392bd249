"""What stands before every answer over HTTP: limits for the request's head and its body, and an answer to a bug."""

from __future__ import annotations

import asyncio

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.door.errors import MASKED
from counterfoil.door.pace import READ, Pace
from counterfoil.door.refusing import BodyRefused, Refused, body_too_large, body_too_slow, error_response, refusal
from counterfoil.door.requests import WAITED, client_address, request_id
from counterfoil.door.uploads import is_upload
from counterfoil.settings import Settings

_log = structlog.get_logger("counterfoil.http")

# Each takes time to look through, however short it is.
MOST_HEADERS = 100


class Guard:
    """The ASGI layer inside `Requests`, which has given the request its id."""

    def __init__(self, app: ASGIApp, settings: Settings, pace: Pace) -> None:
        self._app = app
        self._settings = settings
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, if its head may pass, and answer when that fails. ClientDisconnect."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                await self._in_turn(scope, message["status"])
            await send(message)

        try:
            check_head(scope, self._settings.max_url, self._settings.max_headers)
            await self._app(scope, self._limited(scope, receive), send_on)
        except Refused as refused:
            await refusal(refused)(scope, receive, send_on)
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("bug")
            if not begun:
                extensions = {"code": "INTERNAL_ERROR", "requestId": request_id(scope)}
                await error_response(500, MASKED, extensions)(scope, receive, send)

    async def _in_turn(self, scope: Scope, status: int) -> None:
        if 400 <= status < 500:
            client = client_address(HTTPConnection(scope), self._settings.trusted_proxies)
            scope[WAITED] = await self._pace.kept(client, scope.get(READ, 0) + len(scope.get("query_string") or b""))

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        settings = self._settings
        if is_upload(scope):
            return limited(scope, receive, settings.max_body + settings.max_upload, settings.upload_timeout)
        return limited(scope, receive, settings.max_body, settings.body_timeout)


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
        scope[READ] = received
        if received > most:
            raise body_too_large(most)
        ended = message["type"] == "http.request" and not message.get("more_body", False)
        if ended and announced is not None and int(announced) != received:
            raise BodyRefused(400, "The body is not as long as Content-Length says.", Connection="close")
        return message

    return receive_limited
