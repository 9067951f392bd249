"""Hand-written transactions on the plain drivers."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Any

from bench.readers import PostgresReader, Reader
from models.engine.postgres import numbered
from models.engine.program import drive, drive_async
from models.engine.url import sqlite_path

Result = dict[str, Any]
Work = Generator[tuple[str, tuple[Any, ...]], Any, Result]


class Writer(ABC):
    """Runs hand-written transactions."""

    postgres: bool

    @abstractmethod
    async def transact(self, work: Work) -> Result:
        """Run the work's statements in one transaction; what it returns."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""


class SqliteWriter(Writer):
    """sqlite3 on the event loop's own thread, as durable as the product's."""

    postgres = False

    def __init__(self, url: str) -> None:
        connection = sqlite3.connect(sqlite_path(url), isolation_level=None)
        connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("counterfoil_recorder", 0, lambda: 1)
        self._connection = connection

    async def transact(self, work: Work) -> Result:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = drive(work, lambda sql, args: self._connection.execute(sql, args).fetchall())
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result

    async def close(self) -> None:
        self._connection.close()


class PostgresWriter(Writer):
    """asyncpg."""

    postgres = True

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def transact(self, work: Work) -> Result:
        async with self._pool.acquire() as connection:
            await connection.execute("BEGIN; SET LOCAL counterfoil.recorder = 'on'")
            try:
                result = await drive_async(work, lambda sql, args: connection.fetch(numbered(sql), *args))
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
            return result

    async def close(self) -> None:
        pass  # the reader closes the pool


async def open_writer(url: str, reader: Reader) -> Writer:
    """The writer beside the open `reader`."""
    return PostgresWriter(reader.pool) if isinstance(reader, PostgresReader) else SqliteWriter(url)
