"""What may happen to contact roles, and to the roles of many contacts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit import Change
from models import Contact, ContactRole, DesignationSource, ErrorCode, Fault, Permission, Row, WellKnownRole
from models.contact_role import ROLE_LIMIT
from models.identifier import check_id
from services import levels, values

_LOCK = "contact_role"
BULK_LIMIT = 1000
_NAMED = 5


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a role, up to the limit of 30."""
    fields = _clean({"name": None, **given})
    await change.lock(_LOCK)
    if await change.count(ContactRole) >= ROLE_LIMIT:
        raise Fault(
            ErrorCode.LIMIT_REACHED, f"There are {ROLE_LIMIT} contact roles already, the most there can be: delete one."
        )
    by = {"designated_by": DesignationSource.USER.value}
    return await change.insert(ContactRole, {"invoice_presentment": False, "communication": False, **by, **fields})


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Rename a role or change its designations; what a user designates, no sync overwrites."""
    row = await change.get(ContactRole, identifier, expected_revision)
    fields = _clean(given)
    if any(fields.get(name, row[name]) != row[name] for name in ("invoice_presentment", "communication")):
        fields["designated_by"] = DesignationSource.USER.value
    return await change.update(ContactRole, row, fields)


async def delete(change: Change, identifier: str, expected_revision: int | None, replacement_id: str | None) -> None:
    """Remove a role. Its holders get the replacement; without one a role in use is refused and names them."""
    row = await change.get(ContactRole, identifier, expected_revision, to_delete=True)
    if row["well_known"] is not None:
        raise Fault(ErrorCode.READ_ONLY, "This role exists from the start and cannot be deleted; rename it.", ("id",))
    if replacement_id is None:
        await _refuse_in_use(change, identifier)
    else:
        if replacement_id == identifier:
            raise Fault.invalid("A role cannot replace itself.", "replacement_id")
        replacement = await change.refer(ContactRole, replacement_id, ("replacement_id",))
        holders = await change.where(Contact, role_id=identifier, limit=BULK_LIMIT + 1)
        if len(holders) > BULK_LIMIT:
            message = f"More than {BULK_LIMIT} contacts have this role: give most of them another first."
            raise Fault(ErrorCode.IN_USE, message, ("replacement_id",))
        await change.update_all(Contact, holders, {"role_id": replacement["id"]})
    await change.delete(ContactRole, row)


async def assign(change: Change, contacts: Sequence[Mapping[str, Any]], role_id: str | None) -> list[Row]:
    """Give the role (None: no role) to all of the contacts, or to none of them. Each is {id, expected_revision}."""
    if not 1 <= len(contacts) <= BULK_LIMIT:
        raise Fault.invalid(f"Name 1 to {BULK_LIMIT} contacts.", "contacts")
    ids = [check_id(item["id"], Contact.prefix, "contacts", index, "id") for index, item in enumerate(contacts)]
    if role_id is not None:
        await change.refer(ContactRole, role_id, ("role_id",))
    rows = await change.every(Contact, ids)
    seen: set[str] = set()
    for index, item in enumerate(contacts):
        _check(change, rows, item, seen, index)
    changed = await change.update_all(Contact, [rows[identifier] for identifier in ids], {"role_id": role_id})
    rows.update({row["id"]: row for row in changed})
    return [rows[identifier] for identifier in ids]


async def designate_by_sync(change: Change, well_known: WellKnownRole) -> Row:
    """The well-known role, designated communication because it is synced, unless a user has decided otherwise."""
    [row] = await change.where(ContactRole, well_known=well_known.value)
    if row["designated_by"] == DesignationSource.USER.value:
        return row
    by = {"designated_by": DesignationSource.ACCOUNTING.value}
    return await change.update(ContactRole, row, {"communication": True, **by})


def _check(change: Change, rows: Mapping[str, Row], item: Mapping[str, Any], seen: set[str], index: int) -> None:
    row = rows.get(item["id"])
    if row is None:
        raise Fault(ErrorCode.NOT_FOUND, "There is no contact with this ID.", ("contacts", index, "id"))
    if item["id"] in seen:
        raise Fault.invalid("This contact is named twice.", "contacts", index, "id")
    seen.add(item["id"])
    levels.check_may_write(change, row["location_id"])
    expected = item.get("expected_revision")
    if expected is not None and expected != row["revision"]:
        raise Fault(
            ErrorCode.CONFLICT,
            "Somebody changed this contact in the meantime. Read it again and repeat your change.",
            ("contacts", index, "expected_revision"),
            current_revision=row["revision"],
        )


async def _refuse_in_use(change: Change, identifier: str) -> None:
    holders = await change.where(Contact, role_id=identifier, limit=_NAMED, lock=False)
    if not holders:
        return
    number = await change.count(Contact, role_id=identifier)
    said = f"{number} contacts have this role"
    if change.actor.may(Permission.CUSTOMERS_READ):
        rest = f" and {number - len(holders)} more" if number > len(holders) else ""
        said = f"Contacts have this role: {', '.join(Contact.label(holder) for holder in holders)}{rest}"
    raise Fault(ErrorCode.IN_USE, f"{said}. Name a role to replace it.", ("replacement_id",))


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("name", "invoice_presentment", "communication"):
        if name not in given:
            continue
        if given[name] is None:
            raise Fault.invalid(f"{name.replace('_', ' ').capitalize()} is required: it cannot be null.", name)
        fields[name] = values.line(given[name], (name,), longest=100) if name == "name" else given[name]
    return fields
