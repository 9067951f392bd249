"""The database of this process: bound once at the start, found by everything that reads or records."""

from __future__ import annotations

from models.engine import Database
from models.registry import AUDITED, OPERATIONAL

_bound: list[Database] = []


def bind(database: Database) -> None:
    """Let this process work on `database`, Piccolo's tables included."""
    _bound[:] = [database]
    for table in (*AUDITED, *OPERATIONAL):
        table._meta.db = database  # type: ignore[assignment]  # ours are also Piccolo's engines


def current() -> Database:
    """The bound database. RuntimeError when none is."""
    if not _bound:
        raise RuntimeError("no database is bound: call models.bind() first")
    return _bound[0]
