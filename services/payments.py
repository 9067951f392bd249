"""Payments: what arrives for orders and invoices. The balance of a document is its amount without its payments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from audit import Change
from models import Fault, Payment, PaymentMethod, Permission, Row, SalesDocument
from services import order_desk, sales_status, values


async def record(
    change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any], *, acknowledge: bool
) -> tuple[Row, Row]:
    """Note that money arrived: (payment, document). The contact policy holds as for posting."""
    field = ("sales_document_id",)
    await order_desk.lock_customer_of(change, await change.read(SalesDocument, identifier, field=field))
    document = await change.get(SalesDocument, identifier, expected_revision, field=field)
    fields = _clean(given, document)
    seen = change.actor.may(Permission.SALES_DOCUMENTS_READ)
    after = sales_status.with_payment(document, fields["amount"], field, tells_balance=seen)
    await order_desk.require_contact(change, document, acknowledge=acknowledge, field=field)
    payment = await change.insert(
        Payment,
        {
            "received_on": change.now.date().isoformat(),
            **fields,
            "sales_document_id": document["id"],
            "customer_id": document["customer_id"],
            "currency": document["currency"],
        },
    )
    return payment, await change.update(SalesDocument, document, after)


async def delete(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """Take a payment back; the document, which waits for the money again."""
    payment = await change.read(Payment, identifier)
    document = await change.get(SalesDocument, payment["sales_document_id"])
    payment = await change.get(Payment, identifier, expected_revision, to_delete=True)
    await change.delete(Payment, payment)
    return await change.update(SalesDocument, document, sales_status.without_payment(document, payment["amount"]))


def _clean(given: Mapping[str, Any], document: Row) -> dict[str, Any]:
    method: PaymentMethod = given["method"]
    fields: dict[str, Any] = {
        "amount": values.amount(given["amount"], document["currency"], ("amount",)),
        "method": method.value,
        "reference": values.optional_line(given.get("reference"), ("reference",), longest=100),
    }
    if "received_on" in given:
        day: date | None = given["received_on"]
        if day is None:
            raise Fault.invalid("Received on is required: it cannot be null.", "received_on")
        fields["received_on"] = day.isoformat()
    return fields
