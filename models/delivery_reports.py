"""Reports about deliveries: which deliveries they can be about, and which reports were taken in already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from models.database import current
from models.table import Row

# Nobody repeats a report for so long.
KEPT = timedelta(days=90)

# A statement has 32,766 parameters at most.
_AT_ONCE = 1000


async def deliveries_of(message_ids: Iterable[str]) -> dict[str, list[Row]]:
    """The deliveries of each of these messages, {id, message_id, email_key}; unknown messages are absent."""
    bound = current()
    sql = f"SELECT id, message_id, email_key FROM delivery WHERE {bound.member('message_id')} ORDER BY id"
    found: dict[str, list[Row]] = {}
    for row in await bound.fetch(sql, bound.array(sorted(set(message_ids)))):
        found.setdefault(row["message_id"], []).append(row)
    return found


async def remember(digests: Iterable[str], now: datetime) -> set[str]:
    """Those of the reports that were not taken in before, in the transaction that takes them in. Old ones go."""
    bound = current()
    await bound.fetch("DELETE FROM delivery_report WHERE received_at < ?", now - KEPT)
    # In one order, so that two who take in the same reports wait for each other, and no more.
    wanted: Sequence[str] = sorted(set(digests))
    new: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        places = ", ".join("(?, ?)" for _ in some)
        rows = await bound.fetch(
            f"INSERT INTO delivery_report (id, received_at) VALUES {places} ON CONFLICT (id) DO NOTHING RETURNING id",
            *(value for digest in some for value in (digest, now)),
        )
        new |= {row["id"] for row in rows}
    return new
