"""What only PostgreSQL has: a pool, settings of sessions and transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from models.engine import PostgresDatabase
from models.failure import is_busy
from tests.databases import PostgresDatabases
from tests.models.engine.conftest import ITEM
from tests.models.engine.statements import INSERT, add, ids

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(postgres: PostgresDatabases) -> AsyncIterator[PostgresDatabase]:
    """A PostgreSQL database with an empty table `item`, and one connection."""
    with postgres.fresh("template0") as url:
        database = PostgresDatabase(url, min_size=1, max_size=1)
        await database.start()
        async with database.write() as transaction:
            await transaction.fetch(ITEM)
        yield database
        await database.stop()


async def setting(database: Any, name: str) -> str | None:
    value: str | None = (await database.fetch("SELECT current_setting(?, true) AS value", name))[0]["value"]
    return value


async def test_sessions_are_read_only_and_in_utc(database: PostgresDatabase) -> None:
    assert await setting(database, "default_transaction_read_only") == "on"
    assert await setting(database, "TimeZone") == "UTC"
    assert await setting(database, "application_name") == "counterfoil"
    async with database.write() as transaction:
        assert await setting(transaction, "transaction_read_only") == "off"
        assert await setting(transaction, "transaction_isolation") == "read committed"
    assert await setting(database, "transaction_read_only") == "on"


async def test_only_the_recorders_transactions_are_known_as_such(database: PostgresDatabase) -> None:
    for recorder in (True, False, True):
        async with database.write(recorder=recorder) as transaction:
            assert (await setting(transaction, "counterfoil.recorder") == "on") is recorder
        assert await setting(database, "counterfoil.recorder") != "on"


async def test_a_connection_comes_back_without_a_round_trip(database: PostgresDatabase) -> None:
    async with database.running_pool().acquire() as connection:
        sent: list[str] = []
        connection.add_query_logger(lambda query: sent.append(query.query))
        plain = connection._con
    await add(database, "a")
    assert await ids(database) == ["a"]
    async with database.running_pool().acquire() as connection:
        assert connection._con is plain
    assert [text.split()[0] for text in sent] == ["BEGIN", "INSERT", "COMMIT", "SELECT"]


async def test_a_connection_that_broke_is_replaced(database: PostgresDatabase) -> None:
    with pytest.raises(Exception, match=r"terminat|clos"):  # noqa: PT012
        async with database.write() as transaction:
            await transaction.fetch(INSERT, "a")
            await transaction.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
    await add(database, "b")
    assert await ids(database) == ["b"]


async def test_a_connection_that_breaks_before_commit_is_an_error(
    database: PostgresDatabase, postgres: PostgresDatabases
) -> None:
    with pytest.raises(Exception, match=r"terminat|clos|ended|released"):  # noqa: PT012
        async with database.write() as transaction:
            await transaction.fetch(INSERT, "a")
            pid = (await transaction.fetch("SELECT pg_backend_pid() AS pid"))[0]["pid"]
            postgres.execute(f"SELECT pg_terminate_backend({pid})")
            await asyncio.sleep(0.1)
    assert not database.transaction_active()
    await add(database, "b")
    assert await ids(database) == ["b"]


async def test_a_deferred_trigger_that_fails_at_commit_is_an_error(database: PostgresDatabase) -> None:
    async with database.write() as transaction:
        await transaction.fetch(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''refused''; END'"
        )
        await transaction.fetch(
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW WHEN (NEW.id = 'a') EXECUTE FUNCTION refuse()"
        )
    for _ in range(2):
        with pytest.raises(Exception, match="refused"):
            await add(database, "a")
        await add(database, f"b{len(await ids(database))}")
    assert await ids(database) == ["b0", "b1"]


@pytest.fixture
async def crowded(postgres: PostgresDatabases, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresDatabase]:
    """Four connections, the item `a` that somebody else holds, and as many writers as connections that wait for it."""
    monkeypatch.setattr("models.engine.postgres.LOCK_SECONDS", 1)
    with postgres.fresh("template0") as url:
        database = PostgresDatabase(url, min_size=1, max_size=4)
        await database.start()
        async with database.write() as transaction:
            await transaction.fetch(ITEM)
        await add(database, "a")
        somebody = await asyncpg.connect(url)
        async with somebody.transaction():
            await somebody.execute("SELECT id FROM item WHERE id = 'a' FOR UPDATE")
            yield database
        await somebody.close()
        await asyncio.gather(*(add(database, f"after{number}") for number in range(8)))
        assert len(await ids(database)) == 9
        await database.stop()


async def raise_n(database: PostgresDatabase) -> None:
    async with database.write() as transaction:
        await transaction.fetch("UPDATE item SET n = n + 1 WHERE id = 'a'")


async def test_reads_go_on_while_every_writer_waits_for_a_row(crowded: PostgresDatabase) -> None:
    writers = [asyncio.create_task(raise_n(crowded)) for _ in range(4)]
    await asyncio.sleep(0.3)
    async with asyncio.timeout(1):
        assert await ids(crowded) == ["a"]
    failures = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(error, asyncpg.LockNotAvailableError) and is_busy(error) for error in failures)


async def test_writers_that_are_cancelled_wherever_they_wait_give_their_turn_back(crowded: PostgresDatabase) -> None:
    for pause in (0, 0, 0.001, 0.01, 0.1):
        writers = [asyncio.create_task(raise_n(crowded)) for _ in range(6)]
        for writer in writers:
            await asyncio.sleep(pause)
            writer.cancel()
        failures = await asyncio.gather(*writers, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in failures)


async def test_statements_are_bounded_in_time_and_writes_less_tightly(database: PostgresDatabase) -> None:
    assert await setting(database, "statement_timeout") == "30s"
    async with database.write() as transaction:
        assert await setting(transaction, "statement_timeout") == "2min"
        assert await setting(transaction, "lock_timeout") == "10s"
    assert await setting(database, "statement_timeout") == "30s"
    assert await setting(database, "lock_timeout") == "0"


async def test_a_read_that_takes_too_long_is_busy(database: PostgresDatabase) -> None:
    await database.fetch("SET statement_timeout = '50ms'")
    with pytest.raises(asyncpg.QueryCanceledError) as caught:
        await database.fetch("SELECT pg_sleep(2)")
    assert is_busy(caught.value)


async def test_a_connection_that_falls_silent_is_given_up(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.engine.postgres._CANCEL_SECONDS", 0.1)
    async with database.running_pool().acquire() as connection:
        silent = connection._con
        # From now on nothing arrives, as when a network drops every packet.
        silent._transport.pause_reading()
    async with asyncio.timeout(60):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ids(database)
        assert await ids(database) == []
    assert silent.is_closed()


async def test_a_database_that_has_fallen_silent_stops_all_the_same(
    postgres: PostgresDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.engine.postgres._STOP_SECONDS", 0.2)
    silent = PostgresDatabase(postgres.url("postgres"))
    await silent.start()
    for holder in silent.running_pool()._holders:
        if holder._con is not None:
            holder._con._transport.pause_reading()

    async def read() -> None:
        await silent.fetch("SELECT 1")

    silent.later.do("read", read)
    async with asyncio.timeout(60):
        await silent.stop()
        await silent.later.done()
    # And a second time.
    await silent.stop()
