"""Headers on every answer that tell browsers what its page may do, and what others may do with it: mostly nothing."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What is not a page needs nothing; GraphiQL and documents have policies of their own.
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    # CORS goes its own way: this is about what pages embed without asking.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_YEAR = 365 * 24 * 3600


class SecurityHeaders:
    """The outermost ASGI layer: nothing is answered without these headers."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        # RFC 6797, 7.2: without TLS browsers must not be told.
        self._headers = {**_HEADERS, **({"Strict-Transport-Security": f"max-age={_YEAR}"} if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the headers that the answer does not have yet."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
