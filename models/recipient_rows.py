"""Reading who gets which email: the rows that decisions are made of, for many customers or contacts at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from models.communication_kind import DESIGNATION, CommunicationKind, Designation
from models.contact import Contact
from models.database import current
from models.recipient import Decision, decide
from models.table import Row, decode_row, read_list

# What there is to know of a role: more takes longer than all decisions.
_ROLE = {name: f"role_{name}" for name in ("name", *(designation.value for designation in Designation))}
_OF_ROLE = ", ".join(f"r.{name} AS {alias}" for name, alias in _ROLE.items())
_CONTACTS = f"""
SELECT {read_list(Contact, "c")}, a.active AS customer_active, {_OF_ROLE}
FROM contact c JOIN customer a ON a.id = c.customer_id LEFT JOIN contact_role r ON r.id = c.role_id
WHERE {{member}} ORDER BY c."primary" DESC, c.name_key, c.id"""


async def decisions(
    customer_ids: Sequence[str], kind: CommunicationKind, location_ids: Mapping[str, str | None] = MappingProxyType({})
) -> list[list[Decision]]:
    """A loader: for each customer the decisions about all of its contacts, the primary one first, then by name.

    `location_ids` names by customer the location that the email is about, if any. The contacts' JSON columns are
    decoded; their roles stand in `Decision.role`, with id, name and designations only. Two statements, in a transaction
    or outside of one.
    """
    found: dict[str, list[Decision]] = {customer_id: [] for customer_id in customer_ids}
    notifications = await _notifications()
    for about in await _people("c.customer_id", customer_ids):
        customer_id = about["customer"]["id"]
        location_id = location_ids.get(customer_id)
        found[customer_id].append(decide(kind, **about, notifications=notifications, location_id=location_id))
    return [found[customer_id] for customer_id in customer_ids]


async def decisions_of_contacts(contact_ids: Sequence[str]) -> list[list[Decision]]:
    """A loader: for each contact the decisions about all kinds that recipients are resolved for, wherever what they
    are about is; none without such a contact. Two statements.
    """
    notifications = await _notifications()
    found = {
        about["contact"]["id"]: [decide(kind, **about, notifications=notifications) for kind in DESIGNATION]
        for about in await _people("c.id", contact_ids)
    }
    return [found.get(contact_id, []) for contact_id in contact_ids]


async def _people(column: str, values: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Customer, contact and role of each contact with one of these values in the column."""
    bound = current()
    rows = await bound.fetch(_CONTACTS.format(member=bound.member(column)), bound.array(list(values)))
    roles: dict[str, Row] = {}
    return (_apart(row, roles) for row in rows)


def _apart(row: Row, roles: dict[str, Row]) -> dict[str, Any]:
    """Contacts of one role share it."""
    customer = {"id": row["customer_id"], "active": row.pop("customer_active")}
    values = {name: row.pop(alias) for name, alias in _ROLE.items()}
    role_id = row["role_id"]
    role = None if role_id is None else roles.setdefault(role_id, {"id": role_id, **values})
    return {"customer": customer, "contact": decode_row(Contact, row), "role": role}


async def _notifications() -> Mapping[str, bool]:
    [settings] = await current().fetch("SELECT notifications FROM settings")
    switches: Mapping[str, bool] = json.loads(settings["notifications"])
    return switches
