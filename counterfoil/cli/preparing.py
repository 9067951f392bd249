"""What `serve` does before it answers: migrates, adds demo data if asked to, makes sure that somebody can sign in."""

from __future__ import annotations

import typer

from counterfoil.cli import signing_in
from counterfoil.cli.demo import fill
from counterfoil.cli.opening import up_to_date
from counterfoil.settings import Settings
from services import defaults, first_administrator


async def prepare(settings: Settings, *, demo: bool) -> None:
    """Make the database ready to be served. What a person must know is printed."""
    async with up_to_date(settings):
        if demo:
            await _fill(settings)
        await defaults.ensure()
        password = await first_administrator.ensure()
    if password is not None:
        title = "First administrator. The password is shown only now:"
        signing_in.show(title, [("Email", first_administrator.EMAIL)], password)


async def _fill(settings: Settings) -> None:
    from services.demo import NotEmpty

    try:
        await fill(settings)
    except NotEmpty:
        typer.echo("The database is not empty: no demo data was added.", err=True)
