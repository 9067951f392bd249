"""SQLite connections, each owned by one thread; a job is one hop there and back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from models.engine.cancellation import SteadyFuture
from models.engine.job import Job, tell

T = TypeVar("T")

# So many jobs in a row may be over in a moment before other tasks get their turn.
_IN_A_ROW = 8


class SqliteThreads:
    """Threads that take jobs from one queue; each owns a connection, opened and closed in it."""

    def __init__(self, name: str, count: int, open_connection: Callable[[], sqlite3.Connection]) -> None:
        self._name = name
        self._count = count
        self._open_connection = open_connection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._ends: list[asyncio.Future[None]] = []
        self._running: dict[Job[Any], sqlite3.Connection] = {}
        self._running_lock = Lock()
        self._in_a_row = 0

    async def start(self) -> None:
        """Open the connections; sqlite3.Error when one cannot be opened."""
        loop = asyncio.get_running_loop()
        begins: list[asyncio.Future[None]] = [loop.create_future() for _ in range(self._count)]
        self._ends = [loop.create_future() for _ in range(self._count)]
        self._jobs = SimpleQueue()
        for number, (begin, end) in enumerate(zip(begins, self._ends, strict=True)):
            # A daemon: forgetting stop() must not keep the process alive, and SQLite survives any exit.
            Thread(target=self._work, args=(begin, end), name=f"{self._name}-{number}", daemon=True).start()
        self._loop = loop
        await asyncio.gather(*begins)

    @property
    def started(self) -> bool:
        """Whether `start` was called, and `stop` was not called since."""
        return self._loop is not None

    async def stop(self) -> None:
        """Close the connections, after the jobs that wait."""
        self._loop = None
        ends, self._ends = self._ends, []
        for _ in ends:
            self._jobs.put(None)
        if ends:
            await asyncio.wait(ends)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call `function(connection, *args)` in a thread. Cancelled, it is left out, or interrupted if it has begun."""
        job, loop = self._send(function, args)
        if not job.over_in_a_moment():
            self._in_a_row = 0
            try:
                await job.wait(loop.create_future())
            except asyncio.CancelledError:
                self._give_up(job)
                raise
        return await self._take(job)

    async def run_to_the_end(self, function: Callable[..., T], *args: Any) -> T:
        """Like `run`; but cancelled, it is done all the same, and CancelledError comes after that."""
        job, loop = self._send(function, args)
        if not job.over_in_a_moment():
            self._in_a_row = 0
            await job.wait(SteadyFuture(loop=loop))
        return await self._take(job)

    def _send(self, function: Callable[..., T], args: tuple[Any, ...]) -> tuple[Job[T], asyncio.AbstractEventLoop]:
        if self._loop is None:
            raise RuntimeError("The database is not started.")
        job = Job(function, args)
        self._jobs.put(job)
        return job, self._loop

    async def _take(self, job: Job[T]) -> T:
        result = job.result()
        self._in_a_row += 1
        if self._in_a_row > _IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        return result

    def _give_up(self, job: Job[Any]) -> None:
        with self._running_lock:
            job.given_up = True
            # Under the lock this job cannot give way to the next one, which must not be interrupted.
            if job in self._running:
                self._running[job].interrupt()

    def _work(self, begin: asyncio.Future[None], end: asyncio.Future[None]) -> None:
        try:
            connection = self._open_connection()
        except BaseException as error:
            tell(begin, error)
        else:
            tell(begin)
            while (job := self._jobs.get()) is not None:
                self._do(connection, job)
                del job  # an idle thread must not keep its last rows alive
            connection.close()
        tell(end)

    def _do(self, connection: sqlite3.Connection, job: Job[Any]) -> None:
        with self._running_lock:
            if job.given_up:
                return
            self._running[job] = connection
        job.perform(connection)
        with self._running_lock:
            del self._running[job]
        job.report()
