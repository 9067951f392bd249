"""`reminders`: send what goes out by itself today, or say what would go out on a day."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated

import typer

from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.opening import must_exist, ready
from counterfoil.settings import Settings, read_settings
from models import clock
from services import documents, reminders

app = typer.Typer(no_args_is_help=True, help="Reminders of open invoices and monthly statements.")

_PAGE = 100


# Without a callback typer would leave out the name of the only command.
@app.callback()
def reminders_commands() -> None:
    """Reminders of open invoices and monthly statements."""


@app.command()
@one_line_errors()
def run(
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="With --dry-run: another day than today.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: say what would go to whom.")] = False,
) -> None:
    """Queue the reminders and statements that are due today (UTC). A worker does this by itself."""
    if dry_run:
        asyncio.run(_plan(read_settings(), day.date() if day is not None else None))
        return
    if day is not None:
        raise Refused("what is sent is sent today: use --date with --dry-run")
    asyncio.run(_run(read_settings()))


async def _run(settings: Settings) -> None:
    must_exist(settings)
    async with ready(settings):
        documents.bind(settings.storage())
        counts = await reminders.run()
    typer.echo(f"{counts.sent} sent, {counts.suppressed} suppressed, {counts.changed} left for the next run")
    if counts.failed:
        raise Refused(f"{counts.failed} failed: see the log. They are tried again the next time")


async def _plan(settings: Settings, day: date | None) -> None:
    must_exist(settings)
    async with ready(settings):
        today = clock.now().date()
        if day is not None and day < today:
            raise Refused(f"choose today ({today.isoformat()} UTC) or a later day")
        position: reminders.Position | None = None
        while True:
            items, position = await reminders.page(day or today, today, _PAGE, position)
            for item in items:
                typer.echo(_line(item))
            if position is None:
                return


def _line(item: reminders.Item) -> str:
    about = item.customer["name"]
    if item.invoice is not None:
        about = f"invoice {item.invoice['number']}, {about}"
    if item.sent_id is not None:
        said = "sent already"
    elif item.problem is not None:
        said = f"cannot be sent: {item.problem}"
    elif item.suppressed is not None:
        said = f"to nobody: {item.suppressed.value}"
    else:
        said = ", ".join(one.contact["email"] for one in item.decisions if one.included)
    return f"{item.reason} | {about} | {said}"
