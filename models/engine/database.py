"""What both databases promise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Literal

from models.engine.later import Later
from models.engine.program import Row
from models.engine.transaction import WriteTransaction
from models.engine.watch import Watch


class Database(ABC):
    """One database: reads on pooled read-only connections, writes in `write()`.

    Values are str, int, bool, None, bytes and aware datetimes; datetimes come back in UTC with microseconds.
    """

    dialect: Literal["sqlite", "postgres"]
    # Called with the text of every statement but BEGIN, COMMIT and ROLLBACK; those of a program may come from a thread.
    statements: list[Callable[[str], None]]
    # Called on the event loop after a transaction of the recorder has ended here; what it wrote can be read by then.
    commits: list[Callable[[], None]]
    # Writes that nobody waits for; `stop` does.
    later: Later
    current_transaction: ContextVar[Any]

    @abstractmethod
    async def start(self) -> None:
        """Open the connections.

        OSError or the driver's error when the database cannot be reached, RuntimeError when it is too old or started
        already.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Wait for what runs, then close the connections. Does nothing when nothing is open."""

    @abstractmethod
    def write(self, *, recorder: bool = False) -> WriteTransaction:
        """A write transaction. Only with `recorder` do the triggers of audited tables let writes pass."""

    @abstractmethod
    def watched(self) -> Watch:
        """Who uses it learns of the recorder's commits, in this process and in others."""

    @abstractmethod
    def array(self, values: Sequence[str] | Sequence[int]) -> Any:
        """The one argument that holds all `values`, for the condition made by `member`."""

    @abstractmethod
    def member(self, column_sql: str) -> str:
        """A condition with one placeholder: `column_sql` is one of the values of an `array`."""

    @abstractmethod
    async def _read(self, sql: str, args: Sequence[Any]) -> list[Row]: ...

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run one statement with `?` placeholders and return its rows.

        In this task's write transaction it runs there, otherwise on a connection that cannot write. RuntimeError in
        a task that was started inside a transaction, also after that has ended.

        SQLite knows the type of columns only (through subqueries and RETURNING too): a computed value such as
        `max(at)` comes back as it is stored, a datetime as text and a bool as int.
        """
        transaction = self.current_transaction.get()
        if transaction is not None:
            rows: list[Row] = await transaction.fetch(sql, *args)
            return rows
        if self.statements:
            self._observe(sql)
        return await self._read(sql, args)

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Call `follow` when this task's write transaction has been committed. RuntimeError outside of one."""
        transaction: WriteTransaction | None = self.current_transaction.get()
        if transaction is None:
            raise RuntimeError("There is no write transaction to follow.")
        transaction.after_commit(follow)

    def transaction_active(self) -> bool:
        """Whether a write transaction is open in this context (of this task, or of the one that started it)."""
        transaction = self.current_transaction.get()
        return transaction is not None and bool(transaction.open)

    def _observe(self, sql: str) -> None:
        for observer in self.statements:
            observer(sql)
