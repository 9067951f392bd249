"""Opening the database for a command: reached, migrated, bound, with everything in it that exists from the start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import typer

import models
from counterfoil.cli.failing import Refused
from counterfoil.settings import Settings
from models import failure
from models.engine.url import sqlite_path
from services import defaults, mail

MIGRATE = "python -m counterfoil migrate"


def must_exist(settings: Settings) -> None:
    """Refused when the SQLite file is not there: opening it would create it."""
    if settings.on_sqlite and not sqlite_path(settings.database_url).exists():
        raise Refused(f"{settings.shown_database_url} does not exist. Run: {MIGRATE}")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[models.Database]:
    """The database as it is, started and bound; stopped afterwards. Refused when it cannot be reached."""
    database = settings.database(serves=False)
    try:
        await database.start()
    except Exception as error:
        # RuntimeError: it is too old. ValueError: asyncpg cannot read the URL.
        told = str(error) if isinstance(error, RuntimeError | ValueError) else failure.told(error)
        if told is None:
            raise
        raise Refused(f"cannot use the database {settings.shown_database_url}: {told}") from error
    models.bind(database)
    mail.bind(settings.mail())
    try:
        yield database
    finally:
        await database.stop()


@asynccontextmanager
async def up_to_date(settings: Settings) -> AsyncIterator[models.Database]:
    """The database, migrated where that is ours to do; Refused otherwise."""
    async with opened(settings):
        pass  # where it cannot be reached, this says so best
    await _bring_up_to_date(settings)
    async with opened(settings) as database:
        yield database


@asynccontextmanager
async def ready(settings: Settings) -> AsyncIterator[models.Database]:
    """The database, up to date and with everything in it that exists from the start."""
    async with up_to_date(settings) as database:
        await defaults.ensure()
        yield database


async def _bring_up_to_date(settings: Settings) -> None:
    """SQLite and an empty PostgreSQL are migrated. On another PostgreSQL, processes of the last version may run."""
    from counterfoil import migrating

    url = settings.database_url
    await refuse_newer(url)
    applied = set(await migrating.applied(url))
    missing = [name for name in migrating.expected(url) if name not in applied]
    if not missing:
        return
    if not settings.on_sqlite and not await migrating.is_empty(url):
        raise Refused(f"the database lacks {len(missing)} migrations of this version. Run: {MIGRATE}")
    await migrating.migrate(url)
    typer.echo(f"Migrated {settings.shown_database_url}", err=True)


async def refuse_newer(url: str) -> None:
    """Refused when a newer version has migrated the database."""
    from counterfoil import migrating

    if await migrating.unknown(url):
        raise Refused("a newer version of Counterfoil has migrated this database. Use that version, or a backup.")
