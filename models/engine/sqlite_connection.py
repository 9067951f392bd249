"""How SQLite connections are opened, and how values pass through them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import piccolo.engine.sqlite  # noqa: F401  (registers its adapters, and converters that ours replace)

from models.engine.program import Row

BUSY_SECONDS = 30.0
_OLDEST = (3, 38, 0)  # RETURNING and json_each


def _decode_datetime(text: bytes) -> datetime:
    value = datetime.fromisoformat(text.decode())
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# The registries belong to the process. These do what Piccolo's converters do, several times faster. Datetimes go in
# through Piccolo's adapter, as UTC text: "+" sorts before ".", so the order of the texts is the order of the times.
sqlite3.register_converter("TIMESTAMPTZ", _decode_datetime)
sqlite3.register_converter("BOOLEAN", b"1".__eq__)
sqlite3.register_converter("INTEGER", int)


def open_writer(path: Path, is_recorder: Callable[[], int], checkpoints: bool) -> sqlite3.Connection:
    """The one connection that writes. `is_recorder` becomes the SQL function counterfoil_recorder().

    Unless it `checkpoints`, the log is written back when the last connection closes, whosever that is.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise RuntimeError(f"SQLite 3.38 or newer is needed; this Python has {sqlite3.sqlite_version}.")
    connection = _open(f"{path.as_uri()}?mode=rwc")
    try:
        _use_wal(connection)
        if not checkpoints:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.create_function("counterfoil_recorder", 0, is_recorder)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write: neither the file nor the connection lets it."""
    connection = _open(f"{path.as_uri()}?mode=ro")
    connection.execute("PRAGMA query_only = ON")
    # Only the writer checkpoints: before 3.51.3 two connections doing so at once can lose pages (SQLite's
    # "WAL-reset bug").
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def execute(connection: sqlite3.Connection, sql: str, args: tuple[Any, ...]) -> list[Row]:
    """Run one statement to its end; its rows as dicts."""
    cursor = connection.execute(sql, args)
    rows = cursor.fetchall()
    if not rows:
        return rows
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=False)) for row in rows]


def _open(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
        cached_statements=256,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -8192")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait here when another process switches too, so this does."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(connection.execute("PRAGMA journal_mode = WAL")) as cursor:
                mode = cursor.fetchone()[0]
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
        else:
            if mode == "wal":
                return
            if time.monotonic() > until:
                raise RuntimeError(f"SQLite cannot keep a write-ahead log here: journal mode is {mode}.")
        time.sleep(0.01)
