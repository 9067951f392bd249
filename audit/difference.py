"""The difference between two states of a row, as an event holds it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from audit.event import body_digest, instant
from models import money
from models.table import Audited, Row, columns, references

# They stand in columns of the event itself.
_IN_THE_EVENT = frozenset({"id", "revision"})


@cache
def recorded_columns(table: type[Audited]) -> tuple[str, ...]:
    """The columns whose changes an event holds: all but the event's own and the derived ones."""
    return tuple(name for name in columns(table) if name not in _IN_THE_EVENT and name not in table.derived)


def difference(
    table: type[Audited], before: Row | None, after: Row | None
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Column → change, and digest → long text. `before` is None for a new row, `after` for a removed one."""
    changes: dict[str, dict[str, Any]] = {}
    bodies: dict[str, str] = {}
    for name in recorded_columns(table):
        old = before[name] if before is not None else None
        new = after[name] if after is not None else None
        if old == new:
            continue
        if name in table.secret:
            changes[name] = {"secret": True}
        elif name in table.long:
            sides = {"before": old, "after": new}
            changes[name] = {f"{side}Digest": body_digest(text) for side, text in sides.items() if text is not None}
            bodies.update({body_digest(text): text for text in sides.values() if text is not None})
        else:
            changes[name] = {"before": recorded_value(old), "after": recorded_value(new)}
            if name in references(table):
                changes[name]["references"] = ("before", "after")
            if name in table.money:
                changes[name].update(_money_texts(name, table.money[name], before, after))
    return changes, bodies


def _money_texts(name: str, currency: str, before: Row | None, after: Row | None) -> dict[str, str]:
    """How the amounts read: later nobody knows any more which currency the row had."""
    sides = {"beforeText": before, "afterText": after}
    return {side: money.text(row[name], row[currency]) for side, row in sides.items() if row is not None}


def recorded_value(value: Any) -> Any:
    """A column's value as events hold it: times are text there."""
    return instant(value) if isinstance(value, datetime) else value
