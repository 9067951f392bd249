"""Write transactions: who may write, when, and what is left when something fails."""

from __future__ import annotations

import asyncio

import pytest

from models.engine import Database
from tests.models.engine.statements import INSERT, READ_ONLY, add, ids

pytestmark = pytest.mark.anyio


async def test_a_write_outside_a_transaction_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match=READ_ONLY):
        await database.fetch(INSERT, "a")
    assert await ids(database) == []


async def test_a_transaction_is_seen_by_others_only_when_it_is_committed(database: Database) -> None:
    inserted, seen = asyncio.Event(), asyncio.Event()

    async def look() -> list[str]:
        await inserted.wait()
        found = await ids(database)
        seen.set()
        return found

    other = asyncio.create_task(look())
    async with database.write() as transaction:
        await transaction.fetch(INSERT, "a")
        assert await ids(database) == ["a"]  # in the transaction's own task, reads happen in it
        inserted.set()
        await seen.wait()
    assert await other == []
    assert await ids(database) == ["a"]


async def test_an_error_rolls_back(database: Database) -> None:
    with pytest.raises(LookupError):  # noqa: PT012
        async with database.write() as transaction:
            await transaction.fetch(INSERT, "a")
            raise LookupError
    assert await ids(database) == []
    await add(database, "b")
    assert await ids(database) == ["b"]


async def test_what_follows_a_commit_is_called_after_it_and_never_after_a_rollback(database: Database) -> None:
    told: list[str] = []
    with pytest.raises(LookupError):  # noqa: PT012
        async with database.write() as transaction:
            transaction.after_commit(lambda: told.append("rolled back"))
            raise LookupError
    async with database.write() as transaction:
        await transaction.fetch(INSERT, "a")
        database.after_commit(lambda: told.append("first"))
        transaction.after_commit(lambda: told.append(f"second, active: {database.transaction_active()}"))
        assert told == []
    assert told == ["first", "second, active: False"]
    with pytest.raises(RuntimeError, match="no write transaction"):
        database.after_commit(lambda: None)


async def test_transactions_do_not_nest(database: Database) -> None:
    async with database.write() as transaction:
        with pytest.raises(RuntimeError, match="cannot be nested"):
            async with database.write():
                raise AssertionError
        await transaction.fetch(INSERT, "a")
    assert await ids(database) == ["a"]


async def test_a_transaction_is_used_once(database: Database) -> None:
    transaction = database.write()
    async with transaction:
        pass
    with pytest.raises(RuntimeError, match="is not open"):
        await transaction.fetch(INSERT, "a")
    with pytest.raises(RuntimeError, match="once only"):
        async with transaction:
            raise AssertionError


async def test_a_transaction_cannot_be_used_before_it_begins(database: Database) -> None:
    with pytest.raises(RuntimeError, match="is not open"):
        await database.write().fetch(INSERT, "a")


async def test_gather_inside_a_transaction_is_refused(database: Database) -> None:
    async with database.write() as transaction:
        outcomes = await asyncio.gather(
            transaction.fetch(INSERT, "a"),
            database.fetch("SELECT 1 AS one"),
            ids(database),
            return_exceptions=True,
        )
        await transaction.fetch(INSERT, "b")
    assert [type(outcome) for outcome in outcomes] == [RuntimeError] * 3
    assert "belongs to the task that opened it" in str(outcomes[0])
    assert await ids(database) == ["b"]


async def test_a_task_that_outlives_the_transaction_it_was_started_in_cannot_use_the_database(
    database: Database,
) -> None:
    over = asyncio.Event()

    async def late() -> None:
        await over.wait()
        await database.fetch("SELECT 1 AS one")

    async def late_write() -> None:
        await over.wait()
        await add(database, "late")

    async with database.write():
        tasks = [asyncio.create_task(late()), asyncio.create_task(late_write())]
    over.set()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, RuntimeError)
        assert "is not open" in str(outcome)
    assert await ids(database) == []


async def test_a_transaction_is_active_for_its_task_and_the_tasks_started_in_it(database: Database) -> None:
    async def active() -> bool:
        return database.transaction_active()

    outside = asyncio.create_task(active())
    assert not await active()
    async with database.write():
        assert await active()
        assert await asyncio.create_task(active())
        assert not await outside
    assert not await active()


async def test_a_transaction_left_by_another_task_is_rolled_back(database: Database) -> None:
    transaction = database.write()
    await asyncio.create_task(transaction.__aenter__())
    with pytest.raises(RuntimeError, match="left by another task"):
        await transaction.__aexit__(None, None, None)
    await add(database, "a")
    assert await ids(database) == ["a"]


async def test_a_transaction_that_ended_itself_is_an_error(database: Database) -> None:
    with pytest.raises(Exception, match="transaction"):
        async with database.write() as transaction:
            await transaction.fetch("ROLLBACK")
    await add(database, "a")
    assert await ids(database) == ["a"]


async def test_a_swallowed_error_never_ends_in_a_commit_that_did_not_happen(database: Database) -> None:
    await add(database, "a")
    try:
        async with database.write() as transaction:
            with pytest.raises(Exception, match=r"(?i)unique"):
                await transaction.fetch(INSERT, "a")
            if database.dialect == "sqlite":
                await transaction.fetch(INSERT, "b")
    except RuntimeError:
        assert database.dialect == "postgres"
        assert await ids(database) == ["a"]
    else:
        assert await ids(database) == ["a", "b"]


async def test_a_database_cannot_be_stopped_inside_a_transaction(database: Database) -> None:
    async with database.write() as transaction:
        with pytest.raises(RuntimeError, match="cannot be stopped"):
            await database.stop()
        await transaction.fetch(INSERT, "a")
    assert await ids(database) == ["a"]


async def test_a_failed_commit_gives_its_connection_back(database: Database) -> None:
    async with database.write() as transaction:
        await transaction.fetch("CREATE TABLE child (item TEXT REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)")
    for _ in range(4):  # more often than there are connections
        with pytest.raises(Exception, match=r"(?i)foreign key"):  # noqa: PT012
            async with database.write() as transaction:
                await transaction.fetch(INSERT, "a")
                await transaction.fetch("INSERT INTO child VALUES ('nobody')")
        assert not database.transaction_active()
    assert await ids(database) == []
    await add(database, "b")
    assert await ids(database) == ["b"]
