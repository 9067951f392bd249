"""Merging two customers: what belongs to the one moves to the other, and the row of the one stays to say where it went.

Every table that refers to customers is moved, whatever it holds: they are found by their declarations. Each moved row
leaves its own event, so history alone says what was whose. Only the communication log stays as it was written: it says
who was written to then, and the survivor's log has it, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit import Change
from models import Communication, Customer, CustomerField, Delivery, ErrorCode, Fault, Preferences, Row
from models.hierarchy import with_ancestors
from models.identifier import check_id
from models.preferences import PREFERENCES, preferences_id
from models.registry import AUDITED
from models.table import Audited, references
from services import merging_assignments, merging_contacts, merging_locations, values
from services.customers import DELIVERED, HIERARCHY, named
from services.origin import is_synced

# The columns of what can be taken over; preferences are rows of their own.
_TAKEN: Mapping[CustomerField, tuple[str, ...]] = {
    CustomerField.NAME: ("name",),
    CustomerField.KIND: ("kind",),
    CustomerField.WEBSITE: ("website",),
    CustomerField.BILLING_ADDRESS: ("billing_address",),
    CustomerField.SHIPPING_ADDRESS: ("shipping_address",),
    CustomerField.TAX_ID: ("tax_id",),
    CustomerField.PAYMENT_TERMS: ("payment_terms",),
    CustomerField.CURRENCY: ("currency",),
    CustomerField.PARENT: ("parent_id", "payment_responsibility"),
    CustomerField.PREFERENCES: (),
}

# Tables whose rows do not simply change their customer.
_BY_THEMSELVES = (merging_locations.TABLE, merging_contacts.TABLE, merging_assignments.TABLE, Preferences)
STAY = (Communication, Delivery)


async def merge(change: Change, given: Mapping[str, Any]) -> tuple[Row, Row]:
    """Merge `merged_id` into `id`: (survivor, merged customer).

    The survivor keeps its own fields but for those in `take`, and gets the other's contact methods as well unless an
    accounting system delivers its own. INVALID for itself, for a customer below the merged one and for a synced one
    into a local one; READ_ONLY when one of the two was merged before; TAKEN for locations of the same name.
    """
    survivor, merged = await _both(change, given)
    await _refuse(change, survivor, merged)
    take: Sequence[CustomerField] = given.get("take") or ()
    fields = {**await _fields(change, survivor, merged, take), **_methods(survivor, merged)}
    survivor = await change.update(Customer, survivor, fields)
    await _preferences(change, survivor, merged, taken=CustomerField.PREFERENCES in take)
    await merging_locations.move(change, survivor, merged, given.get("locations") or ())
    await merging_contacts.move(change, survivor, merged, given.get("primary_contact_id"))
    await merging_assignments.move(change, survivor, merged)
    for table in AUDITED:
        if table not in (*_BY_THEMSELVES, *STAY):
            await _move(change, table, survivor, merged)
    end = {"active": False, "parent_id": None, "merged_into_id": survivor["id"]}
    return survivor, await change.update(Customer, merged, end, verb="merged")


async def _both(change: Change, given: Mapping[str, Any]) -> tuple[Row, Row]:
    """Both customers, locked with all that refer to the merged one, in the order of their ids."""
    identifier = check_id(given["id"], Customer.prefix, "id")
    merged_id = check_id(given["merged_id"], Customer.prefix, "merged_id")
    if identifier == merged_id:
        raise Fault.invalid("A customer cannot be merged into itself: name two customers.", "merged_id")
    await change.lock(HIERARCHY)
    concerned = {identifier, merged_id}
    for column, target in references(Customer).items():
        if target is Customer:
            equal: Row = {column: merged_id}
            concerned |= {row["id"] for row in await change.where(Customer, lock=False, **equal)}
    await change.every(Customer, concerned)
    survivor = await change.get(Customer, identifier, given.get("expected_revision"))
    # Nobody can make anything new at a customer that is about to be merged.
    merged = await change.get(Customer, merged_id, field=("merged_id",), to_delete=True)
    if given.get("merged_expected_revision") not in (None, merged["revision"]):
        raise Fault(
            ErrorCode.CONFLICT,
            "Somebody changed the merged customer in the meantime. Read it again and repeat your change.",
            ("merged_expected_revision",),
            current_revision=merged["revision"],
        )
    return survivor, merged


async def _refuse(change: Change, survivor: Row, merged: Row) -> None:
    if merged["id"] in await with_ancestors(survivor["id"]):
        below, above = named(change, survivor, "The survivor"), named(change, merged, "the merged customer")
        message = f"{below} stands below {above}: merge them the other way round."
        raise Fault.invalid(message, "merged_id")
    if is_synced(merged) and not is_synced(survivor):
        message = (
            f"{named(change, merged, 'The merged customer')} comes from an accounting system, which would deliver it"
            " again: merge them the other way round."
        )
        raise Fault.invalid(message, "merged_id")


async def _fields(change: Change, survivor: Row, merged: Row, take: Sequence[CustomerField]) -> Row:
    """What the survivor takes over, by column."""
    fields: Row = {}
    for index, field in enumerate(take):
        taken = {column: merged[column] for column in _TAKEN[field]}
        delivered = [column for column, value in taken.items() if column in DELIVERED and value != survivor[column]]
        if delivered and is_synced(survivor):
            message = "This comes from the accounting system: change it there, and it will sync."
            raise Fault(ErrorCode.READ_ONLY, message, ("take", index))
        if field is CustomerField.PARENT:
            await _refuse_circle(change, survivor, merged, index)
        fields |= taken
    return fields


async def _refuse_circle(change: Change, survivor: Row, merged: Row, index: int) -> None:
    parent_id = merged["parent_id"]
    if parent_id is not None and survivor["id"] in await with_ancestors(parent_id):
        below, above = named(change, merged, "The merged customer"), named(change, survivor, "the survivor")
        message = f"{below} stands below {above}, which cannot be below itself: do not take its parent."
        raise Fault.invalid(message, "take", index)


def _methods(survivor: Row, merged: Row) -> Row:
    """The contact methods of both. Those of a synced survivor are the accounting system's: the next sync would tell."""
    if is_synced(survivor):
        return {}
    known = {values.identity(method["kind"], method["value"]) for method in survivor["methods"]}
    kinds = {method["kind"] for method in survivor["methods"]}
    further = [
        {**method, "preferred": method["preferred"] and method["kind"] not in kinds}
        for method in merged["methods"]
        if values.identity(method["kind"], method["value"]) not in known
    ]
    together = [*survivor["methods"], *further]
    if len(together) > values.METHOD_LIMIT:
        raise Fault.invalid(
            f"Together they have {len(together)} contact methods, and a customer has at most {values.METHOD_LIMIT}:"
            " remove some first.",
            "merged_id",
        )
    return {"methods": together}


async def _preferences(change: Change, survivor: Row, merged: Row, *, taken: bool) -> None:
    """Each customer has preferences of its own: the survivor's stay, unless those of the other are taken."""
    rows = await change.where(Preferences, customer_id=merged["id"])
    if taken:
        columns = (*PREFERENCES, "reminders")
        fields = {name: rows[0][name] if rows else None for name in columns}
        own = await change.where(Preferences, customer_id=survivor["id"])
        if own:
            await change.update(Preferences, own[0], fields)
        elif rows:
            made = {"id": preferences_id(survivor["id"]), "customer_id": survivor["id"]}
            await change.insert(Preferences, {**made, **fields})
    await change.delete_all(Preferences, rows)


async def _move(change: Change, table: type[Audited], survivor: Row, merged: Row) -> None:
    """Let all rows of the table that refer to the merged customer refer to the survivor."""
    for column, target in references(table).items():
        if target is Customer:
            # Customers are locked already.
            kept = {"unreferred": True} if table is not Customer else {}
            rows = await change.where(table, **kept, **{column: merged["id"]})
            try:
                await change.update_all(table, rows, {column: survivor["id"]})
            except Fault as fault:
                what = table.subject.value.replace("_", " ")
                message = f"Both customers have the same {what}: {fault.message} Change or remove one of them first."
                raise Fault(fault.code, message, ("merged_id",)) from fault
