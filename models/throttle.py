"""Counters of failures. Their caller holds a transaction and a lock on the key."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.database import current
from models.table import Row

# Counters of yesterday go, also those of accounts that never existed.
KEPT = timedelta(hours=24)


async def find(key: str, at: datetime) -> Row | None:
    """The counter: failures, blocked_until, announced; None without failures since a day before `at`."""
    await current().fetch("DELETE FROM throttle WHERE blocked_until < ?", at - KEPT)
    rows = await current().fetch("SELECT failures, blocked_until, announced FROM throttle WHERE key = ?", key)
    return rows[0] if rows else None


async def save(key: str, failures: int, blocked_until: datetime, *, announced: bool) -> None:
    """Set the counter."""
    await current().fetch(
        "INSERT INTO throttle (key, failures, blocked_until, announced) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, blocked_until = excluded.blocked_until,"
        " announced = excluded.announced",
        key,
        failures,
        blocked_until,
        announced,
    )


async def clear(key: str) -> None:
    """Forget the failures."""
    await current().fetch("DELETE FROM throttle WHERE key = ?", key)
