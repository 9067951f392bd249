"""Programs: several statements, one hop on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from models import clock
from models.engine import Database, Program
from models.engine.sqlite_thread import SqliteThreads
from tests.models.engine.statements import INSERT, add, ids

pytestmark = pytest.mark.anyio


def insert(names: str) -> Program[int]:
    """Insert an item for each letter; the number of items there are."""
    for name in names:
        yield (INSERT, (name,))
    rows = yield ("SELECT count(*) AS n FROM item", ())
    count: int = rows[0]["n"]
    return count


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of every function that a task has sent to one of SQLite's threads."""
    hops: list[str] = []

    def spy(name: str) -> None:
        original = getattr(SqliteThreads, name)

        async def run(self: SqliteThreads, function: Callable[..., Any], *args: Any) -> Any:
            hops.append(name)
            return await original(self, function, *args)

        monkeypatch.setattr(SqliteThreads, name, run)

    spy("run")
    spy("run_to_the_end")
    return hops


async def test_a_program_returns_its_result_and_is_one_hop_on_sqlite(database: Database, hops: list[str]) -> None:
    async with database.write() as transaction:
        assert await transaction.run(insert("abcdefgh")) == 8
    assert await ids(database) == list("abcdefgh")
    if database.dialect == "sqlite":
        # BEGIN, the whole program, COMMIT; ids() needs none.
        assert hops == ["run_to_the_end", "run", "run_to_the_end"]


async def test_programs_to_finish_run_before_commit_in_order_and_on_sqlite_in_its_hop(
    database: Database, hops: list[str]
) -> None:
    seen: list[str] = []
    database.statements.append(seen.append)
    async with database.write() as transaction:
        transaction.finish(lambda: insert("bc"))
        transaction.finish(lambda: insert("d"))
        await transaction.fetch(INSERT, "a")
    assert await ids(database) == ["a", "b", "c", "d"]
    count = "SELECT count(*) AS n FROM item"
    assert seen[:6] == [INSERT, INSERT, INSERT, count, INSERT, count]
    if database.dialect == "sqlite":
        assert hops == ["run_to_the_end", "run", "run_to_the_end"]


async def test_a_program_that_fails_at_the_finish_rolls_everything_back(database: Database) -> None:
    await add(database, "z")
    for _ in range(3):
        with pytest.raises(Exception, match=r"(?i)unique"):  # noqa: PT012
            async with database.write() as transaction:
                await transaction.fetch(INSERT, "a")
                transaction.finish(lambda: insert("bz"))
    assert await ids(database) == ["z"]
    await add(database, "a")
    assert await ids(database) == ["a", "z"]


async def test_a_program_is_thrown_the_error_of_its_statement(database: Database) -> None:
    def translating() -> Program[None]:
        try:
            yield (INSERT, ("a",))
        except Exception as error:
            raise LookupError("taken") from error

    await add(database, "a")
    with pytest.raises(LookupError, match="taken"):
        async with database.write() as transaction:
            await transaction.run(translating())
    await add(database, "b")


async def test_a_program_without_statements_returns_its_result(database: Database) -> None:
    def idle() -> Program[str]:
        yield from ()
        return "done"

    async with database.write() as transaction:
        assert await transaction.run(idle()) == "done"


async def test_a_program_runs_in_the_context_of_its_task(database: Database) -> None:
    then = datetime(2020, 5, 17, tzinfo=UTC)

    def stamp(id: str) -> Program[None]:
        yield ("INSERT INTO item (id, n, at) VALUES (?, 1, ?)", (id, clock.now()))

    with clock.set_to(lambda: then):
        async with database.write() as transaction:
            transaction.finish(lambda: stamp("b"))
            await transaction.run(stamp("a"))
    assert [row["at"] for row in await database.fetch("SELECT at FROM item")] == [then, then]
