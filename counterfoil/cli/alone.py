"""One `serve` for each SQLite file: two would checkpoint it at once, each as if its writer were the only one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from counterfoil.cli.failing import Refused
from counterfoil.settings import Settings
from models.engine.url import sqlite_path


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Inside, no other process can serve the same SQLite file: Refused. The system lets go when the process ends.

    The lock is on `<database file>.serve`, which stays: whoever removed it could lock out nobody any more.
    """
    if not settings.on_sqlite or sys.platform == "win32":  # Windows has no flock
        yield
        return
    import fcntl

    file = sqlite_path(settings.database_url).resolve()
    try:
        lock = file.with_name(f"{file.name}.serve").open("w")
    except OSError as error:
        raise Refused(
            f"cannot use the database {settings.shown_database_url}: unable to open {error.filename}: {error.strerror}"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"{settings.shown_database_url} is served by another process already. Stop that one first."
            ) from None
        yield
