"""What resolvers are told of a request, made from its headers and its body."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request as HTTPRequest

from audit import Request
from counterfoil.door.address import Network
from counterfoil.door.cookies import Cookies
from counterfoil.door.documents import ENDED, SIGN_IN
from counterfoil.door.refusing import Refused
from counterfoil.door.requests import client_address, request_id
from counterfoil.door.uploads import check_header, is_upload
from counterfoil.door.viewer import challenge, viewer_of
from models import Fault
from schema.context import Context
from services import values

REASON_HEADER = "Counterfoil-Reason"
LONGEST_REASON = 500
_NO_REASON = f"{REASON_HEADER} must be one line of UTF-8 text with 1 to {LONGEST_REASON} characters."
# With any value: the response's `extensions` say what the operation could cost.
COST_HEADER = "Counterfoil-Cost"


async def context_of(request: HTTPRequest, trusted_proxies: Collection[Network], cookies: Cookies) -> Context:
    """Who asks what, and why. Of those whom nobody knows, no body with a file is read: Refused."""
    upload = is_upload(request.scope)
    if upload:
        check_header(request.headers)
    wants_cookie = cookies.is_wanted(request.headers)
    viewer = await viewer_of(request.headers, cookies.token_of(request))
    if upload and viewer.actor is None:
        told = ENDED if viewer.refused else SIGN_IN
        raise Refused(401, told, "UNAUTHENTICATED", WWW_Authenticate=challenge(request.headers))
    return Context(
        request=Request(request_id(request.scope), client_address(request, trusted_proxies), _reason(request.headers)),
        actor=viewer.actor,
        session_id=viewer.session_id,
        refused=viewer.refused,
        token=viewer.token,
        in_cookie=wants_cookie or viewer.by_cookie,
        cookie=cookies.held(request),
        upload=upload,
        idempotency_key=request.headers.get("idempotency-key"),
        reports_cost=COST_HEADER in request.headers,
    )


def _reason(headers: Headers) -> str | None:
    """Why the sender changes something, for history: one line of UTF-8 in a header of its own."""
    sent = headers.get(REASON_HEADER)
    try:
        return _line(sent.encode("latin-1").decode()) if sent is not None else None
    except UnicodeDecodeError:
        raise Refused(400, _NO_REASON) from None


def reason_in(extensions: Mapping[str, Any]) -> str | None:
    """The same from the `extensions` of an operation that cannot have headers. Refused."""
    sent = extensions.get(REASON_HEADER)
    if sent is None:
        return None
    if not isinstance(sent, str):
        raise Refused(400, _NO_REASON)
    return _line(sent)


def _line(sent: str) -> str:
    try:
        return values.line(sent, ("reason",), longest=LONGEST_REASON)
    except Fault:
        raise Refused(400, _NO_REASON) from None
