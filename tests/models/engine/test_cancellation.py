"""Cancelled at any point, a writer leaves whole transactions or none, and a database that works."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from models.engine import Database, Program, job
from tests.models.engine.statements import INSERT, add, ids

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_statement_is_over_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a task on SQLite be suspended, and so cancellable, in each statement, as it is in slow ones."""
    monkeypatch.setattr(job, "_MOMENT", 0)


async def two(database: Database, name: str, pause: float = 0) -> None:
    """Insert two items in one transaction."""
    async with database.write(recorder=True) as transaction:
        await transaction.fetch(INSERT, f"{name}-1")
        await asyncio.sleep(pause)
        await transaction.fetch(INSERT, f"{name}-2")


async def check_whole(database: Database, acknowledged: set[str]) -> None:
    """Every transaction is there whole or not at all, the acknowledged ones are there, and writing works."""
    halves: dict[str, int] = {}
    for id in await ids(database):
        name = id.rpartition("-")[0]
        halves[name] = halves.get(name, 0) + 1
    assert set(halves.values()) <= {2}
    assert acknowledged <= set(halves)
    # More than PostgreSQL has connections here, at the same time: none is lost, none is in a transaction.
    await asyncio.gather(*(two(database, f"after{number}") for number in range(5)))
    assert not database.transaction_active()


@pytest.mark.parametrize(("seed", "moment"), [(1, 0), (2, 0), (3, 0.0005)])
async def test_writers_cancelled_at_random(
    database: Database, seed: int, moment: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_MOMENT", moment)
    chance = random.Random(seed)
    acknowledged: set[str] = set()

    async def write(number: int) -> None:
        await asyncio.sleep(chance.random() * 0.05)
        await two(database, f"writer{number}", chance.choice([0, 0, 0.001]))
        acknowledged.add(f"writer{number}")

    async def cancel(task: asyncio.Task[None]) -> None:
        await asyncio.sleep(chance.random() * 0.3)
        task.cancel()

    tasks = [asyncio.create_task(write(number)) for number in range(200)]
    cancelling = [asyncio.create_task(cancel(task)) for task in tasks if chance.random() < 0.4]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*cancelling)
    failures = [one for one in outcomes if one is not None and not isinstance(one, asyncio.CancelledError)]
    assert failures == []
    assert any(isinstance(one, asyncio.CancelledError) for one in outcomes)
    await check_whole(database, acknowledged)


async def test_a_writer_cancelled_after_any_number_of_steps(database: Database) -> None:
    acknowledged: set[str] = set()
    finished = 0
    for steps in range(400):
        task = asyncio.create_task(two(database, f"writer{steps}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        if not task.cancel():
            finished += 1
        if (await asyncio.gather(task, return_exceptions=True))[0] is None:
            acknowledged.add(f"writer{steps}")
        if finished > 5:
            break
    await check_whole(database, acknowledged)


async def test_a_writer_cancelled_twice(database: Database) -> None:
    for steps in range(0, 60, 3):
        task = asyncio.create_task(two(database, f"writer{steps}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        assert not isinstance((await asyncio.gather(task, return_exceptions=True))[0], Exception)
    await check_whole(database, set())


async def test_a_writer_cancelled_while_it_waits_for_its_turn(database: Database) -> None:
    release = asyncio.Event()

    async def hold(name: str) -> None:
        async with database.write() as transaction:
            await transaction.fetch(INSERT, f"{name}-1")
            await release.wait()
            await transaction.fetch(INSERT, f"{name}-2")

    holding = [asyncio.create_task(hold(f"holder{number}")) for number in range(2)]  # all the connections there are
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(two(database, f"waiter{number}")) for number in range(10)]
    await asyncio.sleep(0.05)
    for task in waiting[::2]:
        task.cancel()
    release.set()
    outcomes = await asyncio.gather(*holding, *waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[2:4]] == [asyncio.CancelledError, type(None)]
    await check_whole(database, {f"waiter{number}" for number in range(1, 10, 2)})
    assert not any(id.startswith("waiter0") for id in await ids(database))


async def test_a_commit_that_has_begun_is_finished_although_its_task_is_cancelled(
    database: Database, slow_commit: Callable[[], Program[None]]
) -> None:
    async def write() -> None:
        async with database.write() as transaction:
            await transaction.fetch(INSERT, "a")
            if database.dialect == "sqlite":
                transaction.finish(slow_commit)

    if database.dialect == "postgres":
        await slow_commit_on_postgres(database)
    task = asyncio.create_task(write())
    await asyncio.sleep(0.15)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ids(database) == ["a"]
    await add(database, "b")


async def slow_commit_on_postgres(database: Database) -> None:
    async with database.write() as transaction:
        await transaction.fetch(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END'"
        )
        await transaction.fetch(
            "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION slow()"
        )


@pytest.fixture
def slow_commit() -> Callable[[], Program[None]]:
    """A program that keeps the writer's thread busy just before COMMIT."""

    def program() -> Program[None]:
        time.sleep(0.3)
        yield ("SELECT 1", ())

    return program


async def test_a_transaction_with_a_statement_cancelled_half_way_is_not_committed(database: Database) -> None:
    slow = {
        "sqlite": "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n FROM c LIMIT 100000000) SELECT sum(n) FROM c",
        "postgres": "SELECT pg_sleep(20)",
    }[database.dialect]
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match="cancelled half-way"):  # noqa: PT012
        async with database.write() as transaction:
            await transaction.fetch(INSERT, "a")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await transaction.fetch(slow)
    assert await ids(database) == []
    await add(database, "b")
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await database.fetch(slow)
    assert await ids(database) == ["b"]
    # The statements were stopped, they did not run on.
    assert time.monotonic() - begun < 5
