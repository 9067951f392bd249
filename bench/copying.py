"""Copying a seeded SQLite database to PostgreSQL, row by row, past the same triggers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg

import models
from audit.event import EVENT_COLUMNS
from models import Database
from models.registry import AUDITED
from models.table import column_list, columns, quoted

_EVENTS = 20_000  # in one transaction
_DETAIL = ("seq", "about", "disclosures")
_BODY = ("about", "digest", "body")


async def copy_to_postgres(source_url: str, target_url: str, report: Callable[[str], None]) -> None:
    """Copy every audited table and the history into the migrated, empty database at `target_url`."""
    source = models.connect(source_url)
    await source.start()
    target = await asyncpg.connect(target_url)
    try:
        await target.execute("SET counterfoil.recorder = 'on'")
        for table in AUDITED:
            name = table._meta.tablename
            rows = await source.fetch(f"SELECT {column_list(table)} FROM {quoted(name)} ORDER BY id")
            await _store(target, name, columns(table), rows)
        await _copy_history(source, target, report)
        bodies = await source.fetch(f"SELECT {', '.join(_BODY)} FROM event_body ORDER BY about, digest")
        await _store(target, "event_body", _BODY, bodies)
        await target.execute("VACUUM (ANALYZE)")
    finally:
        await target.close()
        await source.stop()


async def _copy_history(source: Database, target: Any, report: Callable[[str], None]) -> None:
    last = (await source.fetch("SELECT max(seq) AS seq FROM event"))[0]["seq"]
    for first in range(0, last, _EVENTS):
        limits = (first, first + _EVENTS)
        between = "WHERE seq > ? AND seq <= ? ORDER BY"
        events = await source.fetch(f"SELECT {', '.join(EVENT_COLUMNS)} FROM event {between} seq", *limits)
        details = await source.fetch(f"SELECT {', '.join(_DETAIL)} FROM event_detail {between} id", *limits)
        async with target.transaction():
            await _store(target, "event", EVENT_COLUMNS, events)
            await _store(target, "event_detail", _DETAIL, details)
        report(f"{min(limits[1], last):,} of {last:,} events")


async def _store(target: Any, table: str, names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    records = (tuple(row[name] for name in names) for row in rows)
    await target.copy_records_to_table(table, records=records, columns=names)
