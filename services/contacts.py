"""What may happen to contacts: two levels, exactly one primary, and what the accounting system delivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import Assignment, Contact, ContactRole, Customer, ErrorCode, Fault, Location, Note, Row
from models.switch import NAMES
from services import password_links, succession, switches, values
from services.levels import check_may_write
from services.origin import is_synced, refuse_delivered
from services.sales_documents import refuse_used_contact

# What an accounting system delivers, and is therefore read-only here while the contact is synced.
DELIVERED = frozenset({"first_name", "last_name", "methods", "address"})

# One of these must be there: what a contact is called by.
_NAMED_BY = ("first_name", "last_name", "methods")

_LINES = {"first_name": 100, "last_name": 100, "title": 100}


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a contact to a customer or to one of its locations. The first active contact becomes primary by itself."""
    await _refer_to_role(change, given)
    customer = await change.get(Customer, given["customer_id"], field=("customer_id",))
    check_may_write(change, given.get("location_id"))
    fields = {"methods": [], **await _clean(change, given, customer, None)}
    if not any(fields.get(name) for name in _NAMED_BY):
        raise Fault.invalid("Give a first name, a last name or a contact method.", "first_name")
    active = fields.setdefault("active", True)
    primary = await _primary_of(change, customer["id"]) if active else None
    becomes_primary = active and (primary is None or bool(given.get("primary")))
    if given.get("primary") and not active:
        raise Fault.invalid("An inactive contact cannot be the primary contact.", "primary")
    if becomes_primary and primary is not None:
        await _demote(change, primary)
    return await change.insert(Contact, {**fields, "customer_id": customer["id"], "primary": becomes_primary})


async def update(
    change: Change,
    identifier: str,
    expected_revision: int | None,
    given: Mapping[str, Any],
    successor_id: str | None = None,
) -> Row:
    """Change the given fields. Null clears, absence leaves. Rules across contacts lock the customer first."""
    await _refer_to_role(change, given)
    customer = await _customer_first(change, identifier, given, successor_id)
    row = await change.get(Contact, identifier, expected_revision)
    check_may_write(change, row["location_id"])
    if "location_id" in given:
        check_may_write(change, given["location_id"])
    reads_numbers = customer is None and "methods" in given
    owner = await change.read(Customer, row["customer_id"]) if reads_numbers else customer
    fields = await _clean(change, given, owner, row)
    refuse_delivered(change, row, fields, DELIVERED, given)
    _check_successor_wanted(row, fields, successor_id)
    after = {**row, **fields}
    if not any(after[name] for name in _NAMED_BY):
        cleared = [name for name in _NAMED_BY if name in given]
        raise Fault.invalid("A contact needs a first name, a last name or a contact method.", *cleared[:1])
    if "methods" in fields and all(method["kind"] != after["preferred_method"] for method in fields["methods"]):
        fields.setdefault("preferred_method", None)
    if customer is not None:
        fields["primary"] = await _settle_primary(change, row, fields, given, successor_id)
    after = await change.update(Contact, row, fields)
    if after["email"] != row["email"] or after["active"] < row["active"]:
        await password_links.end(identifier)
    return after


async def delete(
    change: Change, identifier: str, expected_revision: int | None, successor_id: str | None = None
) -> None:
    """Remove a local contact and its notes. The primary one asks for its successor unless nobody is left, and one that
    is assigned always does.
    """
    await _customer_first(change, identifier, {"active": False}, successor_id)
    row = await change.get(Contact, identifier, expected_revision, to_delete=True)
    check_may_write(change, row["location_id"])
    if is_synced(row):
        raise Fault(
            ErrorCode.READ_ONLY, "This contact comes from the accounting system and cannot be deleted here.", ("id",)
        )
    held = await change.where(Assignment, contact_id=identifier)
    if held:
        await succession.pass_on(change, row, held, successor_id)
    if row["primary"]:
        row = await _hand_over(change, row, successor_id)
    elif successor_id is not None and not held:
        raise Fault.invalid("Only the primary contact, or one that is assigned, has a successor.", "successor_id")
    await refuse_used_contact(change, identifier)
    await change.delete_all(Note, await change.where(Note, contact_id=identifier))
    await password_links.end(identifier)
    await change.delete(Contact, row)


async def _refer_to_role(change: Change, given: Mapping[str, Any]) -> None:
    if given.get("role_id") is not None:
        await change.refer(ContactRole, given["role_id"], ("role_id",))


async def _customer_first(
    change: Change, identifier: str, given: Mapping[str, Any], successor_id: str | None
) -> Row | None:
    """Lock the customer when what is given touches rules that hold for all of its contacts, then those concerned."""
    if not given.keys() & {"primary", "active", "location_id", "copy_customer_address"}:
        return None
    row = await change.read(Contact, identifier)
    customer = await change.get(Customer, row["customer_id"])
    primary = await _primary_of(change, customer["id"], lock=False)
    concerned = {identifier, successor_id, primary["id"] if primary else None}
    await change.every(Contact, filter(None, concerned))
    return customer


async def _primary_of(change: Change, customer_id: str, *, lock: bool = True) -> Row | None:
    rows = await change.where(Contact, lock=lock, customer_id=customer_id, primary=True)
    return rows[0] if rows else None


async def _demote(change: Change, primary: Row) -> Row:
    check_may_write(change, primary["location_id"])
    return await change.update(Contact, primary, {"primary": False})


async def _settle_primary(
    change: Change, row: Row, fields: Mapping[str, Any], given: Mapping[str, Any], successor_id: str | None
) -> bool:
    """Whether the contact is primary after this change; moves it from or to another contact where needed."""
    active = fields.get("active", row["active"])
    wanted = given.get("primary")
    if wanted and not active:
        raise Fault.invalid("An inactive contact cannot be the primary contact.", "primary")
    if row["primary"]:
        if not active:
            row.update(await _hand_over(change, row, successor_id))
            return False
        if wanted is False:
            raise Fault(
                ErrorCode.PRIMARY_REQUIRED,
                "A customer needs a primary contact: make another contact primary instead.",
                ("primary",),
            )
        return True
    primary = await _primary_of(change, row["customer_id"]) if active else None
    if not active or (primary is not None and not wanted):
        return False
    if primary is not None:
        await _demote(change, primary)
    return True


def _check_successor_wanted(row: Row, fields: Mapping[str, Any], successor_id: str | None) -> None:
    leaves = row["primary"] and fields.get("active") is False
    if successor_id is not None and not leaves:
        raise Fault.invalid("Only the primary contact has a successor, when it is deactivated.", "successor_id")


async def _hand_over(change: Change, row: Row, successor_id: str | None) -> Row:
    """Make the successor primary in place of `row`, when any active contact is left; `row` as it is afterwards."""
    others = await change.where(Contact, lock=False, customer_id=row["customer_id"], active=True)
    candidates = {other["id"]: other for other in others if other["id"] != row["id"]}
    if successor_id is None and not candidates:
        return row
    if successor_id is None:
        raise Fault(
            ErrorCode.SUCCESSOR_REQUIRED,
            "This is the primary contact: name the active contact of this customer that becomes primary.",
            ("successor_id",),
        )
    if successor_id not in candidates:
        raise Fault.invalid("The successor must be another active contact of the same customer.", "successor_id")
    # The unique index allows one primary at any moment: it leaves before it arrives.
    check_may_write(change, candidates[successor_id]["location_id"])
    row = await change.update(Contact, row, {"primary": False})
    await change.update(Contact, candidates[successor_id], {"primary": True})
    return row


async def _clean(change: Change, given: Mapping[str, Any], customer: Row | None, row: Row | None) -> dict[str, Any]:
    """Column values from input fields, checked. `row` is the contact as it is, None for a new one."""
    fields: dict[str, Any] = {
        name: values.optional_line(given[name], (name,), longest=longest)
        for name, longest in _LINES.items()
        if name in given
    }
    if "priority" in given:
        fields["priority"] = _priority(given["priority"])
    if "active" in given:
        if given["active"] is None:
            raise Fault.invalid("Active is required: it cannot be null.", "active")
        fields["active"] = given["active"]
    fields.update(_address(given, customer))
    if "methods" in given:
        country = ((customer or {}).get("billing_address") or {}).get("country") or "US"
        known = row["methods"] if row else []
        fields["methods"] = values.methods(given["methods"] or [], ("methods",), country=country, known=known)
    fields.update(_preferred_method(given, fields, row))
    for name in ("role_id", "origin_system", "origin_external_id"):
        if name in given:
            fields[name] = given[name]
    for name in NAMES.keys() & given.keys():
        fields[name] = switches.of_contact(name, row[name] if row else None, given[name])
    if "location_id" in given:
        fields["location_id"] = await _location(change, given["location_id"], customer)
    return fields


async def _location(change: Change, location_id: str | None, customer: Row | None) -> str | None:
    if location_id is None:
        return None
    location = await change.refer(Location, location_id, ("location_id",))
    if customer is None or location["customer_id"] != customer["id"]:
        raise Fault.invalid("This location belongs to another customer.", "location_id")
    return location_id


def _address(given: Mapping[str, Any], customer: Row | None) -> dict[str, Any]:
    if given.get("copy_customer_address"):
        if given.get("address") is not None:
            raise Fault.invalid("Give an address or copy the customer's, not both.", "address")
        if customer is None or customer["billing_address"] is None:
            raise Fault.invalid("The customer has no billing address to copy.", "copy_customer_address")
        return {"address": customer["billing_address"]}
    if "address" not in given:
        return {}
    return {"address": None if given["address"] is None else values.address(given["address"], ("address",))}


def _preferred_method(given: Mapping[str, Any], fields: Mapping[str, Any], row: Row | None) -> dict[str, Any]:
    if "preferred_method" not in given:
        return {}
    kind = given["preferred_method"]
    if kind is None:
        return {"preferred_method": None}
    methods = fields.get("methods", row["methods"] if row else [])
    if all(method["kind"] != kind.value for method in methods):
        raise Fault.invalid("The contact has no contact method of this kind.", "preferred_method")
    return {"preferred_method": kind.value}


def _priority(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= 1000:
        raise Fault.invalid("Priority must be from 0 to 1000.", "priority")
    return value
