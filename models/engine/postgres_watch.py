"""PostgreSQL tells its other clients of commits: one notifier in each process that writes, one listener per reader.

A NOTIFY inside a writing transaction would make all commits of the database wait for each other. So the notifier sends
it afterwards, once for all commits of a moment; and who listens also looks by itself, in case nobody told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from types import TracebackType
from typing import Any

import asyncpg

from models.engine.watch import Watch

CHANNEL = "counterfoil_event"

# Seconds between two notifications of a process.
_MOMENT = 0.02
# Seconds after which a listener looks although nobody told it.
LOOK_EVERY = 1.0
# Seconds between attempts to listen again; they double from the first to the last value.
_PAUSES = (0.1, 5.0)
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Notifier:
    """Tells other processes that this one has committed events."""

    def __init__(self, notify: Callable[[], Any]) -> None:
        self._notify = notify
        self._wanted = False
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Tell them in a moment."""
        self._wanted = True
        if self._task is None or self._task.done():
            # A context of its own: it has nothing to do with the transaction that is over now.
            self._task = asyncio.create_task(self._run(), context=Context())

    async def stop(self) -> None:
        """Wait for what is to be told."""
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait([task])

    async def _run(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                await self._notify()
            except _LOST:
                # Those who listen look by themselves, and whatever is wrong shows to the next who uses the pool.
                return
            await asyncio.sleep(_MOMENT)


class PostgresWatch(Watch):
    """Listens on a connection of its own, made again whenever it is lost; looks once a second in any case."""

    def __init__(self, commits: list[Callable[[], None]], connect: Callable[[], Any]) -> None:
        super().__init__(commits)
        self._connect = connect
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watch:
        self._listening = asyncio.create_task(self._listen(), context=Context())
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, traceback)
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    async def changed(self) -> None:
        """See Watch."""
        await self._woken_within(LOOK_EVERY)

    async def _listen(self) -> None:
        pause = _PAUSES[0]
        while True:
            try:
                connection = await self._connect()
            except _LOST:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSES[1])
                continue
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda *_, lost=lost: lost.set())
                await connection.add_listener(CHANNEL, lambda *_: self._woken.set())
                pause = _PAUSES[0]
                # What was committed while nobody listened.
                self._woken.set()
                await lost.wait()
            except _LOST:
                await asyncio.sleep(pause)
            finally:
                connection.terminate()
