"""Reading SQLite on the event loop's own thread, as long as that takes less than going to another one.

Most reads find a few rows by a key: some ten microseconds, while a hop to a thread and back costs a hundred and more
on a busy loop (docs/decisions/0010).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from time import perf_counter
from typing import Any

from models.engine.program import Row
from models.engine.sqlite_connection import execute, open_reader

# In seconds: as long as Python lets one thread keep the interpreter from the others (sys.getswitchinterval() is 0.005).
# A thread that reads rows needs the interpreter as well, so up to here the loop would gain nothing by one.
_MOMENT = 0.004
# So many instructions of SQLite's virtual machine pass between two looks at the clock: some ten microseconds.
_INSTRUCTIONS = 500
# A page cache in KiB: it adds to those of the threads.
_CACHE = 2048


class NearReader:
    """A connection of the loop's thread that cannot write. Opened when made."""

    def __init__(self, path: Path) -> None:
        self._until = 0.0
        self._connection = open_reader(path)
        # Waiting for a lock is waiting, so a thread does it.
        self._connection.execute("PRAGMA busy_timeout = 0")
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._connection.set_progress_handler(self._takes_too_long, _INSTRUCTIONS)

    def read(self, sql: str, args: tuple[Any, ...]) -> list[Row] | None:
        """The rows of a statement; None when it takes too long, or has to wait, and so is a thread's work."""
        self._until = perf_counter() + _MOMENT
        try:
            return execute(self._connection, sql, args)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY}:
                return None
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _takes_too_long(self) -> bool:
        return perf_counter() > self._until
