"""Email addresses that take no mail: contacts who prefer such an address are marked until it changes or is cleared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from audit import Change
from audit.email_problem_history import cleared
from models import Contact, Fault, Row
from models.contact_rows import contacts_written_to
from services.levels import check_may_write


async def concerned(change: Change, delivery_ids: Sequence[str]) -> dict[str, Row]:
    """The contacts whose preferred address is one that these deliveries went to, locked, by id: before the deliveries
    are, because contacts are locked first.
    """
    return await change.every(Contact, await contacts_written_to(delivery_ids)) if delivery_ids else {}


async def open_to_doubt(contacts: Mapping[str, Row], delivery: Row) -> set[str]:
    """Those of the contacts whom a report by anybody may mark: the one who got the email, unless a person has cleared
    a problem of theirs since it was sent.
    """
    identifier = delivery["contact_id"]
    if identifier not in contacts:
        return set()
    at = (await cleared([identifier])).get(identifier)
    return set() if at is not None and delivery["created_at"] <= at else {identifier}


async def mark(change: Change, contacts: dict[str, Row], delivery: Row, blamed: Collection[str]) -> None:
    """Say of each of the locked contacts who is `blamed` and prefers the delivery's address that it takes no mail. What
    was known of the address before stays: it says since when.
    """
    problem = {
        "address": delivery["email"],
        "at": delivery["status_at"].isoformat(),
        "reply": delivery["reply"],
        "delivery_id": delivery["id"],
    }
    for identifier, row in contacts.items():
        if identifier in blamed and row["email_key"] == delivery["email_key"] and row["email_problem"] is None:
            contacts[identifier] = await change.update(Contact, row, {"email_problem": problem})


async def clear(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """Forget that the contact's address takes no mail. INVALID when nothing is known against it."""
    row = await change.get(Contact, identifier, expected_revision)
    check_may_write(change, row["location_id"])
    if row["email_problem"] is None:
        raise Fault.invalid("This contact has no email problem.", "id")
    return await change.update(Contact, row, {"email_problem": None})
