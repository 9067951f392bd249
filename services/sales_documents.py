"""What may happen to quotes, orders and invoices as such; contacts and posting are the order desk's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from audit import Change
from models import (
    Communication,
    Customer,
    ErrorCode,
    Fault,
    Location,
    Note,
    Payment,
    Permission,
    Row,
    SalesDocument,
    SalesDocumentKind,
    SalesDocumentStatus,
)
from services import order_desk, sales_status, values

_DRAFT = SalesDocumentStatus.DRAFT.value
# Nothing of such a document changes any more.
CLOSED = (SalesDocumentStatus.PAID.value, SalesDocumentStatus.VOID.value)
# What changes in any other status; the rest is for drafts.
_LATER = frozenset({"due_on"})
_REQUIRED = ("number", "issued_on", "currency", "amount")
_LONGEST_NUMBER = 50


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a draft to an active customer. With `contact_id` the rules of applying a contact hold."""
    customer = await change.get(Customer, given["customer_id"], field=("customer_id",))
    if not customer["active"]:
        raise Fault.invalid("This customer is inactive: reactivate the customer first.", "customer_id")
    kind: SalesDocumentKind = given["kind"]
    row: Row = {
        "customer_id": customer["id"],
        "kind": kind.value,
        "status": _DRAFT,
        "issued_on": change.now.date().isoformat(),
        "due_on": None,
        "contact_id": None,
        "contact_verified": False,
    }
    fields = _clean(given, row, await _location(change, given))
    fields["balance"] = sales_status.balance_of(row["kind"], fields["amount"])
    contact = await order_desk.contact_to_apply(change, row, given)
    return await change.insert(SalesDocument, {**row, **fields, **contact})


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Change the given fields: all of a draft, later only what may change then."""
    # The location is locked before the document.
    location = await _location(change, given)
    row = await change.get(SalesDocument, identifier, expected_revision)
    fields = _clean(given, row, location)
    changed = [name for name in fields if fields[name] != row[name]]
    fixed = [name for name in changed if row["status"] != _DRAFT and name not in _LATER]
    if changed and row["status"] in CLOSED:
        fixed = fixed or changed
    if fixed:
        what = SalesDocument.label(row)
        raise Fault(ErrorCode.READ_ONLY, f"This cannot change any more: {what} is {row['status']}.", (fixed[0],))
    if "amount" in changed:
        # It is a draft, which has no payments.
        fields["balance"] = sales_status.balance_of(row["kind"], fields["amount"])
    return await change.update(SalesDocument, row, fields)


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a draft and its notes. Fault IN_USE for one that was emailed: the log says what it was about."""
    row = await change.get(SalesDocument, identifier, expected_revision, to_delete=True)
    if row["status"] != _DRAFT:
        message = f"Only drafts can be deleted: this {row['kind'].lower()} is {row['status']}. Void it instead."
        raise Fault(ErrorCode.WRONG_STATUS, message, ("id",))
    if await change.count(Communication, sales_document_id=identifier):
        raise Fault(ErrorCode.IN_USE, f"This {row['kind'].lower()} was emailed to somebody: void it instead.", ("id",))
    await change.delete_all(Note, await change.where(Note, sales_document_id=identifier))
    await change.delete(SalesDocument, row)


async def void(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """Let a document without payments count no more."""
    row = await change.get(SalesDocument, identifier, expected_revision)
    paid = await change.count(Payment, sales_document_id=identifier) > 0
    return await change.update(SalesDocument, row, sales_status.voided(row, paid=paid))


async def refuse_used_contact(change: Change, contact_id: str) -> None:
    """Fault IN_USE when the contact has placed a sales document; it names up to five."""
    await _refuse_used(
        change, "This contact has placed sales documents{}: deactivate it instead.", contact_id=contact_id
    )


async def refuse_used_location(change: Change, location_id: str) -> None:
    """Fault IN_USE when there are sales documents for the location; it names up to five."""
    await _refuse_used(change, "There are sales documents for this location{}: keep it.", location_id=location_id)


async def _refuse_used(change: Change, message: str, **of: Any) -> None:
    rows = await change.where(SalesDocument, limit=5, lock=False, **of)
    if rows:
        names = ", ".join(SalesDocument.label(row) for row in rows)
        named = f" ({names})" if change.actor.may(Permission.SALES_DOCUMENTS_READ) else ""
        raise Fault(ErrorCode.IN_USE, message.format(named), ("id",))


def _clean(given: Mapping[str, Any], row: Row, location: Row | None) -> dict[str, Any]:
    """Column values from input fields, checked. `row` is the locked document, or what a new one has already."""
    fields: dict[str, Any] = {}
    # A new document may leave its day out, but nothing else.
    for name in _REQUIRED:
        if name in given and given[name] is None:
            raise Fault.invalid(f"{name.replace('_', ' ').capitalize()} is required: it cannot be null.", name)
    if "number" in given:
        fields["number"] = values.line(given["number"], ("number",), longest=_LONGEST_NUMBER)
    if "location_id" in given:
        if location is not None and location["customer_id"] != row["customer_id"]:
            raise Fault.invalid("This location belongs to another customer.", "location_id")
        fields["location_id"] = given["location_id"]
    fields.update(_days(given, row))
    if "currency" in given:
        fields["currency"] = values.tradable(given["currency"], ("currency",))
    currency = fields.get("currency") or row["currency"]
    if "amount" in given:
        fields["amount"] = values.amount(given["amount"], currency, ("amount",))
    elif currency != row["currency"]:
        raise Fault.invalid("Give the amount in the new currency, too.", "amount")
    return fields


async def _location(change: Change, given: Mapping[str, Any]) -> Row | None:
    location_id = given.get("location_id")
    return None if location_id is None else await change.refer(Location, location_id, ("location_id",))


def _days(given: Mapping[str, Any], row: Row) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    for name in ("issued_on", "due_on"):
        if name in given:
            day: date | None = given[name]
            fields[name] = None if day is None else day.isoformat()
    after = {**row, **fields}
    if fields and after["due_on"] is not None and after["due_on"] < after["issued_on"]:
        raise Fault.invalid(
            "It cannot be due before the day that it bears.", "due_on" if "due_on" in fields else "issued_on"
        )
    return fields
