"""What is read on the loop's own thread, and what is not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from time import perf_counter

import pytest

from models.engine import SqliteDatabase, near_reader
from models.engine.near_reader import NearReader
from tests.models.engine.conftest import ITEM
from tests.models.engine.statements import READ_ONLY, add, ids

pytestmark = pytest.mark.anyio

# Counts to its parameter, some six instructions each.
LONG = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) AS n FROM n"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """A SQLite database with an empty table `item`."""
    database = SqliteDatabase(tmp_path / "data.db")
    await database.start()
    async with database.write() as transaction:
        await transaction.fetch(ITEM)
    yield database
    await database.stop()


@pytest.fixture
def near(database: SqliteDatabase) -> Iterator[NearReader]:
    """A near reader of its own on the same file."""
    with closing(NearReader(Path(database.path))) as reader:
        yield reader


async def test_it_reads_what_was_committed_and_cannot_write(database: SqliteDatabase, near: NearReader) -> None:
    sql = "SELECT id FROM item ORDER BY id"
    assert near.read(sql, ()) == []
    await add(database, "a")
    assert near.read(sql, ()) == [{"id": "a"}]
    with pytest.raises(sqlite3.OperationalError, match=READ_ONLY):
        near.read("DELETE FROM item", ())
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        near.read("SELECT 1 FROM nowhere", ())


async def test_it_gives_up_what_takes_long(near: NearReader) -> None:
    begin = perf_counter()
    assert near.read(LONG, (10_000_000,)) is None
    assert perf_counter() - begin < 0.5


async def test_what_takes_long_once_may_be_short_another_time(
    near: NearReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()
    monkeypatch.setattr(near_reader, "perf_counter", lambda: next(looks) * 0.001)
    assert near.read(LONG, (10_000,)) is None
    # However often it was read before: SQLite's own count of instructions goes on from one time to the next.
    assert [near.read(LONG, (10,)) for _ in range(1_000)] == [[{"n": 10}]] * 1_000


async def test_it_does_not_wait_for_locks(database: SqliteDatabase, tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE item (id TEXT)")
        with closing(NearReader(path)) as near:
            other.execute("BEGIN EXCLUSIVE")
            begin = perf_counter()
            assert near.read("SELECT id FROM item", ()) is None
            assert perf_counter() - begin < 0.5
            other.execute("COMMIT")
            assert near.read("SELECT id FROM item", ()) == []


async def test_a_long_read_leaves_the_loop_to_others(database: SqliteDatabase) -> None:
    await add(database, "a")
    long = asyncio.create_task(database.fetch(LONG, 2_000_000))
    await asyncio.sleep(0)
    assert await ids(database) == ["a"]
    assert not long.done()
    assert await long == [{"n": 2_000_000}]


async def test_many_short_reads_leave_the_loop_to_others(database: SqliteDatabase) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(100):
        await ids(database)
    task.cancel()
    assert turns >= 10
