"""Who comes with an address that was signed for them, and may still have what it grants."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, TypeVar

from starlette.requests import Request as HTTPRequest
from starlette.responses import PlainTextResponse, Response

from audit import Actor, Request
from counterfoil.door.address import Network
from counterfoil.door.requests import client_address, request_id
from models import Permission, signed_link, signing_key
from services.throttling import record_refusal
from services.viewer import find_grantee


class Granted(Protocol):
    """What an address grants, and to whom: the id of a session or an API key."""

    @property
    def grantee_id(self) -> str:
        """The session or the API key."""
        ...


Link = TypeVar("Link", bound=Granted)


class Turned(Exception):
    """The request gets this answer and no other."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> Response:
        """The answer."""
        return refusal(self.status, str(self))


async def granted(request: HTTPRequest, read: Callable[[str, str], Link | None]) -> tuple[Link, Actor]:
    """What the token in the path grants, as `read` tells, and to whom.

    Turned 404 for an address that is not ours, 410 for one that is too old, 403 when its session or key has ended.
    """
    [secret] = await signing_key.by_names([signing_key.DOWNLOADS])
    try:
        link = read(request.path_params["token"], secret)
    except signed_link.Expired:
        raise Turned(410, "This address is too old. Ask for a new one.") from None
    if link is None:
        raise Turned(404, "There is nothing at this address.")
    viewer = await find_grantee(link.grantee_id)
    if viewer is None:
        raise Turned(403, "Whoever asked for this address is not signed in any more. Ask for a new one.")
    return link, viewer


async def demand(request: HTTPRequest, viewer: Actor, needed: Permission, trusted_proxies: Collection[Network]) -> None:
    """Turned 403 unless the viewer has the permission today; the refusal is recorded."""
    if viewer.may(needed):
        return
    sent = Request(request_id(request.scope), client_address(request, trusted_proxies))
    await record_refusal(viewer, sent, f"Downloading needs the permission {needed.value}.")
    raise Turned(403, f"This needs the permission {needed.value}.")


def refusal(status: int, message: str, **headers: str) -> Response:
    """An answer in plain text."""
    return PlainTextResponse(message + "\n", status, {name.replace("_", "-"): value for name, value in headers.items()})
