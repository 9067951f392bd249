"""Plain drivers, for what is measured beside the product."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import aiosqlite
import asyncpg
import orjson

from bench.statements import Statements
from models.engine.url import sqlite_path

Rows = Sequence[Mapping[str, Any]]


class Reader(ABC):
    """Runs statements on a database; rows are read by column name."""

    statements: Statements

    @abstractmethod
    async def open(self) -> None:
        """Connect."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> Rows:
        """The rows of one statement."""

    @abstractmethod
    def array(self, values: Sequence[str] | Sequence[int]) -> Any:
        """One argument that holds all values."""


class PostgresReader(Reader):
    """asyncpg's pool."""

    def __init__(self, url: str) -> None:
        self.statements = Statements("postgres")
        self._url = url
        self.pool: Any = None

    async def open(self) -> None:
        self.pool = await asyncpg.create_pool(self._url, min_size=2, max_size=10)

    async def close(self) -> None:
        await self.pool.close()

    async def fetch(self, sql: str, *args: Any) -> Rows:
        rows: Rows = await self.pool.fetch(sql, *args)
        return rows

    def array(self, values: Sequence[str] | Sequence[int]) -> Any:
        return list(values)


class BlockingSqliteReader(Reader):
    """sqlite3 on the event loop's own thread: nothing is faster for short statements, and nothing else runs then."""

    def __init__(self, url: str) -> None:
        self.statements = Statements("sqlite")
        self._path = sqlite_path(url)

    async def open(self) -> None:
        self._connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._connection.row_factory = sqlite3.Row

    async def close(self) -> None:
        self._connection.close()

    async def fetch(self, sql: str, *args: Any) -> Rows:
        return self._connection.execute(sql, args).fetchall()

    def array(self, values: Sequence[str] | Sequence[int]) -> Any:
        return orjson.dumps(values).decode()


class AiosqliteReader(Reader):
    """aiosqlite: sqlite3 in a thread."""

    def __init__(self, url: str) -> None:
        self.statements = Statements("sqlite")
        self._path = sqlite_path(url)

    async def open(self) -> None:
        self._connection = await aiosqlite.connect(f"{self._path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._connection.row_factory = aiosqlite.Row

    async def close(self) -> None:
        await self._connection.close()

    async def fetch(self, sql: str, *args: Any) -> Rows:
        rows: list[Any] = list(await self._connection.execute_fetchall(sql, args))
        return rows

    def array(self, values: Sequence[str] | Sequence[int]) -> Any:
        return orjson.dumps(values).decode()
