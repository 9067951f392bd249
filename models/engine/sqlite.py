"""SQLite: one writer connection behind a lock, a few readers that cannot write."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from piccolo.engine.sqlite import SQLiteEngine

from models.engine.later import Later
from models.engine.near_reader import NearReader
from models.engine.piccolo_queries import PiccoloQueries
from models.engine.program import Program, Row, drive
from models.engine.sqlite_connection import execute, open_reader, open_writer
from models.engine.sqlite_thread import SqliteThreads
from models.engine.sqlite_watch import SqliteWatch
from models.engine.transaction import WriteTransaction

T = TypeVar("T")

# So many near reads in a row before other tasks get their turn.
_IN_A_ROW = 8


class SqliteDatabase(PiccoloQueries, SQLiteEngine):  # type: ignore[misc]  # the engine's methods are replaced
    """The SQLite database in the file `path`, with so many `readers`. One process at a time `checkpoints`."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, readers: int = 3, checkpoints: bool = True) -> None:
        SQLiteEngine.__init__(self, path=str(path))
        self.statements = []
        self.commits = []
        self.later = Later()
        self.recording = False
        self.turn = asyncio.Lock()
        open_it = partial(open_writer, path, lambda: int(self.recording), checkpoints)
        self.writer = SqliteThreads("sqlite-writer", 1, open_it)
        self._readers = SqliteThreads("sqlite-reader", readers, partial(open_reader, path))
        self._open_near = partial(NearReader, path)
        self._near: NearReader | None = None
        self._in_a_row = 0

    async def start(self) -> None:
        """See Database."""
        if self.writer.started:
            raise RuntimeError("The database is started already.")
        try:
            await self.writer.start()
            await self._readers.start()
            self._near = self._open_near()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """See Database."""
        if self.current_transaction.get() is not None:
            raise RuntimeError("The database cannot be stopped inside a write transaction.")
        await self.later.done()
        if self._near is not None:
            self._near.close()
            self._near = None
        await self._readers.stop()
        async with self.turn:
            # Last, because the last connection to close a database checkpoints it, and only the writer may.
            await self.writer.stop()

    def write(self, *, recorder: bool = False) -> SqliteWrite:
        """See Database."""
        return SqliteWrite(self, recorder)

    def watched(self) -> SqliteWatch:
        """See Database."""
        return SqliteWatch(self.commits, self.version)

    def version(self) -> int | None:
        """A number that is another one after a commit by anybody else's connection; None when it cannot be told now."""
        rows = self._near.read("PRAGMA data_version", ()) if self._near is not None else None
        return int(rows[0]["data_version"]) if rows else None

    def array(self, values: Sequence[str] | Sequence[int]) -> str:
        """See Database."""
        return json.dumps(values)

    def member(self, column_sql: str) -> str:
        """See Database."""
        return f"{column_sql} IN (SELECT value FROM json_each(?))"

    async def _read(self, sql: str, args: Sequence[Any]) -> list[Row]:
        rows = self._near.read(sql, tuple(args)) if self._near is not None else None
        if rows is None:
            return await self._readers.run(execute, sql, tuple(args))
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        return rows


class SqliteWrite(WriteTransaction):
    """A turn on the writer connection."""

    def __init__(self, database: SqliteDatabase, recorder: bool) -> None:
        super().__init__(database.current_transaction, database.statements, database.commits if recorder else ())
        self._database = database
        self._recorder = recorder

    async def _begin(self) -> None:
        database = self._database
        await database.turn.acquire()
        try:
            database.recording = self._recorder
            await database.writer.run_to_the_end(_begin)
        except asyncio.CancelledError:
            await self._rollback()
            raise
        except BaseException:
            database.turn.release()
            raise

    async def _execute(self, sql: str, args: tuple[Any, ...]) -> list[Row]:
        return await self._database.writer.run(_execute, sql, args)

    async def _run(self, program: Program[T]) -> T:
        return await self._database.writer.run(_in_context(_drive), program, self._observers)

    async def _commit(self) -> None:
        try:
            commit = _in_context(_finish_and_commit) if self._finishing else _finish_and_commit
            await self._database.writer.run_to_the_end(commit, self._finishing, self._observers)
        finally:
            self._database.turn.release()

    async def _rollback(self) -> None:
        try:
            await self._database.writer.run_to_the_end(_rollback)
        finally:
            self._database.turn.release()


def _in_context(function: Callable[..., T]) -> Callable[..., T]:
    # Programs may ask for what the task has in its context, for example the clock.
    return partial(copy_context().run, function)


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")


def _execute(connection: sqlite3.Connection, sql: str, args: tuple[Any, ...]) -> list[Row]:
    if not connection.in_transaction:
        # Some errors (disk full, for one) make SQLite roll back by itself; what follows would be committed on its own.
        raise RuntimeError("SQLite has ended this transaction after an error; nothing more can be done in it.")
    return execute(connection, sql, args)


def _drive(connection: sqlite3.Connection, program: Program[T], observers: list[Callable[[str], None]]) -> T:
    def observed(sql: str, args: tuple[Any, ...]) -> list[Row]:
        for observer in observers:
            observer(sql)
        return _execute(connection, sql, args)

    return drive(program, observed)


def _finish_and_commit(
    connection: sqlite3.Connection,
    finishing: list[Callable[[], Program[Any]]],
    observers: list[Callable[[str], None]],
) -> None:
    try:
        for make_program in finishing:
            _drive(connection, make_program(), observers)
        connection.execute("COMMIT")
    except BaseException:
        _rollback(connection)
        raise


def _rollback(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
