"""`migrate`: bring the database to the shape that this version needs."""

from __future__ import annotations

import asyncio

import typer

from counterfoil.cli.failing import one_line_errors
from counterfoil.cli.opening import opened, refuse_newer
from counterfoil.settings import Settings, read_settings


@one_line_errors()
def migrate() -> None:
    """Migrate the database, while no process of another version uses it."""
    asyncio.run(_migrate(read_settings()))


async def _migrate(settings: Settings) -> None:
    from counterfoil import migrating

    async with opened(settings):
        pass  # where it cannot be reached, this says so best
    await refuse_newer(settings.database_url)
    names = await migrating.migrate(settings.database_url)
    for name in names:
        typer.echo(f"ran {name}")
    typer.echo(f"{settings.shown_database_url} is up to date.")
