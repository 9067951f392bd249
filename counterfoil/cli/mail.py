"""`mail`: what comes back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.opening import ready
from counterfoil.settings import Settings, read_settings
from services.communications.reports.folder import Found, messages, split
from services.communications.reports.ingesting import ingest as ingest_messages

app = typer.Typer(no_args_is_help=True, help="Mail that comes back.")

_STDIN = "-"
# What mail servers that pipe messages into commands understand as “try again later” (EX_TEMPFAIL).
_LATER = 75


# Without a callback typer would leave out the name of the only command.
@app.callback()
def mail() -> None:
    """Mail that comes back."""


@app.command()
def ingest(
    path: Annotated[str, typer.Argument(help="A Maildir, an mbox file or one message; - for standard input.")] = _STDIN,
) -> None:
    """Take in bounce messages (RFC 3464), so that the communication log says what came back and why.

    Again with the same messages, it changes nothing. In a Maildir the messages that were taken in are marked as seen;
    what is no report, or none about our emails, stays as it is.
    """
    try:
        _ingest_all(path)
    except typer.Exit:
        if path == _STDIN:
            raise typer.Exit(_LATER) from None
        raise


@one_line_errors()
def _ingest_all(path: str) -> None:
    settings = read_settings()
    try:
        found = split(sys.stdin.buffer, "standard input") if path == _STDIN else messages(Path(path))
        asyncio.run(_ingest(settings, found))
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror or error}") from error


async def _ingest(settings: Settings, found: Iterable[Found]) -> None:
    async with ready(settings):
        total = await ingest_messages(found, lambda line: typer.echo(line, err=True))
    typer.echo(
        f"{total.messages} messages: {total.taken} reports taken in, {total.repeated} known already,"
        f" {total.unknown} about other emails; {total.others} messages are no reports."
    )
    if total.failed:
        raise Refused(f"{total.failed} messages could not be taken in: the log says why")
