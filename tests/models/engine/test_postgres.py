"""What only PostgreSQL has: a pool, settings of sessions and transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from models.engine import PostgresDatabase
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
    with pytest.raises(Exception, match=r"terminat|clos|ended"):  # noqa: PT012
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
