"""The same person at several customers: linked by hand here, or by an accounting system that knows them as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit import Change
from models import Contact, ErrorCode, Fault, Row
from models.identifier import check_id, new_id
from services.levels import check_may_write

FEWEST, MOST = 2, 20
# As many as are shown.
GROUP_LIMIT = 100

PREFIX = "per"
_LOCK = "person"


async def link(change: Change, contacts: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Say of contacts of different customers that they are one person, with all who are linked to them already.

    Each is {id, expected_revision}. Role, primary and notifications stay with each contact.
    """
    if not FEWEST <= len(contacts) <= MOST:
        raise Fault.invalid(f"Name {FEWEST} to {MOST} contacts.", "contacts")
    ids = [check_id(item["id"], Contact.prefix, "contacts", index, "id") for index, item in enumerate(contacts)]
    await change.lock(_LOCK)
    named = [await change.read(Contact, one, field=("contacts", index, "id")) for index, one in enumerate(ids)]
    persons = sorted({row["person_id"] for row in named if row["person_id"] is not None})
    linked = [row for person in persons for row in await change.where(Contact, lock=False, person_id=person)]
    rows = await change.every(Contact, {row["id"] for row in (*named, *linked)})
    _check(change, rows, contacts)
    group = [rows[identifier] for identifier in sorted(rows)]
    if len(group) > GROUP_LIMIT:
        raise Fault(ErrorCode.LIMIT_REACHED, f"At most {GROUP_LIMIT} contacts can be one person.", ("contacts",))
    for row in group:
        check_may_write(change, row["location_id"])
    person = persons[0] if persons else new_id(PREFIX)
    changed = await change.update_all(Contact, group, {"person_id": person})
    rows.update({row["id"]: row for row in changed})
    return [rows[identifier] for identifier in ids]


async def unlink(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """Say of a contact that it is nobody else; those it was linked with stay linked with each other."""
    await change.lock(_LOCK)
    row = await change.get(Contact, identifier, expected_revision)
    check_may_write(change, row["location_id"])
    if row["person_id"] is None:
        raise Fault.invalid("This contact is not linked with others by hand.", "id")
    return await change.update(Contact, row, {"person_id": None})


def _check(change: Change, rows: Mapping[str, Row], contacts: Sequence[Mapping[str, Any]]) -> None:
    at: dict[str, str] = {}
    seen: set[str] = set()
    for index, item in enumerate(contacts):
        row = rows.get(item["id"])
        if row is None:
            raise Fault(ErrorCode.NOT_FOUND, "There is no contact with this ID.", ("contacts", index, "id"))
        if item["id"] in seen:
            raise Fault.invalid("This contact is named twice.", "contacts", index, "id")
        seen.add(item["id"])
        expected = item.get("expected_revision")
        if expected is not None and expected != row["revision"]:
            raise Fault(
                ErrorCode.CONFLICT,
                "Somebody changed this contact in the meantime. Read it again and repeat your change.",
                ("contacts", index, "expected_revision"),
                current_revision=row["revision"],
            )
    for identifier in [*(item["id"] for item in contacts), *rows]:
        other = at.setdefault(rows[identifier]["customer_id"], identifier)
        if _person(rows[other]) != _person(rows[identifier]):
            index = max((i for i, item in enumerate(contacts) if item["id"] in (identifier, other)), default=0)
            raise Fault.invalid(
                "Two of these contacts, or of those they are linked with, are at the same customer: one person is there"
                " once.",
                "contacts",
                index,
                "id",
            )


def _person(row: Row) -> str:
    """Who the contact is so far. A merge of customers may have brought contacts of one person to one customer."""
    return str(row["person_id"] or row["id"])
