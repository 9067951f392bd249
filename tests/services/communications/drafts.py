"""Drafts of communications with defaults, recorded by Ada."""

from __future__ import annotations

from typing import Any

from models import CommunicationKind, Contact, RecipientReason, Row
from services.communications import Addressee, Draft, Message, record
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
