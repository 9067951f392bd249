"""The write transaction: who may use it, and when. What BEGIN and COMMIT are, each database says itself."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar

from models.engine.program import Program, Row

T = TypeVar("T")


class WriteTransaction(ABC):
    """`async with database.write() as transaction`: committed at the end, rolled back on any error.

    Only the task that opened it may use it, one statement after the other. Anything else is a RuntimeError: two tasks
    on one connection would mix their statements.
    """

    def __init__(
        self,
        current: ContextVar[Any],
        observers: list[Callable[[str], None]],
        commits: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._current = current
        self._observers = observers
        self._commits = commits
        self._owner: asyncio.Task[Any] | None = None
        self._open = False
        self._interrupted = False
        self._finishing: list[Callable[[], Program[Any]]] = []
        self._following: list[Callable[[], None]] = []
        self._token: Token[Any] | None = None

    async def __aenter__(self) -> WriteTransaction:
        if self._current.get() is not None:
            self._current.get().check()
            raise RuntimeError("A write transaction is already open in this task; transactions cannot be nested.")
        if self._owner is not None:
            raise RuntimeError("A write transaction can be used once only.")
        self._owner = asyncio.current_task()
        await self._begin()
        self._open = True
        self._token = self._current.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._open:
            self.check()
        foreign = asyncio.current_task() is not self._owner
        try:
            if error is not None or foreign or self._interrupted:
                await self._rollback()
            else:
                await self._commit()
        finally:
            self._open = False
            if self._token is not None and not foreign:
                self._current.reset(self._token)
            if error is None and not foreign:
                # Also when it failed or was cancelled: the commit may have come through.
                for told in self._commits:
                    told()
        if error is None:
            self._check_outcome(foreign)
            for follow in self._following:
                follow()

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run one statement in this transaction; its rows, none for a statement that returns none."""
        self.check()
        if self._observers:
            self._observe(sql)
        try:
            return await self._execute(sql, args)
        except asyncio.CancelledError:
            self._interrupted = True
            raise

    async def run(self, program: Program[T]) -> T:
        """Run a program in this transaction and return its result (SQLite: one hop to the writer's thread).

        A failing statement is thrown into the program. The program runs in this task's context, but on SQLite in
        another thread: it computes and yields statements, nothing else.
        """
        self.check()
        try:
            return await self._run(program)
        except asyncio.CancelledError:
            self._interrupted = True
            raise

    def finish(self, make_program: Callable[[], Program[Any]]) -> None:
        """Run the program that `make_program` makes just before COMMIT (SQLite: in the same hop). In order of calls."""
        self.check()
        self._finishing.append(make_program)

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Call `follow` when all is committed, in order of calls; never after a rollback.

        Whoever is cancelled during COMMIT does not get there: it may make things faster, and nothing may need it.
        """
        self.check()
        self._following.append(follow)

    @property
    def open(self) -> bool:
        """Whether it has begun and not ended."""
        return self._open

    def check(self) -> None:
        """RuntimeError unless the transaction is open and this is the task that opened it."""
        if not self._open:
            raise RuntimeError("This write transaction is not open; a task that outlives one cannot use the database.")
        if asyncio.current_task() is not self._owner:
            raise RuntimeError(
                "A write transaction belongs to the task that opened it: no gather() and no new task inside."
            )

    def _check_outcome(self, foreign: bool) -> None:
        if foreign:
            raise RuntimeError("A write transaction was left by another task than had opened it, and was rolled back.")
        if self._interrupted:
            raise RuntimeError("A statement of this transaction was cancelled half-way, so it was rolled back.")

    def _observe(self, sql: str) -> None:
        for observer in self._observers:
            observer(sql)

    @abstractmethod
    async def _begin(self) -> None: ...

    @abstractmethod
    async def _execute(self, sql: str, args: tuple[Any, ...]) -> list[Row]: ...

    @abstractmethod
    async def _run(self, program: Program[T]) -> T: ...

    @abstractmethod
    async def _commit(self) -> None:
        """Finish, commit, and give the connection back: always, whatever fails."""

    @abstractmethod
    async def _rollback(self) -> None:
        """Roll back and give the connection back: always, whatever fails."""
