"""The contacts of a customer that is merged into another: they move, and exactly one of all stays primary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit import Change
from models import AccountingSystem, Contact, Fault, Row

TABLE = Contact

# Systems that know a contact only as a part of its customer.
_WITH_THE_CUSTOMER = frozenset({AccountingSystem.QUICKBOOKS_ONLINE.value, AccountingSystem.QUICKBOOKS_DESKTOP.value})


async def move(change: Change, survivor: Row, merged: Row, primary_id: str | None) -> None:
    """Move the merged customer's contacts. `primary_id` becomes primary, else the survivor's stays it, if there is one.

    A contact that came with the merged customer becomes a local one: nothing syncs to that customer any more. So does
    one that an accounting system has delivered to both customers: a system delivers a contact to a customer once.
    """
    own = await change.where(Contact, customer_id=survivor["id"])
    rows = await change.where(Contact, unreferred=True, customer_id=merged["id"])
    primary = _primary(own, rows, primary_id)
    for former in own:
        if former["primary"] and former is not primary:
            await change.update(Contact, former, {"primary": False})
    delivered = {_origin(row) for row in own if row["origin_system"] is not None}
    freed = [row for row in rows if row["origin_system"] in _WITH_THE_CUSTOMER or _origin(row) in delivered]
    others = [row for row in rows if row not in freed and row is not primary]
    at = {"customer_id": survivor["id"]}
    await change.update_all(Contact, others, {**at, "primary": False})
    local = {"origin_system": None, "origin_external_id": None}
    for row in freed:
        if row is not primary:
            # One by one: a search finds a contact by its external ID, too.
            await change.update(Contact, row, {**at, **local, "primary": False})
    if primary is not None:
        further = {**at, **(local if primary in freed else {})} if primary in rows else {}
        await change.update(Contact, primary, {**further, "primary": True})


def _primary(own: Sequence[Row], rows: Sequence[Row], primary_id: str | None) -> Row | None:
    """Who is primary afterwards; None without an active contact."""
    if primary_id is None:
        return next((row for row in (*own, *rows) if row["primary"]), None)
    for row in (*own, *rows):
        if row["id"] == primary_id and row["active"]:
            return row
    raise Fault.invalid(
        "The primary contact must be an active contact of one of the two customers.", "primary_contact_id"
    )


def _origin(row: Row) -> tuple[Any, Any]:
    return row["origin_system"], row["origin_external_id"]
