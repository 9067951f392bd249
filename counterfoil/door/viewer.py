"""Who asks: the one place that finds it in what a request sends, however the request comes."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import Headers

from audit import Actor
from services.viewer import find_viewer


class Viewer(NamedTuple):
    """Who asks. `actor` is None for somebody not signed in; `refused` says that a token came and was no good.

    `token` is the one that was good; `session_id` is None for API keys.
    """

    actor: Actor | None = None
    session_id: str | None = None
    token: str | None = None
    refused: bool = False


async def viewer_of(headers: Headers) -> Viewer:
    """Who sends these headers: found by the bearer token in Authorization (RFC 6750, 2.1)."""
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    if not sent:
        return Viewer()
    token = sent.strip()
    found = await find_viewer(token) if scheme.lower() == "bearer" else None
    if found is None:
        return Viewer(refused=True)
    actor, session_id = found
    return Viewer(actor, session_id, token)
