"""What resolvers are told of a request, made from its headers and its body."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from cross_web import HTTPException
from starlette.datastructures import Headers
from starlette.requests import Request as HTTPRequest

from audit import Request
from counterfoil.door.admission import ENDED, SIGN_IN
from counterfoil.door.requests import client_address, request_id
from counterfoil.door.uploads import check_header, is_upload
from counterfoil.door.viewer import viewer_of
from models import Fault
from schema.context import Context
from services import values

REASON_HEADER = "Counterfoil-Reason"
LONGEST_REASON = 500


class Unknown(Exception):
    """Somebody who is not signed in would send a file."""


async def context_of(request: HTTPRequest, trusted_proxies: Collection[str]) -> Context:
    """Who asks what, and why. Of those whom nobody knows, no body with a file is read: Unknown."""
    upload = is_upload(request.scope)
    if upload:
        check_header(request.headers)
    viewer = await viewer_of(request.headers)
    if upload and viewer.actor is None:
        raise Unknown(ENDED if viewer.refused else SIGN_IN)
    key = request.headers.get("idempotency-key")
    return Context(
        request=Request(request_id(request.scope), client_address(request, trusted_proxies), _reason(request.headers)),
        actor=viewer.actor,
        session_id=viewer.session_id,
        refused=viewer.refused,
        token=viewer.token,
        upload=upload,
        idempotency_key=key,
        body_hash=hashlib.sha256(await request.body()).hexdigest() if key is not None and not upload else "",
    )


def _reason(headers: Headers) -> str | None:
    """Why the sender changes something, for history: one line of UTF-8 in a header of its own."""
    sent = headers.get(REASON_HEADER)
    if sent is None:
        return None
    try:
        return values.line(sent.encode("latin-1").decode(), ("reason",), longest=LONGEST_REASON)
    except (UnicodeDecodeError, Fault):
        message = f"{REASON_HEADER} must be one line of UTF-8 text with 1 to {LONGEST_REASON} characters."
        raise HTTPException(400, message) from None
