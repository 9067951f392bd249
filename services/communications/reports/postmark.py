"""Postmark's webhooks: bounces and deliveries, a JSON object each. They are not signed: a secret comes with them.

An email is found by the metadata that it was sent with (`headers`), because Postmark gives it a Message-ID of its own.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from models import DeliveryStatus
from services.communications.reports.provider import Forged, Unsigned, inner, read_json, texts
from services.communications.reports.report import Report, bare, instant

_METADATA = "message-id"
_LONGEST_METADATA = 80

# Postmark's kinds of bounces: what became of the email, and whether the address is dead. Others are no bounces, such as
# answers by machines and unsubscriptions.
_BOUNCES: Mapping[str, tuple[DeliveryStatus, bool]] = {
    "HardBounce": (DeliveryStatus.BOUNCED, True),
    "BadEmailAddress": (DeliveryStatus.BOUNCED, True),
    "Transient": (DeliveryStatus.DEFERRED, False),
    "SoftBounce": (DeliveryStatus.BOUNCED, False),
    "DnsError": (DeliveryStatus.BOUNCED, False),
    "SpamNotification": (DeliveryStatus.BOUNCED, False),
    "VirusNotification": (DeliveryStatus.BOUNCED, False),
    "Unknown": (DeliveryStatus.BOUNCED, False),
    "ManuallyDeactivated": (DeliveryStatus.BOUNCED, False),
    "Blocked": (DeliveryStatus.BOUNCED, False),
    "SMTPApiError": (DeliveryStatus.BOUNCED, False),
    "DMARCPolicy": (DeliveryStatus.BOUNCED, False),
}


def headers(message_id: str) -> dict[str, str]:
    """What an email that leaves through Postmark needs in its header, so that its reports find it."""
    metadata = {f"X-PM-Metadata-{_METADATA}": message_id} if len(message_id) <= _LONGEST_METADATA else {}
    return {"X-PM-KeepID": "true", **metadata}


class Postmark:
    """Postmark, which sends `secret` as the password of basic authentication."""

    source = "Postmark"

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[Report]:
        """The report of a request."""
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise Unsigned("Send the secret as the password of basic authentication.")
        if not hmac.compare_digest(_password(credentials), self._secret):
            raise Forged("The secret is wrong.")
        return list(_reports(read_json(body, dict)))


def _password(credentials: str) -> bytes:
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def _reports(event: dict[str, Any]) -> list[Report]:
    kind, message_ids = event.get("RecordType"), [bare(one) for one in texts(inner(event, "Metadata", _METADATA))]
    if kind == "Delivery":
        at = event.get("DeliveredAt")
        called = f"delivery {event.get('MessageID')} {event.get('Recipient')} {at}"
        reply = next(iter(texts(event.get("Details"))), None)
        addresses = texts(event.get("Recipient"))
        return [Report(called, message_ids, addresses, DeliveryStatus.DELIVERED, instant(at), reply)]
    status, failed = _BOUNCES.get(str(event.get("Type")), (None, False))
    if kind != "Bounce" or status is None:
        return []
    reply = next(iter(texts(event.get("Details"), event.get("Description"))), None)
    called, at = f"bounce {event.get('ID')}", instant(event.get("BouncedAt"))
    return [Report(called, message_ids, texts(event.get("Email")), status, at, reply, failed)]
