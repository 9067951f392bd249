"""The timelines of deliveries: what each of their events made of them, read from history and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from audit.action import is_change
from audit.history import Detail, details
from audit.table import Event
from models import database
from models.table import Row, SubjectType, column_list

# The columns that say what became of a delivery.
_TOLD = ("status", "status_at", "reply")


async def timelines(delivery_ids: Sequence[str]) -> list[list[Row]]:
    """A loader: for each delivery its steps, oldest first: {at, status, reply, event}. Three statements at most.

    The last step has what the delivery's own columns have. Where the details of an event have been removed, nobody
    knows any more what it said: its `status` and `reply` are None, and `at` is the event's time.
    """
    bound = database.current()
    events = await bound.fetch(
        f"SELECT {column_list(Event)} FROM event WHERE {bound.member('subject_id')} AND subject_type = ? ORDER BY seq",
        bound.array(list(delivery_ids)),
        SubjectType.DELIVERY.value,
    )
    told = [event for event in events if is_change(event["action"])]
    disclosed = await details([event["seq"] for event in told]) if told else []
    found: dict[str, list[Row]] = {}
    states: dict[str, dict[str, Any]] = {}
    for event, detail in zip(told, disclosed, strict=True):
        identifier = event["subject_id"]
        step = _step(event, detail, states.setdefault(identifier, {}))
        if step is not None:
            found.setdefault(identifier, []).append(step)
    return [found.get(identifier, []) for identifier in delivery_ids]


def _step(event: Row, detail: Detail, state: dict[str, Any]) -> Row | None:
    """What the event made of a delivery that was in this state; None when it says nothing about that."""
    if detail.subject_label is None:
        # The label stands beside the changes: without it, nobody knows which columns had changed.
        state.clear()
        return {"at": event["at"], "status": None, "reply": None, "event": event}
    told = {change.name: change.after for change in detail.changes if change.name in _TOLD}
    if not told:
        return None
    state.update(told)
    at = state.get("status_at")
    return {
        "at": datetime.fromisoformat(at) if at is not None else event["at"],
        "status": state.get("status"),
        "reply": state.get("reply"),
        "event": event,
    }
