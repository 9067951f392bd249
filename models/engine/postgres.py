"""PostgreSQL: one pool of connections that are read-only until a write transaction says otherwise."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, TypeVar

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from models.engine.cancellation import to_the_end
from models.engine.later import Later
from models.engine.piccolo_queries import PiccoloQueries
from models.engine.postgres_watch import CHANNEL, Notifier, PostgresWatch
from models.engine.program import Program, Row, drive_async
from models.engine.transaction import WriteTransaction

T = TypeVar("T")
_STOP_SECONDS = 10
# How long a write waits for what somebody else holds. Longer, and people have given up or sent it again.
LOCK_SECONDS = 10
# How long a statement may run. Nothing that we ask takes seconds; what does would keep a connection from others.
_READ_SECONDS = 30
_WRITE_SECONDS = 120
# How long the server may take to end a statement whose answer nobody wants any more.
_CANCEL_SECONDS = 2
_SETTINGS = {
    "application_name": "counterfoil",
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "statement_timeout": f"{_READ_SECONDS}s",
    # Short statements: compiling them costs more than it saves.
    "jit": "off",
}
# So many connections of the pool are left to those who read, however many write.
_FOR_READS = 2
_OLDEST = 14
# Strings, quoted names and comments keep their question marks.
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\?", re.DOTALL)


@lru_cache(maxsize=2048)
def numbered(sql: str) -> str:
    """`sql` with its `?` placeholders as `$1`, `$2`, …"""
    count = 0

    def number(token: re.Match[str]) -> str:
        nonlocal count
        if token[0] != "?":
            return token[0]
        count += 1
        return f"${count}"

    return _TOKEN.sub(number, sql)


class PostgresDatabase(PiccoloQueries, PostgresEngine):  # type: ignore[misc]  # the engine's methods are replaced
    """The PostgreSQL database at `url`, with a pool of `min_size` to `max_size` connections."""

    dialect: Literal["postgres"] = "postgres"

    def __init__(self, url: str, *, min_size: int = 2, max_size: int = 10) -> None:
        PostgresEngine.__init__(self, config={"dsn": url})
        self.statements = []
        self.later = Later()
        self._notifier = Notifier(self._notify)
        self.commits = [self._notifier.soon]
        self._sizes = {"min_size": min_size, "max_size": max_size}
        self.turns = asyncio.Semaphore()

    async def start(self) -> None:
        """See Database."""
        if self.pool is not None:
            raise RuntimeError("The database is started already.")
        pool = await asyncpg.create_pool(
            **self.config,
            **self._sizes,
            server_settings=_SETTINGS,
            statement_cache_size=512,
            reset=_keep,
        )
        async with pool.acquire() as connection:
            version = connection.get_server_version().major
        if version < _OLDEST:
            await pool.close()
            raise RuntimeError(f"PostgreSQL {_OLDEST} or newer is needed; this is {version}.")
        self.pool = pool
        self.turns = asyncio.Semaphore(max(1, self._sizes["max_size"] - _FOR_READS))

    async def stop(self) -> None:
        """See Database."""
        if self.current_transaction.get() is not None:
            raise RuntimeError("The database cannot be stopped inside a write transaction.")
        if (pool := self.pool) is None:
            return
        try:
            # A database that has fallen silent keeps nobody from stopping.
            async with asyncio.timeout(_STOP_SECONDS):
                await self.later.done()
                await self._notifier.stop()
                self.pool = None
                await pool.close()
        except TimeoutError:
            self.pool = None
            pool.terminate()

    def write(self, *, recorder: bool = False) -> PostgresWrite:
        """See Database."""
        return PostgresWrite(self, recorder)

    def watched(self) -> PostgresWatch:
        """See Database."""
        return PostgresWatch(self.commits, lambda: asyncpg.connect(**self.config, server_settings=_SETTINGS))

    def array(self, values: Sequence[str] | Sequence[int]) -> list[str | int]:
        """See Database."""
        return list(values)

    def member(self, column_sql: str) -> str:
        """See Database."""
        return f"{column_sql} = ANY(?)"

    async def _notify(self) -> None:
        async with self.running_pool().acquire() as connection:
            await connection.execute(f"SELECT pg_notify('{CHANNEL}', '')")

    async def _read(self, sql: str, args: Sequence[Any]) -> list[Row]:
        pool = self.running_pool()
        connection = await pool.acquire()
        try:
            return list(map(dict, await connection.fetch(numbered(sql), *args)))
        finally:
            # Of a read that is cancelled, the server is asked to end it. One that does not answer is given up.
            with suppress(TimeoutError):
                await pool.release(connection, timeout=_CANCEL_SECONDS)

    def running_pool(self) -> Any:
        """The pool; RuntimeError before `start()` and after `stop()`."""
        if self.pool is None:
            raise RuntimeError("The database is not started.")
        return self.pool


class PostgresWrite(WriteTransaction):
    """A read-write transaction on a connection of the pool. Those who wait for a row leave connections to readers."""

    def __init__(self, database: PostgresDatabase, recorder: bool) -> None:
        super().__init__(database.current_transaction, database.statements, database.commits if recorder else ())
        self._database = database
        self._begin_sql = (
            "BEGIN READ WRITE ISOLATION LEVEL READ COMMITTED"
            f"; SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SET LOCAL statement_timeout = '{_WRITE_SECONDS}s'"
        )
        if recorder:
            self._begin_sql += "; SET LOCAL counterfoil.recorder = 'on'"
        self._pool: Any = None
        self._turns = database.turns
        self._connection: Any = None

    async def _begin(self) -> None:
        self._pool, self._turns = self._database.running_pool(), self._database.turns
        await self._turns.acquire()
        try:
            self._connection = await self._pool.acquire()
        except BaseException:
            self._turns.release()
            raise
        try:
            await to_the_end(self._connection.execute(self._begin_sql))
        except BaseException:
            await to_the_end(self._roll_back_and_release())
            raise

    async def _execute(self, sql: str, args: tuple[Any, ...]) -> list[Row]:
        return list(map(dict, await self._connection.fetch(numbered(sql), *args)))

    async def _observed(self, sql: str, args: tuple[Any, ...]) -> list[Row]:
        if self._observers:
            self._observe(sql)
        return await self._execute(sql, args)

    async def _run(self, program: Program[T]) -> T:
        return await drive_async(program, self._observed)

    async def _commit(self) -> None:
        try:
            for make_program in self._finishing:
                await drive_async(make_program(), self._observed)
        except BaseException:
            await self._rollback()
            raise
        await to_the_end(self._commit_and_release())

    async def _rollback(self) -> None:
        await to_the_end(self._roll_back_and_release())

    async def _commit_and_release(self) -> None:
        try:
            if not self._connection.is_in_transaction():
                raise RuntimeError("This transaction has been ended by one of its own statements.")
            outcome = await self._connection.execute("COMMIT")
        except BaseException:
            await self._roll_back_and_release()
            raise
        await self._release()
        if outcome != "COMMIT":
            # PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and with no error.
            raise RuntimeError("A statement of this transaction had failed, so PostgreSQL rolled it back.")

    async def _roll_back_and_release(self) -> None:
        connection = self._connection
        try:
            if not connection.is_closed() and connection.is_in_transaction():
                await connection.execute("ROLLBACK")
        except (Exception, asyncio.CancelledError):
            # Whatever it was, nobody knows the connection's state any more. The pool opens another.
            with suppress(asyncpg.InterfaceError):  # one that broke has left the pool by itself
                connection.terminate()
        await self._release()

    async def _release(self) -> None:
        try:
            await self._pool.release(self._connection)
        finally:
            self._turns.release()


async def _keep(connection: Any) -> None:
    """What asyncpg does when a connection comes back: nothing, for only SET LOCAL is ever used. Saves a round trip."""
