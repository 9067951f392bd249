"""What only SQLite has: files, one writer, other processes at the same file."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.engine import SqliteDatabase
from models.engine.sqlite_thread import SqliteThreads
from tests.models.engine.conftest import ITEM
from tests.models.engine.statements import INSERT, READ_ONLY, add, ids

pytestmark = pytest.mark.anyio


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
def other(database: SqliteDatabase) -> Iterator[sqlite3.Connection]:
    """Another process's connection to the same file."""
    with closing(sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


async def test_writers_take_turns_in_the_order_they_came(database: SqliteDatabase) -> None:
    order: list[int] = []

    async def write(number: int) -> None:
        async with database.write() as transaction:
            await transaction.fetch(INSERT, str(number))
            order.append(number)

    await asyncio.gather(*(write(number) for number in range(20)))
    assert order == list(range(20))


async def test_a_reader_cannot_be_talked_into_writing(database: SqliteDatabase) -> None:
    for _ in range(6):  # each of the readers
        await database.fetch("PRAGMA query_only = OFF")
    with pytest.raises(sqlite3.OperationalError, match=READ_ONLY):
        await database.fetch(INSERT, "a")


async def test_connections_are_durable_and_only_the_writer_checkpoints(database: SqliteDatabase) -> None:
    async def pragma(name: str) -> tuple[object, object]:
        [reader] = await database.fetch(f"PRAGMA {name}")
        async with database.write() as transaction:
            [writer] = await transaction.fetch(f"PRAGMA {name}")
        return next(iter(reader.values())), next(iter(writer.values()))

    assert await pragma("journal_mode") == ("wal", "wal")
    assert await pragma("foreign_keys") == (1, 1)
    assert await pragma("query_only") == (1, 0)
    assert (await pragma("wal_autocheckpoint"))[0] == 0
    assert (await pragma("wal_autocheckpoint"))[1] != 0
    assert (await pragma("synchronous"))[1] == 2
    assert (await pragma("secure_delete"))[1] == 1


async def test_only_the_recorders_transactions_are_known_as_such(database: SqliteDatabase) -> None:
    sql = "SELECT counterfoil_recorder() AS recorder"
    for recorder in (True, False, True):
        async with database.write(recorder=recorder) as transaction:
            assert await transaction.fetch(sql) == [{"recorder": int(recorder)}]
    with pytest.raises(sqlite3.OperationalError, match="no such function"):
        await database.fetch(sql)


async def test_a_write_waits_for_another_process(database: SqliteDatabase, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(add(database, "a"))
    await asyncio.sleep(0.3)
    assert not writing.done()
    assert await ids(database) == []  # reading goes on
    other.execute("INSERT INTO item (id, n) VALUES ('other', 1)")
    other.execute("COMMIT")
    await writing
    assert await ids(database) == ["a", "other"]


async def test_a_write_cancelled_while_it_waits_for_another_process(
    database: SqliteDatabase, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(add(database, "a"))
    await asyncio.sleep(0.1)
    writing.cancel()
    other.execute("COMMIT")
    with pytest.raises(asyncio.CancelledError):
        await writing
    await add(database, "b")
    assert await ids(database) == ["b"]


async def test_a_begin_that_fails_gives_the_turn_back(database: SqliteDatabase, other: sqlite3.Connection) -> None:
    async with database.write() as transaction:
        await transaction.fetch("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await add(database, "a")
    assert not database.transaction_active()
    other.execute("ROLLBACK")
    await add(database, "b")
    assert await ids(database) == ["b"]


async def test_nothing_is_written_after_sqlite_has_ended_the_transaction(database: SqliteDatabase) -> None:
    await add(database, "a")
    with pytest.raises(sqlite3.OperationalError, match="no transaction is active"):  # noqa: PT012
        async with database.write() as transaction:
            await transaction.fetch(INSERT, "b")
            with pytest.raises(sqlite3.IntegrityError):
                await transaction.fetch("INSERT OR ROLLBACK INTO item (id, n) VALUES ('a', 1)")
            with pytest.raises(RuntimeError, match="SQLite has ended"):
                await transaction.fetch(INSERT, "c")
    assert await ids(database) == ["a"]


async def test_stopping_leaves_one_file(database: SqliteDatabase) -> None:
    await add(database, "a")
    folder = Path(database.path).parent
    assert len(list(folder.iterdir())) == 3
    await database.stop()
    assert [path.name for path in folder.iterdir()] == ["data.db"]


async def test_a_task_whose_statements_are_fast_lets_others_run(database: SqliteDatabase) -> None:
    turns: list[None] = []

    async def count() -> None:
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    for _ in range(100):
        await ids(database)
    counting.cancel()
    assert len(turns) > 10


async def test_rows_of_slow_statements_arrive_too(database: SqliteDatabase) -> None:
    sql = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT ?) SELECT max(n) AS n FROM c"
    rows = await asyncio.gather(*(database.fetch(sql, 100_000 + number) for number in range(8)))
    assert [row[0]["n"] for row in rows] == [100_000 + number for number in range(8)]


async def test_a_cancelled_job_that_has_not_begun_is_left_out() -> None:
    threads = SqliteThreads("test", 1, lambda: sqlite3.connect(":memory:"))
    await threads.start()
    done: list[str] = []
    first = asyncio.create_task(threads.run(lambda _: time.sleep(0.1)))
    second = asyncio.create_task(threads.run(lambda _: done.append("second")))
    third = asyncio.create_task(threads.run(lambda _: done.append("third")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(first, third)
    assert done == ["third"]
    await threads.stop()


def test_processes_that_create_and_write_one_database_at_once_are_never_locked_out(tmp_path: Path) -> None:
    script = f"""
import asyncio, sys
from models.engine import connect

async def main():
    database = connect("sqlite:///{tmp_path}/new.db")
    await database.start()
    for number in range(50):
        async with database.write() as transaction:
            await transaction.fetch("CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY)")
            await transaction.fetch("INSERT INTO item VALUES (?)", sys.argv[1] + str(number))
    await database.stop()

asyncio.run(main())
"""
    root = Path(__file__).parents[3]
    processes = [
        subprocess.Popen([sys.executable, "-c", script, name], cwd=root, stderr=subprocess.PIPE, text=True)
        for name in "abc"
    ]
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 3
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (150,)
