"""When something changed last: the time of its last event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models import current


async def last_changes(subject_ids: Sequence[str]) -> list[datetime | None]:
    """A loader: the time of the last event of each subject; None for one without events. One statement."""
    bound = current()
    rows = await bound.fetch(
        "SELECT e.subject_id, e.at FROM event e JOIN"
        f" (SELECT max(seq) AS seq FROM event WHERE {bound.member('subject_id')} GROUP BY subject_id) l"
        " ON e.seq = l.seq",
        bound.array(list(subject_ids)),
    )
    found = {row["subject_id"]: row["at"] for row in rows}
    return [found.get(identifier) for identifier in subject_ids]
