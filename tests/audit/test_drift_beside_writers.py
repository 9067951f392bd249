"""Drift is looked for and adopted while others write: nobody fails, and nothing is found that nobody forced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

import pytest

import audit
from audit.drift import adopt, drift
from models import Audited, Contact, Customer, Database
from tests.audit.intruder import unguarded
from tests.audit.rows import by_ada, new

pytestmark = pytest.mark.anyio

WRITERS = 8


@asynccontextmanager
async def writing(change_rows: Callable[[int, audit.Change], Awaitable[object]]) -> AsyncIterator[None]:
    """Inside, eight writers do this again and again, with numbers that ascend."""
    numbers = count()
    over = asyncio.Event()

    async def write() -> None:
        while not over.is_set():
            await by_ada(partial(change_rows, next(numbers)))
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(write()) for _ in range(WRITERS)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)
    assert next(numbers) > WRITERS


async def touch_two(change: audit.Change, first: tuple[type[Audited], str], second: tuple[type[Audited], str]) -> None:
    """Change two rows, in this order."""
    for table, identifier in (first, second):
        row = await change.get(table, identifier)
        await change.update(table, row, {"active": not row["active"]})


async def test_nothing_is_found_beside_eight_writers(database: Database) -> None:
    rows = [await new(Contact) for _ in range(5)]

    def touch(number: int, change: audit.Change) -> Awaitable[None]:
        row = rows[number % len(rows)]
        # Not in the order of the tables, which must not matter to who only looks.
        return touch_two(change, (Contact, row["id"]), (Customer, row["customer_id"]))

    async with writing(touch):
        for _ in range(20):
            assert await drift(database) == []
            await asyncio.sleep(0.01)


async def test_drift_is_adopted_beside_eight_writers(database: Database, database_url: str) -> None:
    rows = [await new(Contact) for _ in range(5)]
    async with unguarded(database_url) as run:
        await run("UPDATE customer SET website = 'https://evil.example', search_key = 'evil'")
        await run("UPDATE contact SET priority = 7")
    found = await drift(database)
    assert len(found) == 10

    def touch(number: int, change: audit.Change) -> Awaitable[None]:
        row = rows[number % len(rows)]
        return touch_two(change, (Customer, row["customer_id"]), (Contact, row["id"]))

    async with writing(touch):
        await asyncio.sleep(0.02)
        for one in found:
            await adopt(database, [one])
        await adopt(database, await drift(database))
    assert await drift(database) == []
