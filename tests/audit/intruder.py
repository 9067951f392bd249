"""Somebody with the database password: connections that know nothing of our engine."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import asyncpg

from audit import guard
from models.engine.url import sqlite_path
from models.table import encode

Run = Callable[..., Awaitable[Any]]

# How the triggers refuse; and how SQLite refuses when the function that they call is not there.
REFUSED = (asyncpg.RestrictViolationError, sqlite3.IntegrityError, sqlite3.OperationalError)
REFUSAL = f"{guard.NOT_RECORDED}|{guard.APPEND_ONLY}|{guard.OUT_OF_ORDER}|no such function: counterfoil_recorder"


def literal(value: Any) -> str:
    """A value in SQL; lists and objects as the JSON that our columns hold."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    text = encode(value) if isinstance(value, list | dict) else str(value)
    return "'" + text.replace("'", "''") + "'"


@asynccontextmanager
async def intruder(url: str, *, as_recorder: bool = False) -> AsyncIterator[Run]:
    """A function that runs one statement and returns its rows. `as_recorder` does what the recorder's connection does
    to be let through.
    """
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as connection:
            if as_recorder:
                connection.create_function("counterfoil_recorder", 0, lambda: 1)

            async def run(sql: str, *args: Any) -> list[Any]:
                return connection.execute(sql, args).fetchall()

            yield run
        return
    session = await asyncpg.connect(url)
    try:
        if as_recorder:
            await session.execute("SET counterfoil.recorder = 'on'")
        yield session.fetch
    finally:
        await session.close()


@asynccontextmanager
async def unguarded(url: str) -> AsyncIterator[Run]:
    """The same without any triggers in the way; they are put back at the end."""
    async with intruder(url) as run:
        if url.startswith("sqlite:"):
            for name in guard.sqlite_triggers():
                await run(f"DROP TRIGGER {name}")
        else:
            for name, (table, _, _) in guard.postgres_triggers().items():
                await run(f'DROP TRIGGER {name} ON "{table}"')
        yield run
        for statement in guard.install_statements("sqlite" if url.startswith("sqlite:") else "postgres"):
            await run(statement)
