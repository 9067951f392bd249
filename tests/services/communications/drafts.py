"""Drafts of communications with defaults, recorded by Ada."""

from __future__ import annotations

from typing import Any

from audit import Change
from models import CommunicationKind, Contact, DeliveryStatus, RecipientReason, Row, clock
from services.communications import Addressee, Draft, Message, Outcome, record, settle
from tests.audit.rows import by_ada, email, new


async def contact_at(customer_id: str | None = None, *, address: str = "grace@example.com", **values: Any) -> Row:
    """A contact whose preferred email address is this; the customer is made, too, unless it is given."""
    given = {} if customer_id is None else {"customer_id": customer_id}
    return await new(
        Contact, **{"first_name": "Grace", "last_name": "Hopper", "methods": [email(address)], **given, **values}
    )


def addressee(contact: Row, **values: Any) -> Addressee:
    """The contact, chosen by the rules, with a message that names them."""
    message = Message("Statement", f"Dear {contact['first_name']}", f"<p>Dear {contact['first_name']}</p>")
    reasons = [RecipientReason.DESIGNATED]
    made = {"email": contact["email"], "role": "Company Contact", "reasons": reasons, "message": message}
    return Addressee(contact, **{**made, **values})


def draft(*addressees: Addressee, customer_id: str | None = None, **values: Any) -> Draft:
    """A statement to them, to each on their own."""
    customer = customer_id or addressees[0].contact["customer_id"]
    made: dict[str, Any] = {"kind": CommunicationKind.STATEMENT, "template": None, "subject_line": "Statement"}
    return Draft(**{**made, "customer_id": customer, "addressees": addressees, "separate": True, **values})


async def recorded(made: Draft) -> tuple[Row, list[Row]]:
    """The communication and its deliveries, in a transaction of their own."""
    return (await by_ada(lambda change: record(change, made)))[0]


async def sent_to(contact_id: str, **values: Any) -> tuple[Row, Row]:
    """A communication to this contact alone, and its delivery."""

    async def work(change: Change) -> tuple[Row, list[Row]]:
        contact = await change.read(Contact, contact_id)
        address = contact["email"] or "nobody@example.com"
        return await record(change, draft(addressee(contact, email=address), **values))

    (communication, [delivery]), _ = await by_ada(work)
    return communication, delivery


async def settled(delivery: Row, status: DeliveryStatus, reply: str | None = None, **values: Any) -> list[Row]:
    """The delivery after this outcome, if it can have it."""
    outcome = Outcome(status, clock.now(), reply, **values)
    return (await by_ada(lambda change: settle(change, {delivery["id"]: outcome})))[0]


async def bounced(contact_id: str, **values: Any) -> Row:
    """A delivery to the contact that has bounced: the address takes no mail."""
    _, delivery = await sent_to(contact_id, **values)
    [row] = await settled(delivery, DeliveryStatus.BOUNCED, "550 5.1.1 No such user", address_failed=True)
    return row
