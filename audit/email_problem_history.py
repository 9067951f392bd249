"""When it was said of contacts that nothing is known any more against their email addresses, read from history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from audit.action import Action
from audit.history import details
from models import database


async def cleared(contact_ids: Sequence[str]) -> dict[str, datetime]:
    """For each contact whose email problem was cleared, or went with its address: when that was last. Three
    statements at most, over all events of these contacts.
    """
    bound = database.current()
    events = await bound.fetch(
        f"SELECT seq, at, subject_id FROM event WHERE {bound.member('subject_id')} AND action = ? ORDER BY seq",
        bound.array(list(contact_ids)),
        Action.CONTACT_UPDATED.value,
    )
    disclosed = await details([event["seq"] for event in events]) if events else []
    return {
        event["subject_id"]: event["at"]
        for event, detail in zip(events, disclosed, strict=True)
        if any(change.name == "email_problem" and change.after is None for change in detail.changes)
    }
