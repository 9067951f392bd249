"""Origins: as they are written, and which pages may open a WebSocket.

Browsers send their cookies with it, and ask nobody (RFC 6455, 10.2).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII)


def as_browsers_send_it(origin: str) -> str:
    """The origin as a browser has it in its header (RFC 6454, 6.2): in small letters, without a port that goes without
    saying. ValueError for what no browser sends.
    """
    found = _ORIGIN.fullmatch(origin.lower())
    try:
        if found is None:
            raise ValueError(origin)
        scheme, host, port = found[1], found[2], int(found[3] or _PORTS[found[1]])
        if host.startswith("["):
            host = f"[{IPv6Address(host[1:-1])}]"
        if not 0 < port < 2**16:
            raise ValueError(port)
    except ValueError:
        told = "Write origins such as https://desk.example.com, parted by commas: no paths, users or wildcards."
        raise ValueError(f"{told} Names in other letters stand as browsers send them: https://xn--…") from None
    return f"{scheme}://{host}" if port == _PORTS[scheme] else f"{scheme}://{host}:{port}"


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
