"""Bringing a database to the shape that this version needs: Piccolo's migrations, guards, the search index."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any

from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration

from audit import guard
from counterfoil import piccolo_conf
from models import Database, connect, search_index

os.environ["PICCOLO_CONF"] = "counterfoil.piccolo_conf"

APPS = ("models", "audit")

# Two processes that migrate the same PostgreSQL wait for each other: "ctfm" in ASCII.
_MIGRATION_LOCK = 0x6374666D

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LIMIT 1",
}


class MigrationFailed(Exception):
    """A migration could not be run; the message holds what Piccolo said."""


async def migrate(url: str) -> list[str]:
    """Run what has not run yet on the database at `url`, and put guards and search index in place.

    The names of new migrations.
    """
    _use(url)
    async with _alone(url):
        before = set(await applied(url))
        for app in APPS:
            await _forwards(app)
        await _install_guards(url)
        await _install_search(url)
        return [name for name in await applied(url) if name not in before]


async def applied(url: str) -> list[str]:
    """The migrations that have run, oldest first; none on an empty database."""
    _use(url)
    if not await Migration.table_exists().run():
        return []
    return await Migration.get_migrations_which_ran()


def expected(url: str) -> list[str]:
    """The migrations that this version has."""
    _use(url)
    ids = []
    with _unchanged_path():
        for app in APPS:
            manager = ForwardsMigrationManager(app_name=app)
            folder = manager.get_app_config(app_name=app).resolved_migrations_folder_path
            ids += manager.get_migration_ids(manager.get_migration_modules(folder))
    return ids


async def unknown(url: str) -> list[str]:
    """Migrations that have run and that this version does not have: a newer one was here."""
    known = set(expected(url))
    return [name for name in await applied(url) if name not in known]


async def is_empty(url: str) -> bool:
    """Whether the database has no tables at all, ours or anybody's."""
    _use(url)
    rows = await _engine().run_ddl(_TABLES[_engine().engine_type])
    return not rows


async def install_guards(url: str) -> None:
    """Put every guard in place, also those that somebody changed or switched off."""
    _use(url)
    async with _alone(url):
        await _install_guards(url)


async def install_search(url: str) -> None:
    """Make the search index anew from the rows."""
    _use(url)
    async with _alone(url):
        await _run(search_index.install_statements(_engine().engine_type))


def _use(url: str) -> None:
    engine = piccolo_conf.engine_for(url)
    piccolo_conf.DB = engine
    Migration._meta.db = engine


def _engine() -> Any:
    # Piccolo's base class of engines does not say what both of its engines have.
    return piccolo_conf.DB


@contextlib.asynccontextmanager
async def _alone(url: str) -> AsyncIterator[None]:
    if url.startswith("sqlite:"):
        yield
        return
    connection = await _engine().get_new_connection()
    try:
        await connection.execute(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})")
        yield
    finally:
        await connection.close()


async def _forwards(app: str) -> None:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), _unchanged_path():
            result = await ForwardsMigrationManager(app_name=app).run()
    except Exception as error:
        raise MigrationFailed(f"migrating {app}: {error}\n{said.getvalue()}") from error
    if not result.success:
        raise MigrationFailed(f"migrating {app}: {result.message}")


@contextlib.contextmanager
def _unchanged_path() -> Iterator[None]:
    # Each time that Piccolo reads migrations it puts their folder before all others in which modules are looked for.
    before = sys.path[:]
    try:
        yield
    finally:
        sys.path[:] = before


async def _install_guards(url: str) -> None:
    if await _lacks(url, guard.missing):
        await _run(guard.install_statements("sqlite" if _engine().engine_type == "sqlite" else "postgres"))


async def _install_search(url: str) -> None:
    # A migration that rebuilds a table takes its triggers away.
    if await _lacks(url, search_index.missing):
        await _run(search_index.install_statements(_engine().engine_type))


async def _lacks(url: str, missing: Callable[[Database], Awaitable[list[str]]]) -> bool:
    database = connect(url, checkpoints=False)
    await database.start()
    try:
        return bool(await missing(database))
    finally:
        await database.stop()


async def _run(statements: Sequence[str]) -> None:
    engine = _engine()
    async with engine.transaction():
        for statement in statements:
            await engine.run_ddl(statement)
