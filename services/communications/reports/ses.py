"""Amazon SES: events and notifications about emails, which come through Amazon SNS.

An email is found by its own Message-ID, which SES repeats among the original headers: they have to be included in
feedback notifications; event publishing always includes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import DeliveryStatus
from services.communications.enhanced_status import address_fails
from services.communications.reports.provider import inner, objects, read_json, texts
from services.communications.reports.report import HEADER, Report, bare, instant
from services.communications.reports.sns import Topics


class Ses:
    """Amazon SES, whose messages come from these SNS topics (ARNs)."""

    source = "Amazon SES"

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._topics = Topics(topics)

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[Report]:
        """The reports of a request; none when it is about the subscription itself, which is confirmed."""
        received = await self._topics.receive(body)
        return [] if received is None else _reports(received.id, read_json(received.text, dict))


def _reports(called: str, event: dict[str, Any]) -> list[Report]:
    kind = event.get("eventType") or event.get("notificationType")
    told = _TELLERS[kind](event) if isinstance(kind, str) and kind in _TELLERS else []
    message_ids = [bare(one) for one in _message_ids(event)]
    return [
        Report(f"{called} {recipient}", message_ids, [recipient], status, instant(at), reply, failed)
        for recipient, status, at, reply, failed in told
    ]


_Told = tuple[str, DeliveryStatus, object, str | None, bool]


def _message_ids(event: dict[str, Any]) -> list[str]:
    original = objects(inner(event, "mail", "headers"))
    named = {str(header.get("name")).lower(): header.get("value") for header in original}
    return texts(named.get(HEADER.lower()), named.get("message-id"), inner(event, "mail", "commonHeaders", "messageId"))


def _bounced(event: dict[str, Any]) -> list[_Told]:
    """Bounces for good, and transient ones: SES does not try again. Those without an action are answers by machines."""
    bounce = event.get("bounce")
    permanent = inner(bounce, "bounceType") == "Permanent"
    general = inner(bounce, "bounceSubType") == "General"
    told: list[_Told] = []
    for recipient in objects(inner(bounce, "bouncedRecipients")):
        status, said = recipient.get("status"), texts(recipient.get("diagnosticCode"))
        if inner(bounce, "bounceType") == "Transient" and general and "action" not in recipient:
            continue
        failed = permanent and (address_fails(status) if isinstance(status, str) else True)
        reply = said[0].removeprefix("smtp;").strip() if said else None
        told += [
            (address, DeliveryStatus.BOUNCED, inner(bounce, "timestamp"), reply, failed)
            for address in texts(recipient.get("emailAddress"))
        ]
    return told


def _delivered(event: dict[str, Any]) -> list[_Told]:
    delivery = event.get("delivery")
    reply = next(iter(texts(inner(delivery, "smtpResponse"))), None)
    recipients = inner(delivery, "recipients")
    return [
        (address, DeliveryStatus.DELIVERED, inner(delivery, "timestamp"), reply, False)
        for address in texts(*(recipients if isinstance(recipients, list) else ()))
    ]


def _delayed(event: dict[str, Any]) -> list[_Told]:
    delay = event.get("deliveryDelay")
    return [
        (address, DeliveryStatus.DEFERRED, inner(delay, "timestamp"), next(iter(said), None), False)
        for recipient in objects(inner(delay, "delayedRecipients"))
        for said in [texts(recipient.get("diagnosticCode"), inner(delay, "delayType"))]
        for address in texts(recipient.get("emailAddress"))
    ]


def _rejected(event: dict[str, Any]) -> list[_Told]:
    """SES has found something bad in it, and sent it to nobody."""
    reply = next(iter(texts(inner(event, "reject", "reason"))), None)
    destination = inner(event, "mail", "destination")
    return [
        (address, DeliveryStatus.BOUNCED, inner(event, "mail", "timestamp"), reply, False)
        for address in texts(*(destination if isinstance(destination, list) else ()))
    ]


_TELLERS = {"Bounce": _bounced, "Delivery": _delivered, "DeliveryDelay": _delayed, "Reject": _rejected}
