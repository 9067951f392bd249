"""Sending a communication again: the same texts and attachments, to the same recipients or to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from audit import Actor, Change
from models import (
    Choice,
    Communication,
    CommunicationKind,
    Contact,
    Customer,
    Delivery,
    ErrorCode,
    Fault,
    Forbidden,
    Permission,
    RecipientField,
    Row,
    SalesDocument,
)
from models.identifier import check_id
from models.recipient import Decision
from models.recipient_rows import decisions
from models.rows import by_ids
from models.table import decode_row
from models.text import key
from services import documents
from services.communications import attaching, choosing
from services.communications.choosing import Recipient
from services.communications.draft import Attachment, Draft, Message
from services.communications.material import check_about
from services.communications.recording import record
from services.communications.sending import check_sees_customers

# What they say works once.
_ONCE = frozenset({CommunicationKind.WELCOME.value, CommunicationKind.SET_PASSWORD.value})

_FAULT = "fault"


async def prepare(actor: Actor, given: dict[str, Any]) -> None:
    """Look whether the attachments' bytes are there, before the transaction; it adds to what was given. Forbidden."""
    check_sees_customers(actor)
    try:
        check_id(given["id"], Communication.prefix, "id")
        [row] = await by_ids(Communication)([given["id"]])
        if row is not None:
            _check_may(actor, decode_row(Communication, row))
            found = _attachments(row)
            await attaching.check_bytes(documents.current(), found, [("id",)] * len(found))
    except Fault as fault:
        given[_FAULT] = fault


async def resend(change: Change, given: Mapping[str, Any]) -> Row:
    """Record the communication again, as one of its own that names the first, after `prepare`.

    `recipients` are chosen as for sending, and get the text of their own first delivery, or else that of the first of
    all. Without them everybody gets it again, or those whose delivery has one of `statuses`: at the address of then if
    the contact has it still, else at the preferred one. Faults at their fields.
    """
    if _FAULT in given:
        raise given[_FAULT]
    read = await change.read(Communication, given["id"])
    customer_id = await _customer_now(change, read["customer_id"])
    await change.get(Customer, customer_id)
    await change.where(Contact, customer_id=customer_id)
    # What it is about never changes.
    about = await change.get(SalesDocument, read["sales_document_id"]) if read["sales_document_id"] else None
    first = await change.get(Communication, given["id"], given.get("expected_revision"))
    _check_may(change.actor, first)
    _check_can(first)
    if about is not None:
        check_about(CommunicationKind(first["kind"]), about, ("id",))
    deliveries = await change.where(Delivery, lock=False, communication_id=first["id"])
    location_id = about["location_id"] if about is not None else None
    recipients = await _recipients(given, first, deliveries, customer_id, location_id)
    in_cc = next((i for i, recipient in enumerate(recipients) if recipient.field is RecipientField.CC), None)
    if first["separate"] and in_cc is not None:
        message = "Each recipient got a message of their own, in which nobody stands in Cc: put everybody in To."
        raise Fault.invalid(message, "recipients", in_cc, "field")
    communication, _ = await record(change, _draft(first, deliveries, recipients, customer_id))
    return communication


async def _customer_now(change: Change, customer_id: str) -> str:
    """The customer that was written to, or that has taken its place: merging leaves the log as it is."""
    return str((await change.read(Customer, customer_id))["merged_into_id"] or customer_id)


def _draft(first: Row, deliveries: Sequence[Row], recipients: Sequence[Recipient], customer_id: str) -> Draft:
    said = {delivery["contact_id"]: _message(delivery) for delivery in reversed(deliveries)}
    return Draft(
        kind=CommunicationKind(first["kind"]),
        customer_id=customer_id,
        sales_document_id=first["sales_document_id"],
        template={"id": first["template_id"], "name": first["template_name"]} if first["template_id"] else None,
        subject_line=first["subject_line"],
        addressees=[
            recipient.reading(said.get(recipient.contact["id"]) or _message(deliveries[0])) for recipient in recipients
        ],
        separate=first["separate"],
        attachments=_attachments(first),
        resend_of_id=first["id"],
    )


def _check_may(actor: Actor, row: Row) -> None:
    if row["about_sales"] and not actor.may(Permission.SALES_DOCUMENTS_READ):
        raise Forbidden("An email that tells of sales documents needs the permission SALES_DOCUMENTS_READ, too.")
    attaches = any(attachment["document_id"] is not None for attachment in row["attachments"])
    if attaches and not actor.may(Permission.DOCUMENTS_READ):
        raise Forbidden("An email that attaches documents needs the permission DOCUMENTS_READ, too.")


def _check_can(row: Row) -> None:
    if row["kind"] in _ONCE:
        message = "The link of this email works once: send a new one with sendPasswordLink."
        raise Fault(ErrorCode.INVALID, message, ("id",))
    if row["suppressed"] is not None:
        message = (
            f"This was never sent ({row['suppressed'].replace('_', ' ').lower()}): send it with sendCommunication."
        )
        raise Fault(ErrorCode.WRONG_STATUS, message, ("id",))


async def _recipients(
    given: Mapping[str, Any], first: Row, deliveries: Sequence[Row], customer_id: str, location_id: str | None
) -> list[Recipient]:
    kind = CommunicationKind(first["kind"])
    [found] = await decisions([customer_id], kind, {customer_id: location_id})
    statuses = given.get("statuses")
    if given.get("recipients") is not None:
        if statuses is not None:
            raise Fault.invalid("Choose recipients, or name statuses of deliveries, not both.", "statuses")
        return await choosing.by_hand(found, given["recipients"])
    wanted = {status.value for status in statuses} if statuses is not None else None
    chosen = [delivery for delivery in deliveries if wanted is None or delivery["status"] in wanted]
    if not chosen:
        raise Fault.invalid("None of its deliveries has such a status.", "statuses")
    by_id = {decision.contact["id"]: decision for decision in found}
    recipients = _once([_again(delivery, by_id.get(delivery["contact_id"])) for delivery in chosen])
    if all(recipient.field is RecipientField.CC for recipient in recipients):
        return [replace(recipient, field=RecipientField.TO) for recipient in recipients]
    return recipients


def _once(recipients: Sequence[Recipient]) -> list[Recipient]:
    """Each address of a contact once, in To if it stood there: one may have taken the place of several."""
    found: dict[tuple[str, str], Recipient] = {}
    for recipient in recipients:
        who = recipient.contact["id"], key(recipient.email)
        if who not in found or recipient.field is RecipientField.TO:
            found[who] = recipient
    return list(found.values())


def _again(delivery: Row, decision: Decision | None) -> Recipient:
    """The recipient of a delivery as they are now. Fault INVALID when they cannot be written to any more."""
    why = None
    if decision is None:
        why = "is not a contact of the customer any more"
    elif not decision.contact["active"]:
        why = "is inactive"
    elif decision.contact["email"] is None:
        why = "has no email address any more"
    if decision is None or why is not None:
        raise Fault.invalid(f"{Delivery.label(delivery)} {why}: choose the recipients.", "recipients")
    kept = any(
        method["kind"] == "EMAIL" and method["value"] == delivery["email"] for method in decision.contact["methods"]
    )
    email = delivery["email"] if kept else decision.contact["email"]
    return Recipient(decision, email, Choice.MANUAL, RecipientField(delivery["field"]))


def _message(delivery: Row) -> Message:
    return Message(delivery["subject_line"], delivery["text"], delivery["html"])


def _attachments(row: Row) -> list[Attachment]:
    return [Attachment(**attachment) for attachment in row["attachments"]]
