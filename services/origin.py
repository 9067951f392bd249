"""Where a row comes from, and what that forbids: what an accounting system delivers is read-only here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import ActorKind, Change
from models import ErrorCode, Fault, Row

# Input fields that write a column of another name.
_COLUMNS = {"email": "methods", "phone": "methods", "method_ids": "methods", "copy_customer_address": "address"}


def is_synced(row: Row) -> bool:
    """Whether an accounting system delivers this row."""
    return row["origin_system"] is not None


def refuse_delivered(
    change: Change, row: Row, fields: Mapping[str, Any], delivered: frozenset[str], given: Mapping[str, Any]
) -> None:
    """READ_ONLY when `fields` would change what the accounting system delivers, unless that system is the actor.

    The fault names the first of the `given` input fields that is to blame.
    """
    if not is_synced(row) or change.actor.kind is ActorKind.ACCOUNTING:
        return
    changed = [name for name in fields if name in delivered and fields[name] != row[name]]
    if changed:
        blamed = [name for name in given if name in changed or _COLUMNS.get(name) in changed]
        raise Fault(
            ErrorCode.READ_ONLY,
            "This comes from the accounting system: change it there, and it will sync.",
            tuple(blamed[:1]) or (changed[0],),
        )
