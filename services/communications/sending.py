"""Sending by hand, and looking ahead at what would be sent: the same steps, but for recording it.

Files are made and looked for, and texts are rendered, before the transaction; in it all rows are read again, under
locks. What is decided here, and why, is in docs/decisions/0021.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit import Actor, Change
from models import (
    Choice,
    Contact,
    Customer,
    Document,
    Fault,
    Forbidden,
    Permission,
    RecipientField,
    Row,
    SalesDocument,
    Suppression,
    clock,
)
from models.communication_kind import SALES
from models.text import key
from services import documents
from services.communications import attaching, choosing, making
from services.communications.attachment_storage import keep
from services.communications.choosing import Recipient
from services.communications.draft import Addressee, Attachment, Draft
from services.communications.greeting import greeted
from services.communications.making import Made
from services.communications.material import Material, gather
from services.communications.recording import record
from services.communications.wording import Wording
from services.pdf import MEDIA_TYPE

_PREPARED = "prepared"


@dataclass
class Prepared:
    """What was done before the transaction; or why it cannot begin, which is told in it: a repeat answers as before."""

    wording: Wording = field(default_factory=Wording)
    made: Sequence[tuple[Made, Attachment]] = ()
    fault: Fault | None = None


@dataclass(frozen=True)
class Preview:
    """What would be sent, and what a person should know before."""

    draft: Draft
    warnings: Sequence[str]


def check_sees_customers(actor: Actor) -> None:
    """Forbidden unless the actor may see customers: errors and warnings name contacts, templates tell of them."""
    if not actor.may(Permission.CUSTOMERS_READ):
        raise Forbidden("To send emails to customers needs the permission CUSTOMERS_READ, too.")


def check_may(actor: Actor, given: Mapping[str, Any]) -> None:
    """Forbidden unless the actor may read all that goes out with the email, and to whom."""
    check_sees_customers(actor)
    told = given.get("sales_document_id") is not None or given.get("attach_statement")
    if (told or given["kind"] in SALES) and not actor.may(Permission.SALES_DOCUMENTS_READ):
        raise Forbidden("To send what tells of sales documents needs the permission SALES_DOCUMENTS_READ, too.")
    if given.get("document_ids") and not actor.may(Permission.DOCUMENTS_READ):
        raise Forbidden("To attach documents needs the permission DOCUMENTS_READ, too.")


async def prepare(actor: Actor, given: dict[str, Any]) -> None:
    """Do what must happen before the transaction of `send`: it adds to what was given. Forbidden."""
    check_may(actor, given)
    prepared = Prepared()
    try:
        material, made = await _look(given)
        storage = documents.current()
        kept = [(one, await keep(storage, one.name, MEDIA_TYPE, one.data)) for one in made]
        prepared.made = kept
        await _compose(given, material, [attachment for _, attachment in kept], prepared.wording)
    except Fault as fault:
        prepared.fault = fault
    given[_PREPARED] = prepared


async def send(change: Change, given: Mapping[str, Any]) -> Row:
    """Record the communication with its deliveries, after `prepare`. Faults at their fields; CONFLICT when a PDF does
    not tell the truth any more.
    """
    prepared: Prepared = given[_PREPARED]
    if prepared.fault is not None:
        raise prepared.fault
    await change.every(Customer, [given["customer_id"]])
    await change.where(Contact, customer_id=given["customer_id"])
    if given.get("sales_document_id") is not None:
        await change.every(SalesDocument, [given["sales_document_id"]])
    if given.get("document_ids"):
        await change.every(Document, given["document_ids"])
    material = await gather(given)
    for made, _ in prepared.made:
        making.check_current(made, material)
    attachments = [attachment for _, attachment in prepared.made]
    draft = await _compose(given, material, attachments, prepared.wording)
    await attaching.hold(change, documents.current(), attachments)
    communication, _ = await record(change, draft)
    return communication


async def preview(actor: Actor, given: Mapping[str, Any]) -> Preview:
    """What `send` would record now. Its faults; Forbidden. Nothing is kept."""
    check_may(actor, given)
    material, made = await _look(given)
    attachments = [
        Attachment(one.name, MEDIA_TYPE, len(one.data), hashlib.sha256(one.data).hexdigest()) for one in made
    ]
    draft = await _compose(given, material, attachments, Wording())
    return Preview(draft, [*_warnings(draft), *_shared_addresses(draft)])


async def _look(given: Mapping[str, Any]) -> tuple[Material, list[Made]]:
    """The material, and the PDFs that are made of it; the documents' bytes are there."""
    material = await gather(given)
    fields = [("document_ids", index) for index in range(len(material.attachments))]
    await attaching.check_bytes(documents.current(), material.attachments, fields)
    return material, await making.pdfs(material, given)


async def _compose(given: Mapping[str, Any], material: Material, made: Sequence[Attachment], wording: Wording) -> Draft:
    recipients = await _recipients(given, material)
    separate = _separate(given, material, recipients)
    attachments = [*made, *material.attachments]
    attaching.check_limits(attachments, ("document_ids",))
    template = material.template
    if template is None:
        messages = [await wording.own(given)] * len(recipients)
    else:
        whose = greeted(recipients, separate=separate)
        messages = await wording.messages(given["kind"], material, template, whose, clock.now().date())
    return Draft(
        kind=given["kind"],
        customer_id=material.customer["id"],
        sales_document_id=material.sales_document["id"] if material.sales_document is not None else None,
        template=template,
        subject_line=messages[0].subject_line,
        addressees=[recipient.reading(message) for recipient, message in zip(recipients, messages, strict=True)],
        separate=separate,
        attachments=attachments,
        suppressed=Suppression.TEMPLATE_DISABLED if template is not None and not template["enabled"] else None,
    )


async def _recipients(given: Mapping[str, Any], material: Material) -> list[Recipient]:
    if given.get("recipients") is None:
        return choosing.by_rules(material.decisions)
    return await choosing.by_hand(material.decisions, given["recipients"])


def _separate(given: Mapping[str, Any], material: Material, recipients: Sequence[Recipient]) -> bool:
    """Whether each gets a message of their own: as somebody said, else as the settings say unless some stand in Cc."""
    in_cc = next((i for i, recipient in enumerate(recipients) if recipient.field is RecipientField.CC), None)
    if given.get("separate") is None:
        return bool(material.settings["separate_messages"]) and in_cc is None
    if given["separate"] and in_cc is not None:
        message = "In a message of their own nobody stands in Cc: leave out separate, or put everybody in To."
        raise Fault.invalid(message, "recipients", in_cc, "field")
    return bool(given["separate"])


def _warnings(draft: Draft) -> list[str]:
    warnings = []
    if draft.suppressed is not None and draft.template is not None:
        warnings.append(f"The template {draft.template['name']} is disabled: nothing would be sent.")
    for addressee in draft.addressees:
        against = choosing.against(addressee.reasons)
        if addressee.chosen is Choice.MANUAL and against:
            warnings.append(f"By the rules {Contact.label(addressee.contact)} would not get it: {', '.join(against)}.")
        problem = addressee.contact["email_problem"]
        if problem is not None and problem["address"].casefold() == addressee.email.casefold():
            warnings.append(f"The last email to {problem['address']} did not arrive.")
    return warnings


def _shared_addresses(draft: Draft) -> list[str]:
    """That an address is written to more than once, since several contacts have it."""
    by_address: dict[str, list[Addressee]] = {}
    for addressee in draft.addressees:
        by_address.setdefault(key(addressee.email), []).append(addressee)
    return [
        f"{several[0].email} would get it {len(several)} times, as the address of"
        f" {', '.join(Contact.label(one.contact) for one in several)}."
        for several in by_address.values()
        if len(several) > 1
    ]
