"""SQLite connections, each owned by one thread; a job is one hop there and back.

A thread gets the interpreter's lock late, or hardly ever, while the loop is busy. So the loop stands still for a moment
after sending a job: most jobs are over by then. For one that is not, it does so again from time to time. On a busy loop
with eight writers this brought the median write from 13 ms to 4 ms, and a single writer from seconds to 0.4 ms.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias, TypeVar

from models.engine.cancellation import SteadyFuture

T = TypeVar("T")
_Loop: TypeAlias = asyncio.AbstractEventLoop

# All in seconds. The pause between two moments doubles from the first to the last value.
_MOMENT = 0.0005
_PAUSES = (0.001, 0.064)
# So many jobs in a row may be over in a moment before other tasks get their turn.
_IN_A_ROW = 8
# How long a thread waits before it demands the interpreter's lock. Python's default of 5 ms, several times in each
# statement, nearly stops jobs that take longer than the moment while the loop is busy.
_SWITCH_INTERVAL = 0.0005


class _Job:
    """One call in a thread, and what came of it."""

    __slots__ = ("args", "error", "finished", "function", "future", "given_up", "over", "value")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.value: Any = None
        self.error: BaseException | None = None
        self.finished = False
        self.given_up = False
        self.over = Lock()
        self.over.acquire()
        self.future: asyncio.Future[None] | None = None

    def result(self) -> Any:
        """What the call returned; raises what it raised."""
        value, error, self.value, self.error = self.value, self.error, None, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # it refers to this frame, which refers to it
        return value


class SqliteThreads:
    """Threads that take jobs from one queue; each owns a connection, opened and closed in it."""

    def __init__(self, name: str, count: int, open_connection: Callable[[], sqlite3.Connection]) -> None:
        self._name = name
        self._count = count
        self._open_connection = open_connection
        self._loop: _Loop | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._ends: list[asyncio.Future[None]] = []
        self._running: dict[_Job, sqlite3.Connection] = {}
        self._running_lock = Lock()
        self._in_a_row = 0

    async def start(self) -> None:
        """Open the connections; sqlite3.Error when one cannot be opened. Lets this process's threads switch faster."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL))
        loop = asyncio.get_running_loop()
        begins: list[asyncio.Future[None]] = [loop.create_future() for _ in range(self._count)]
        self._ends = [loop.create_future() for _ in range(self._count)]
        self._jobs = SimpleQueue()
        for number, (begin, end) in enumerate(zip(begins, self._ends, strict=True)):
            # A daemon: forgetting stop() must not keep the process alive, and SQLite survives any exit.
            Thread(target=self._work, args=(loop, begin, end), name=f"{self._name}-{number}", daemon=True).start()
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
        job = self._send(function, args)
        if not job.over.acquire(timeout=_MOMENT):
            try:
                await self._answer(job, self._get_loop().create_future())
            except asyncio.CancelledError:
                self._give_up(job)
                raise
        result: T = await self._take(job)
        return result

    async def run_to_the_end(self, function: Callable[..., T], *args: Any) -> T:
        """Like `run`; but cancelled, it is done all the same, and CancelledError comes after that."""
        job = self._send(function, args)
        if not job.over.acquire(timeout=_MOMENT):
            await self._answer(job, SteadyFuture(loop=self._get_loop()))
        result: T = await self._take(job)
        return result

    def _send(self, function: Callable[..., Any], args: tuple[Any, ...]) -> _Job:
        self._get_loop()
        job = _Job(function, args)
        self._jobs.put(job)
        return job

    def _get_loop(self) -> _Loop:
        if self._loop is None:
            raise RuntimeError("The database is not started.")
        return self._loop

    async def _answer(self, job: _Job, future: asyncio.Future[None]) -> None:
        self._in_a_row = 0
        # First this, then the question; the thread does it the other way round. So one of the two sees the other.
        job.future = future
        if not job.finished:
            _pause(job, future, _PAUSES[0])
            await future

    async def _take(self, job: _Job) -> Any:
        result = job.result()
        self._in_a_row += 1
        if self._in_a_row > _IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        return result

    def _give_up(self, job: _Job) -> None:
        with self._running_lock:
            job.given_up = True
            # Under the lock this job cannot give way to the next one, which must not be interrupted.
            if job in self._running:
                self._running[job].interrupt()

    def _work(self, loop: _Loop, begin: asyncio.Future[None], end: asyncio.Future[None]) -> None:
        try:
            connection = self._open_connection()
        except BaseException as error:
            _tell(loop, begin, error)
        else:
            _tell(loop, begin)
            while (job := self._jobs.get()) is not None:
                self._do(loop, connection, job)
                del job  # an idle thread must not keep its last rows alive
            connection.close()
        _tell(loop, end)

    def _do(self, loop: _Loop, connection: sqlite3.Connection, job: _Job) -> None:
        with self._running_lock:
            if job.given_up:
                return
            self._running[job] = connection
        try:
            job.value = job.function(connection, *job.args)
        except BaseException as error:
            job.error = error
        with self._running_lock:
            del self._running[job]
        job.finished = True
        job.over.release()
        if job.future is not None:
            _tell(loop, job.future)


def _pause(job: _Job, future: asyncio.Future[None], seconds: float) -> None:
    future.get_loop().call_later(seconds, _stand_still, job, future, seconds)


def _stand_still(job: _Job, future: asyncio.Future[None], paused: float) -> None:
    if future.done():
        return
    if job.over.acquire(timeout=_MOMENT):
        _settle(future, None)
    else:
        _pause(job, future, min(2 * paused, _PAUSES[1]))


def _tell(loop: _Loop, future: asyncio.Future[None], error: BaseException | None = None) -> None:
    try:
        loop.call_soon_threadsafe(_settle, future, error)
    except RuntimeError:
        # The loop is gone, and with it whoever waited.
        if not loop.is_closed():
            raise


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
