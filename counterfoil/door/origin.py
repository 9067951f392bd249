"""Which pages may open a WebSocket: browsers send their cookies with it, and ask nobody (RFC 6455, 10.2)."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_PORTS = {"http": 80, "https": 443}


def is_allowed(headers: Headers, origins: Collection[str]) -> bool:
    """Whether the handshake comes from no page, from one of this host's own, or from one of these origins."""
    origin = headers.get("origin")
    if origin is None:
        # Only browsers send it, and theirs always do.
        return True
    if len(headers.getlist("origin")) > 1:
        return False
    return origin in origins or _is_same_host(origin, headers.get("host", ""))


def _is_same_host(origin: str, host: str) -> bool:
    # The scheme is that of the page: a proxy may have taken TLS off, so ours says nothing.
    try:
        page = urlsplit(origin)
        here = urlsplit(f"//{host}")
        default = _PORTS[page.scheme]
        there = (page.hostname, page.port or default)
        return bool(page.hostname) and there == (here.hostname, here.port or default)
    except (KeyError, ValueError):
        return False
