"""Bounce messages: delivery status notifications (RFC 3464, and RFC 6533 for international addresses).

A message that is something else (a reply by a person, an answer by a machine, a bounce in free text as Exim writes it
without DSN) is none of these.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from models import DeliveryStatus
from services.communications.enhanced_status import address_fails, find_status
from services.communications.reports.mime import Part, grouped, parse, parts
from services.communications.reports.report import HEADER, Report, bare

# Emails of ours have fewer recipients: whatever names more was made by somebody to do harm.
MOST_RECIPIENTS = 500

# Whom history names.
SOURCE = "Bounce messages"

# What an action says. `relayed` promises no more reports, `expanded` that a list has taken it.
_ACTIONS = {
    "failed": DeliveryStatus.BOUNCED,
    "delayed": DeliveryStatus.DEFERRED,
    "delivered": DeliveryStatus.DELIVERED,
    "expanded": DeliveryStatus.DELIVERED,
    "relayed": DeliveryStatus.SENT,
}
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_TYPES = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")

Fields = Mapping[str, list[str]]


class NotAReport(Exception):
    """It is no delivery status notification; the message says what it lacks."""


def read(data: bytes) -> list[Report]:
    """What a bounce message says about each recipient. NotAReport, whatever the bytes are."""
    message = parse(data)
    found = list(parts(message))
    if not any(part.type == "multipart/report" and _is_of_delivery(part) for part in found):
        raise NotAReport("it is not a delivery status notification (RFC 3464)")
    status = next((part for part in found if part.type in _STATUS_TYPES), None)
    groups = [] if status is None else [grouped(text) for text in re.split(rb"\n[ \t]*(?:\n[ \t]*)+", status.body)]
    recipients = [group for group in groups if "action" in group]
    if status is None or not recipients:
        raise NotAReport("it names no recipient with what became of the email")
    if len(recipients) > MOST_RECIPIENTS:
        raise NotAReport(f"it names more than {MOST_RECIPIENTS} recipients")
    message_ids = list(_message_ids(groups, found))
    if not message_ids:
        raise NotAReport("it does not say which email it is about")
    # The same report may be found with other trace headers.
    called = hashlib.sha256(bare(message.first("message-id")).encode("utf-8", "replace") + status.body).hexdigest()
    sent_at = _instant(message.first("date"))
    return [
        report
        for number, group in enumerate(recipients)
        if (report := _report(f"{called}/{number}", message_ids, group, sent_at)) is not None
    ]


def _is_of_delivery(part: Part) -> bool:
    return part.parameter("report-type").lower() in ("delivery-status", "global-delivery-status", "")


def _message_ids(groups: list[dict[str, list[str]]], found: list[Part]) -> Iterator[str]:
    """The envelope's id, which is the Message-ID, then what the returned email says."""
    for group in groups:
        for value in group.get("original-envelope-id", ()):
            yield bare(_from_xtext(value))
            yield bare(value)
    for part in found:
        if part.type in _RETURNED_TYPES:
            fields = parse(part.body).fields
            for name in (HEADER.lower(), "message-id"):
                yield from map(bare, fields.get(name, ()))


def _report(identifier: str, message_ids: list[str], group: Fields, sent_at: datetime | None) -> Report | None:
    action = _first(group, "action").partition("(")[0].strip().lower()
    if action not in _ACTIONS:
        return None
    addresses = [
        address
        for name in ("original-recipient", "final-recipient")
        for value in group.get(name, ())
        for address in _addresses(value)
    ]
    diagnostic = _first(group, "diagnostic-code")
    kind, semicolon, said = diagnostic.partition(";")
    reply = said.strip() if semicolon and " " not in kind.strip() else diagnostic
    status = _status(_first(group, "status"), reply)
    failed = _ACTIONS[action] is DeliveryStatus.BOUNCED and address_fails(status)
    at = _instant(_first(group, "last-attempt-date")) or sent_at
    return Report(identifier, message_ids, addresses, _ACTIONS[action], at, reply or status, failed, proven=False)


def _status(field: str, reply: str) -> str | None:
    """The status; where it says no more than that it failed, what the server itself said."""
    status = find_status(field)
    return find_status(reply) or status if status is None or status.endswith(".0.0") else status


def _addresses(value: str) -> Iterator[str]:
    """The address of a field such as `rfc822; ada@example.com`, in the forms that it may have here."""
    _, semicolon, text = value.partition(";")
    address = (text if semicolon else value).strip()
    address = bare(re.sub(r"\s*\([^()]*\)$", "", address))
    for form in dict.fromkeys(
        (address, _from_xtext(address), _from_unitext(address), _from_unitext(_from_xtext(address)))
    ):
        yield form
        local, _, domain = form.rpartition("@")
        if "xn--" in domain.lower():
            try:
                yield f"{local}@{domain.lower().encode('ascii').decode('idna')}"
            except UnicodeError:
                continue


def _from_xtext(value: str) -> str:
    """RFC 3461, 4: `+` and two hexadecimal digits."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value)


def _from_unitext(value: str) -> str:
    """RFC 6533, 3: `\\x{` and the number of a character."""
    return re.sub(r"\\x\{([0-9A-Fa-f]{2,6})\}", lambda found: _character(int(found[1], 16)), value)


def _character(number: int) -> str:
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""


def _instant(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _first(group: Fields, name: str) -> str:
    return group.get(name, [""])[0]
