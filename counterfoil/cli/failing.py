"""How commands fail: what was to be expected becomes one line on stderr and exit code 1, a bug keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from counterfoil.settings import BadSettings
from models import Busy, Fault, failure


class Refused(Exception):
    """A command that will not run; the message says why, and what to do."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Around a command, also as its decorator."""
    try:
        yield
    except Exception as error:
        line = _line(error)
        if line is None:
            raise
        typer.echo(f"counterfoil: {line}", err=True)
        raise typer.Exit(1) from None


def _line(error: BaseException) -> str | None:
    if isinstance(error, Fault):
        at = ".".join(map(str, error.field or ()))
        return f"{at}: {error.message}" if at else error.message
    if isinstance(error, Refused | BadSettings | Busy):
        return str(error)
    # Only now: without good settings, Piccolo's configuration cannot be imported.
    from counterfoil.migrating import MigrationFailed

    if isinstance(error, MigrationFailed):
        return str(error).strip()
    return failure.told(error)
