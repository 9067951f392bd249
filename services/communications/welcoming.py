"""Emails with a link by which a contact sets their password: the welcome, and whenever they need another one.

What is recorded has a placeholder where the link's token will be: it is made when the email leaves.
"""

from __future__ import annotations

import asyncio

from audit import Change
from models import (
    Choice,
    CommunicationKind,
    Contact,
    ContactRole,
    Customer,
    ErrorCode,
    Fault,
    PortalReason,
    Row,
    Suppression,
)
from models.portal_rows import portal_accesses
from models.recipient import decide
from services import password_links, templates
from services.communications.draft import Addressee, Draft
from services.communications.material import settings as read_settings
from services.communications.recording import record
from services.levels import check_may_write

# They speak for access to the portal.
_FOR = (PortalReason.ALL_CONTACTS, PortalReason.COMMUNICATION_CONTACT)


async def welcome(change: Change, contact: Row) -> Row | None:
    """The communication that welcomes a new contact; None for one who may not use the portal, or has no address."""
    [access] = await portal_accesses([contact["id"]])
    if not access.allowed:
        return None
    return await _record(change, CommunicationKind.WELCOME, contact, Choice.RULE)


async def send_password_link(change: Change, contact_id: str) -> Row:
    """The communication that brings the contact a link. Fault INVALID at `contact_id` for one who may not use the
    portal, or has no address, and without a field when nobody has said where the portal is. Links from before go on
    working until they end by themselves, or one of them is used.
    """
    field = ("contact_id",)
    contact = await change.read(Contact, contact_id, field=field)
    await change.get(Customer, contact["customer_id"], field=field)
    contact = await change.get(Contact, contact_id, field=field)
    check_may_write(change, contact["location_id"])
    [access] = await portal_accesses([contact_id])
    if not access.allowed:
        why = ", ".join(reason.value.replace("_", " ").lower() for reason in access.reasons if reason not in _FOR)
        raise Fault.invalid(f"{Contact.label(contact)} may not use the portal: {why}.", *field)
    if password_links.address() is None:
        message = "Nobody has said where the portal is, so links would lead nowhere: set COUNTERFOIL_PORTAL_URL."
        raise Fault(ErrorCode.INVALID, message)
    return await _record(change, CommunicationKind.SET_PASSWORD, contact, Choice.MANUAL)


async def _record(change: Change, kind: CommunicationKind, contact: Row, chosen: Choice) -> Row:
    customer = await change.read(Customer, contact["customer_id"])
    role = await change.read(ContactRole, contact["role_id"]) if contact["role_id"] is not None else None
    settings = await read_settings()
    template, link = await templates.standard(kind), password_links.address()
    values = templates.variables(
        kind, settings=settings, customer=customer, contact=contact, link=link, today=change.now.date()
    )
    message = await asyncio.to_thread(templates.render, template, values)
    reasons = decide(
        kind, customer=customer, contact=contact, role=role, notifications=settings["notifications"]
    ).reasons
    draft = Draft(
        kind=kind,
        customer_id=customer["id"],
        template=template,
        subject_line=message.subject_line,
        addressees=[
            Addressee(contact, contact["email"], role["name"] if role else None, reasons, message, chosen=chosen)
        ],
        separate=True,
        suppressed=_suppressed(template, link),
    )
    communication, _ = await record(change, draft)
    return communication


def _suppressed(template: Row, link: str | None) -> Suppression | None:
    if not template["enabled"]:
        return Suppression.TEMPLATE_DISABLED
    return Suppression.NO_PORTAL_ADDRESS if link is None else None
