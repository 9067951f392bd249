"""Running commands in this process, and looking at the database that they leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from typer.testing import CliRunner, Result

import models
from counterfoil.cli import app
from models import Database

T = TypeVar("T")


def run(*arguments: str, stdin: str = "") -> Result:
    """`python -m counterfoil` with these arguments; a traceback is raised here."""
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def look(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """What `work` finds in the database at `url`, started and bound for it."""

    async def looked() -> T:
        database = models.connect(url)
        await database.start()
        models.bind(database)
        try:
            return await work(database)
        finally:
            await database.stop()

    return asyncio.run(looked())
