"""SendGrid's event webhook: many events in a JSON array, signed with ECDSA over the time and the body.

An email is found by the argument that it was sent with (`headers`), or by its Message-ID, which is `smtp-id` there.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from models import DeliveryStatus, clock
from services.communications.enhanced_status import address_fails, find_status
from services.communications.reports.provider import Forged, Unsigned, objects, read_json, texts
from services.communications.reports.report import Report, bare

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
# How far its clock and ours may be apart, the way included.
TOLERANCE = timedelta(minutes=10)

_ARGUMENT = "counterfoil_message_id"
_STATUSES = {
    "processed": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "deferred": DeliveryStatus.DEFERRED,
    "bounce": DeliveryStatus.BOUNCED,
    "dropped": DeliveryStatus.BOUNCED,
}
# Why SendGrid itself did not send it, where that is because of the address.
_DEAD = ("bounced address", "invalid")


def headers(message_id: str) -> dict[str, str]:
    """What an email that leaves through SendGrid needs in its header, so that its reports find it."""
    return {"X-SMTPAPI": json.dumps({"unique_args": {_ARGUMENT: message_id}})}


def load_key(text: str) -> EllipticCurvePublicKey:
    """SendGrid's verification key: base64 of a public key in DER. ValueError."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("Copy the verification key as SendGrid shows it: base64, without line breaks.") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("This is no key of an elliptic curve.")
    return key


class SendGrid:
    """SendGrid, with the key that it shows for its signed event webhook."""

    source = "SendGrid"

    def __init__(self, key: str) -> None:
        self._key = load_key(key)

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[Report]:
        """The reports of a request."""
        signature, sent_at = headers.get(_SIGNATURE), headers.get(_TIMESTAMP)
        if not signature or not sent_at:
            raise Unsigned("Turn the signed event webhook on.")
        try:
            self._key.verify(base64.b64decode(signature, validate=True), sent_at.encode() + body, ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            raise Forged("The signature is wrong.") from None
        at = _instant(sent_at)
        if at is None or abs(clock.now() - at) > TOLERANCE:
            raise Forged("The request is too old, or a clock is wrong.")
        return [report for event in objects(read_json(body, list)) for report in _reports(event)]


def _reports(event: dict[str, Any]) -> list[Report]:
    kind, called = event.get("event"), event.get("sg_event_id")
    if not isinstance(kind, str) or kind not in _STATUSES or not isinstance(called, str):
        return []
    reply = next(iter(texts(event.get("response"), event.get("reason"))), None)
    status = next(iter(texts(event.get("status"))), None) or find_status(reply or "")
    failed = (kind == "bounce" and event.get("type") != "blocked" and address_fails(status)) or (
        kind == "dropped" and (reply or "").lower().startswith(_DEAD)
    )
    message_ids = [bare(one) for one in texts(event.get(_ARGUMENT), event.get("smtp-id"))]
    at = _instant(str(event.get("timestamp")))
    return [Report(called, message_ids, texts(event.get("email")), _STATUSES[kind], at, reply, failed)]


def _instant(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
