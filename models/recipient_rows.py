"""Reading who gets which email: the rows that decisions are made of, for many customers at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from models.communication_kind import CommunicationKind
from models.contact import Contact
from models.contact_role import ContactRole
from models.database import current
from models.recipient import Decision, decide
from models.table import Row, columns, decode_row, read_list

_ROLE = {name: f"role_{name}" for name in columns(ContactRole) if name != "id"}
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
    decoded; their roles stand in `Decision.role`. Two statements, in a transaction or outside of one.
    """
    notifications = await _notifications()
    bound = current()
    rows = await bound.fetch(_CONTACTS.format(member=bound.member("c.customer_id")), bound.array(list(customer_ids)))
    roles: dict[str, Row] = {}
    found: dict[str, list[Decision]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        role = _take_role(row, roles)
        customer = {"id": row["customer_id"], "active": row.pop("customer_active")}
        decision = decide(
            kind,
            customer=customer,
            contact=decode_row(Contact, row),
            role=role,
            notifications=notifications,
            location_id=location_ids.get(customer["id"]),
        )
        found[customer["id"]].append(decision)
    return [found[customer_id] for customer_id in customer_ids]


async def _notifications() -> Mapping[str, bool]:
    [settings] = await current().fetch("SELECT notifications FROM settings")
    switches: Mapping[str, bool] = json.loads(settings["notifications"])
    return switches


def _take_role(row: Row, roles: dict[str, Row]) -> Row | None:
    """Take the columns of the role out of a contact's row; contacts of one role share its row."""
    values = {name: row.pop(alias) for name, alias in _ROLE.items()}
    role_id = row["role_id"]
    return None if role_id is None else roles.setdefault(role_id, {"id": role_id, **values})
