"""`documents`: look after the bytes of documents, on the machine that serves them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.opening import must_exist, ready
from counterfoil.settings import Settings, read_settings
from services.documents.checking import problems
from services.documents.sweeping import sweep as sweep_storage

app = typer.Typer(no_args_is_help=True, help="Look after the bytes of documents.")


@app.command()
@one_line_errors()
def sweep() -> None:
    """Remove bytes that no document and no email names any more. A worker does this every hour."""
    asyncio.run(_sweep(read_settings()))


@app.command()
@one_line_errors()
def check(
    hashed: Annotated[bool, typer.Option("--hash", help="Read all bytes, and compare their checksums.")] = False,
) -> None:
    """Check that every document has its bytes. Exit code 1 when one does not."""
    asyncio.run(_check(read_settings(), hashed=hashed))


async def _sweep(settings: Settings) -> None:
    must_exist(settings)
    async with ready(settings):
        swept = await sweep_storage(settings.storage())
    typer.echo(
        f"Removed {swept.contents} contents that nothing names and {swept.uploads} uploads that broke off:"
        f" {swept.bytes:,} bytes."
    )


async def _check(settings: Settings, *, hashed: bool) -> None:
    must_exist(settings)
    number = bad = 0
    async with ready(settings):
        async for problem in problems(settings.storage(), hashed=hashed):
            number += 1
            if problem is not None:
                bad += 1
                typer.echo(problem)
    if bad:
        raise Refused(f"{bad} of {number} contents are not as they were uploaded. Bring them back from a backup.")
    typer.echo(f"{number} contents are {'whole' if hashed else 'there'}.")
