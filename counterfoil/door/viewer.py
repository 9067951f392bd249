"""Who asks: the one place that finds it in what a request sends, however the request comes."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import Headers

from audit import Actor
from services.viewer import find_viewer

# RFC 6750, 3: the scheme has at least one parameter.
_REALM = 'Bearer realm="Counterfoil"'


class Viewer(NamedTuple):
    """Who asks. `actor` is None for somebody not signed in; `refused` says that a token came and was no good.

    `token` is the one that was good; `session_id` is None for API keys. `by_cookie`: the token came in a cookie.
    """

    actor: Actor | None = None
    session_id: str | None = None
    token: str | None = None
    refused: bool = False
    by_cookie: bool = False


async def viewer_of(headers: Headers, cookie: str | None = None) -> Viewer:
    """Who sends these headers: found by the bearer token in Authorization (RFC 6750, 2.1), else by that in a `cookie`.

    Cookies.token_of says whether a cookie counts.
    """
    bearer = bearer_of(headers)
    if bearer is not None:
        return await _viewer(bearer, by_cookie=False)
    if cookie is not None:
        return await _viewer(cookie, by_cookie=True)
    return Viewer()


def bearer_of(headers: Headers) -> str | None:
    """The bearer token in Authorization. None without one: other schemes are a proxy's affair (RFC 9110, 11.6.2)."""
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    return sent.strip() or None if scheme.lower() == "bearer" else None


def challenge(headers: Headers) -> str:
    """What WWW-Authenticate says beside 401 to whoever sent these headers (RFC 9110, 11.6.1; RFC 6750, 3)."""
    return _REALM if bearer_of(headers) is None else f'{_REALM}, error="invalid_token"'


async def _viewer(token: str, *, by_cookie: bool) -> Viewer:
    found = await find_viewer(token)
    if found is None:
        return Viewer(refused=True, by_cookie=by_cookie)
    actor, session_id = found
    return Viewer(actor, session_id, token, by_cookie=by_cookie)
