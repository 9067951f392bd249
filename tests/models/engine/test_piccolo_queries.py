"""Piccolo's queries take the same doors as everybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from piccolo.columns import Boolean, Integer, Text, Timestamptz
from piccolo.engine.exceptions import TransactionError
from piccolo.table import Table

from models.engine import Database
from tests.models.engine.statements import READ_ONLY, ids

pytestmark = pytest.mark.anyio

NOON = datetime(2024, 2, 29, 12, 0, 0, 7, UTC)


class Item(Table, tablename="item"):
    """The table of the engine's tests."""

    id = Text(primary_key=True)
    n = Integer()
    at = Timestamptz(null=True, default=None)
    ok = Boolean(null=True, default=None)


@pytest.fixture
def engine(database: Database) -> Iterator[Any]:
    """The database as Piccolo sees it."""
    Item._meta._db = database  # type: ignore[assignment]
    yield database
    Item._meta._db = None


async def insert(*names: str) -> None:
    await Item.insert(*(Item(id=name, n=number, at=NOON, ok=True) for number, name in enumerate(names)))


async def test_queries_write_in_a_transaction_and_read_outside(engine: Any) -> None:
    async with engine.write():
        await insert("a", "b", "c")
        await Item.update({Item.n: 9}).where(Item.id == "b")
        await Item.delete().where(Item.id == "c")
        assert await Item.count() == 2
    rows = await Item.select().order_by(Item.id)
    assert rows == [
        {"id": "a", "n": 0, "at": NOON, "ok": True},
        {"id": "b", "n": 9, "at": NOON, "ok": True},
    ]
    assert await Item.select(Item.n).where(Item.id.is_in(["b", "?"]), Item.ok.eq(True)).output(as_list=True) == [9]
    assert await Item.exists().where(Item.at == NOON)
    item = await Item.objects().get(Item.id == "a")
    assert item is not None
    assert item.at == NOON


async def test_a_write_outside_a_transaction_is_refused(engine: Any) -> None:
    with pytest.raises(Exception, match=READ_ONLY):
        await insert("a")
    with pytest.raises(Exception, match=READ_ONLY):
        await Item.alter().drop_table()
    assert await ids(engine) == []


async def test_tables_are_made_in_a_transaction(engine: Any) -> None:
    async with engine.write():
        await Item.alter().drop_table()
        await Item.create_table()
        await insert("a")
    assert await Item.select() == [{"id": "a", "n": 0, "at": NOON, "ok": True}]


async def test_objects_are_saved_and_removed_in_a_transaction(engine: Any) -> None:
    async with engine.write():
        item = await Item.objects().get_or_create(Item.id == "a", {Item.n: 1})
        item.n = 2
        await item.save()
    assert await Item.select(Item.id, Item.n) == [{"id": "a", "n": 2}]
    async with engine.write():
        await item.remove()
    assert await Item.count() == 0


async def test_piccolos_transaction_commits_and_rolls_back(engine: Any) -> None:
    async with engine.transaction():
        assert engine.transaction_exists()
        await insert("a")
    with pytest.raises(LookupError):  # noqa: PT012
        async with engine.transaction():
            await insert("b")
            raise LookupError
    assert not engine.transaction_exists()
    assert await ids(engine) == ["a"]


async def test_piccolos_transaction_joins_the_one_that_is_open(engine: Any) -> None:
    with pytest.raises(LookupError):  # noqa: PT012
        async with engine.write() as outer:
            async with engine.transaction() as inner:
                assert inner is outer
                await insert("a")
            with pytest.raises(TransactionError):
                await engine.transaction(allow_nested=False).__aenter__()
            raise LookupError
    assert await ids(engine) == []


async def test_piccolos_atomic_runs_its_queries_in_one_transaction(engine: Any) -> None:
    atomic = engine.atomic()
    atomic.add(Item.insert(Item(id="a", n=1)), Item.insert(Item(id="a", n=2)))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await atomic.run()
    assert await ids(engine) == []
    atomic.add(Item.insert(Item(id="a", n=1)), Item.insert(Item(id="b", n=2)))
    await atomic.run()
    assert await ids(engine) == ["a", "b"]


async def test_gather_inside_a_transaction_is_refused(engine: Any) -> None:
    with pytest.raises(RuntimeError, match="belongs to the task"):
        async with engine.transaction():
            await asyncio.gather(insert("a"), insert("b"))
    assert await ids(engine) == []


async def test_piccolos_other_ways_to_a_connection_are_shut(engine: Any) -> None:
    with pytest.raises(RuntimeError, match="hands out no connections"):
        await Item.select().batch()
    with pytest.raises(RuntimeError, match="hands out no connections"):
        await engine.get_connection()
    with pytest.raises(RuntimeError, match="hands out no connections"):
        await engine.get_new_connection()


async def test_piccolo_starts_and_stops_the_database(engine: Any) -> None:
    await engine.close_connection_pool()
    with pytest.raises(RuntimeError, match="not started"):
        await Item.count()
    await engine.start_connection_pool()
    assert await Item.count() == 0
