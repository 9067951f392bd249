"""What contacts are assigned for: who is asked about a job, a request, an unpaid invoice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import Assignment, Contact, Customer, ErrorCode, Fault, Permission, Purpose, Row
from services import values
from services.levels import check_may_write

_LONGEST = {"type": 60, "id": 200, "label": 200}


async def assign(change: Change, given: Mapping[str, Any]) -> Row:
    """Assign an active contact for a purpose at its customer, as a whole or for a reference.

    Of a single purpose somebody else may be the holder: TAKEN names them, and with `replace` they hand it over.
    """
    reference = _reference(given.get("reference"))
    purpose = await change.refer(Purpose, given["purpose_id"], ("purpose_id",))
    contact = await change.read(Contact, given["contact_id"], field=("contact_id",))
    # What is single is so at the customer: nobody else assigns there meanwhile, nor makes the contact inactive.
    customer = await change.get(Customer, contact["customer_id"], field=("contact_id",))
    contact = await change.refer(Contact, given["contact_id"], ("contact_id",))
    check_may_write(change, contact["location_id"])
    if not contact["active"]:
        raise Fault.invalid("This contact is inactive: activate it, or choose another.", "contact_id")
    row = {"customer_id": customer["id"], "contact_id": contact["id"], "purpose_id": purpose["id"], **reference}
    if purpose["single"]:
        key = {name: row[name] for name in ("customer_id", "purpose_id")} | Assignment.derive(row)
        holders = [holder for holder in await change.where(Assignment, **key) if holder["contact_id"] != contact["id"]]
        if holders:
            return await _replace(change, holders[0], contact, reference, replace=bool(given.get("replace")))
    return await change.insert(Assignment, row)


async def unassign(change: Change, identifier: str, expected_revision: int | None) -> None:
    """End an assignment."""
    row = await change.get(Assignment, identifier, expected_revision, to_delete=True)
    contact = await change.read(Contact, row["contact_id"])
    check_may_write(change, contact["location_id"])
    await change.delete(Assignment, row)


async def uses(change: Change, assignments: list[Row], *, longest: int = 5) -> str:
    """The assignments of a contact in words, `longest` of them by name; only their number for who may not read them."""
    if not change.actor.may(Permission.CUSTOMERS_READ):
        return f"{len(assignments)} assignments"
    shown = assignments[:longest]
    purposes = {row["id"]: row["name"] for row in await change.where(Purpose, lock=False)}
    names = [
        purposes[row["purpose_id"]] + (f" ({row['reference_label']})" if row["reference_label"] else "")
        for row in shown
    ]
    rest = f" and {len(assignments) - len(shown)} more" if len(assignments) > len(shown) else ""
    return ", ".join(names) + rest


async def hand_over(change: Change, assignments: list[Row], successor: Row) -> None:
    """Move assignments to another contact of the customer; what that one is assigned for already ends."""
    held = {
        (row["purpose_id"], row["reference_key"])
        for row in await change.where(Assignment, contact_id=successor["id"], lock=False)
    }
    double = [row for row in assignments if (row["purpose_id"], row["reference_key"]) in held]
    await change.delete_all(Assignment, double)
    moved = [row for row in assignments if row not in double]
    await change.update_all(Assignment, moved, {"contact_id": successor["id"]})


async def _replace(change: Change, held: Row, contact: Row, reference: Mapping[str, Any], *, replace: bool) -> Row:
    holder = await change.read(Contact, held["contact_id"])
    if not replace:
        named = f": {Contact.label(holder)}" if change.actor.may(Permission.CUSTOMERS_READ) else ""
        raise Fault(
            ErrorCode.TAKEN,
            f"Another contact is assigned so already{named}. Replace them, or choose another.",
            ("replace",),
        )
    check_may_write(change, holder["location_id"])
    return await change.update(Assignment, held, {"contact_id": contact["id"], **reference})


def _reference(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        f"reference_{name}": given and values.line(given[name], ("reference", name), longest=longest)
        for name, longest in _LONGEST.items()
    }
