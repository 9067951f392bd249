"""A database with one table, for the tests of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.engine import Database, PostgresDatabase, connect

ITEM = "CREATE TABLE item (id TEXT PRIMARY KEY, n INTEGER NOT NULL, at TIMESTAMPTZ, ok BOOLEAN, data BYTEA)"


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    """Started, with an empty table `item`. On PostgreSQL with two connections, so that a lost one is missed."""
    database = connect(empty_database_url)
    if database.dialect == "postgres":
        database = PostgresDatabase(empty_database_url, min_size=1, max_size=2)
    await database.start()
    async with database.write() as transaction:
        await transaction.fetch(ITEM)
    yield database
    await database.stop()
