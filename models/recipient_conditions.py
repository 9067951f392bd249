"""Who gets which email, in SQL: what `models.recipient.decide` says, as conditions of lists."""

from __future__ import annotations

from models.communication_kind import DESIGNATION, SWITCHED, CommunicationKind
from models.listing import Condition


def receives(kind: CommunicationKind, alias: str = "t") -> Condition:
    """Contacts, over the alias, that get emails of the kind. KeyError for a kind without recipients."""
    sql = (
        f"{_reachable(kind, alias)} AND EXISTS (SELECT 1 FROM customer a WHERE a.id = {alias}.customer_id AND a.active)"
    )
    return Condition(sql, _patterns(kind))


def has_no_recipient_for(kind: CommunicationKind) -> Condition:
    """Customers, over the alias `t`, of whom nobody gets emails of the kind: all of the inactive ones, too."""
    contacts = f"SELECT 1 FROM contact c WHERE c.customer_id = t.id AND {_reachable(kind, 'c')}"
    return Condition(f"(NOT t.active OR NOT EXISTS ({contacts}))", _patterns(kind))


def _reachable(kind: CommunicationKind, alias: str) -> str:
    """What depends on the contact, its role and the switches."""
    designated = f"SELECT r.id FROM contact_role r WHERE r.{DESIGNATION[kind].value}"
    sql = (
        f"{alias}.active AND {alias}.email IS NOT NULL AND {alias}.email_problem IS NULL"
        f" AND {alias}.role_id IN ({designated})"
    )
    return f"{sql} AND {_switched_on(alias)}" if kind in SWITCHED else sql


def _switched_on(alias: str) -> str:
    own = f"{alias}.notifications"
    everywhere = "EXISTS (SELECT 1 FROM settings s WHERE s.notifications LIKE ?)"
    return f"CASE WHEN {own} LIKE ? THEN TRUE WHEN {own} LIKE ? THEN FALSE ELSE {everywhere} END"


def _patterns(kind: CommunicationKind) -> tuple[str, ...]:
    """The arguments of `_switched_on`: JSON columns are canonical text (models.table.encode), the same everywhere."""
    on = f'%"{kind.value}":true%'
    return (on, f'%"{kind.value}":false%', on) if kind in SWITCHED else ()
