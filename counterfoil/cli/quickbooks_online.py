"""`import`: customers and contacts out of files that accounting systems have written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli import progress
from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.opening import ready
from counterfoil.settings import Settings, read_settings
from services import values
from services.quickbooks_online import customer_query

app = typer.Typer(no_args_is_help=True, help="Import from files of accounting systems.")


# Without a callback typer would leave out the name of the only command.
@app.callback()
def imports() -> None:
    """Import from files of accounting systems."""


@app.command("quickbooks-online")
@one_line_errors()
def quickbooks_online(
    file: Annotated[Path, typer.Argument(help="The JSON answer to a Customer query; several pages in a row will do.")],
    country: Annotated[str, typer.Option(help="The company's country, for phone numbers without a code.")] = "US",
) -> None:
    """Import customers and their Company Contacts. Again with the same file, it changes nothing."""
    company = values.country(country, ("country",))
    try:
        reading = customer_query.read(file.read_bytes(), country=company)
    except customer_query.UnreadableDocument as error:
        raise Refused(f"{file.name}: {error}") from error
    asyncio.run(_import(read_settings(), file, reading))


async def _import(settings: Settings, file: Path, reading: customer_query.Reading) -> None:
    from services.quickbooks_online import importing

    async with ready(settings):
        with progress.shown("Importing customers") as report:
            result = await importing.apply(reading, report)
    for problem in result.problems:
        where = ", ".join(part for part in (problem.external_id and f"Id {problem.external_id}", problem.field) if part)
        typer.echo(f"problem: {where or file.name}: {problem.reason}", err=True)
    counts = f"{result.created} created, {result.updated} updated, {result.unchanged} unchanged"
    typer.echo(f"{counts}, {len(result.problems)} problems")
