"""The order desk: who placed a document, and what the contact policy asks before release, posting and payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Action, Change
from models import Contact, ContactPolicy, Customer, ErrorCode, Fault, Row, SalesDocument
from services import order_passwords, preferences, sales_status

_WARNING = (
    "Customer Contact Required! This customer requires a valid customer contact. This should be set before posting."
    " Are you sure you want to continue?"
)
_REFUSAL = "This customer requires a valid customer contact. This must be set before posting."
_NO_RELEASE = (
    "This customer requires a valid customer contact. An order cannot be released without one: apply the contact first."
)


async def apply_contact(
    change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]
) -> Row:
    """Say who placed a document (`contact_id`), or take that away from a draft. `given` has been verified."""
    field = ("sales_document_id",)
    row = await _customer_first(change, identifier, field)
    # The contact is locked before the document.
    contact = await contact_to_apply(change, row, given)
    row = await change.get(SalesDocument, identifier, expected_revision, field=field)
    if row["status"] in ("PAID", "VOID"):
        raise _wrong(row, "get another contact", field)
    if given.get("contact_id") is None and row["contact_id"] is not None and row["status"] != "DRAFT":
        raise _wrong(row, "lose its contact: apply another one instead", field)
    return await change.update(SalesDocument, row, contact)


async def release(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """Release a quote or an order; an order of a customer who requires a contact not without one."""
    await _customer_first(change, identifier, ("id",))
    row = await change.get(SalesDocument, identifier, expected_revision)
    fields = sales_status.released(row)
    policy = await _policy(change, row["customer_id"])
    if row["kind"] == "ORDER" and not await _is_settled(change, row, policy):
        raise Fault(ErrorCode.CONTACT_REQUIRED, _NO_RELEASE, ("id",))
    return await change.update(SalesDocument, row, {**fields, "released_at": change.now})


async def post(change: Change, identifier: str, expected_revision: int | None, *, acknowledge: bool) -> Row:
    """Post an order or an invoice. Without the contact that the customer requires see `require_contact`."""
    await _customer_first(change, identifier, ("id",))
    row = await change.get(SalesDocument, identifier, expected_revision)
    fields = sales_status.posted(row)
    await require_contact(change, row, acknowledge=acknowledge, field=("id",))
    return await change.update(SalesDocument, row, {**fields, "posted_at": change.now})


async def contact_to_apply(change: Change, row: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns for the contact in `given`, an active one of the document's customer; none when there is no input.

    Fault INVALID or NOT_FOUND at `contact_id`, INVALID at `order_password` when the policy demands one.
    """
    contact_id = given.get("contact_id")
    if contact_id is None:
        if given.get("order_password") is not None:
            raise Fault.invalid("Name the contact whose order password this is.", "contact_id")
        return {"contact_id": None, "contact_verified": False}
    contact = await change.refer(Contact, contact_id, ("contact_id",))
    if contact["customer_id"] != row["customer_id"]:
        raise Fault.invalid("This contact belongs to another customer.", "contact_id")
    if not contact["active"]:
        raise Fault.invalid("This contact is inactive: choose an active one.", "contact_id")
    if given.get("order_password") is not None:
        order_passwords.check_verified(contact, given)
        return {"contact_id": contact_id, "contact_verified": True}
    if await _policy(change, row["customer_id"]) is ContactPolicy.REQUIRED_WITH_PASSWORD:
        order_passwords.check_has_one(contact)
        raise Fault.invalid("This customer requires the contact's order password.", "order_password")
    return {"contact_id": contact_id, "contact_verified": row["contact_verified"] and row["contact_id"] == contact_id}


async def require_contact(change: Change, row: Row, *, acknowledge: bool, field: tuple[str, ...]) -> None:
    """Hold the customer's contact policy before posting and payment.

    Where a contact is required and missing: Fault ACKNOWLEDGEMENT_REQUIRED, or with `acknowledge` an event that says
    that the contact was waived. Where its password is required, too: Fault CONTACT_REQUIRED at `field`.
    """
    policy = await _policy(change, row["customer_id"])
    if await _is_settled(change, row, policy):
        return
    if policy is ContactPolicy.REQUIRED_WITH_PASSWORD:
        raise Fault(ErrorCode.CONTACT_REQUIRED, _REFUSAL, field)
    if not acknowledge:
        raise Fault(ErrorCode.ACKNOWLEDGEMENT_REQUIRED, _WARNING, ("acknowledge",))
    change.mention(SalesDocument, row, Action.SALES_DOCUMENT_CONTACT_WAIVED)


async def lock_customer_of(change: Change, row: Row) -> None:
    """Keep the customer's policy and its contacts as they are until the end of the transaction."""
    await change.get(Customer, row["customer_id"])


async def _customer_first(change: Change, identifier: str, field: tuple[str, ...]) -> Row:
    """The document as it is before it is locked, its customer locked."""
    row = await change.read(SalesDocument, identifier, field=field)
    await lock_customer_of(change, row)
    return row


async def _policy(change: Change, customer_id: str) -> ContactPolicy:
    return ContactPolicy((await preferences.effective(change, customer_id))["contact_policy"])


async def _is_settled(change: Change, row: Row, policy: ContactPolicy) -> bool:
    """Whether the policy asks for nothing that the document lacks. A contact that was deactivated is not valid."""
    if policy is ContactPolicy.NOT_REQUIRED:
        return True
    if row["contact_id"] is None:
        return False
    contact = await change.read(Contact, row["contact_id"])
    known = contact["active"] and contact["customer_id"] == row["customer_id"]
    return known and (policy is ContactPolicy.REQUIRED or row["contact_verified"])


def _wrong(row: Row, what: str, field: tuple[str, ...]) -> Fault:
    message = f"This {row['kind'].lower()} is {row['status']} and cannot {what}."
    return Fault(ErrorCode.WRONG_STATUS, message, field)
