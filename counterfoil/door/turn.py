"""Long work in threads, one at a time: two would keep the event loop waiting twice as long as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    """Does a piece of work in a thread."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


class Turn:
    """Who has it may use a thread. It serves in whichever event loop the application does: a Lock has only one."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Aside]:
        """Wait for the turn, and have it for the block: what it gives does one piece of work in a thread.

        A thread cannot be cancelled: who is cancelled leaves at once, and the next turn begins when the thread has
        ended.
        """
        lock = self._here()
        await lock.acquire()
        begun: list[asyncio.Task[Any]] = []

        def aside(work: Callable[[], T]) -> Awaitable[T]:
            task = asyncio.create_task(asyncio.to_thread(work))
            begun.append(task)
            return asyncio.shield(task)

        def over(task: asyncio.Task[Any]) -> None:
            lock.release()
            if not task.cancelled():
                task.exception()  # it counts as seen: nobody waits for it any more

        try:
            yield aside
        finally:
            running = [task for task in begun if not task.done()]
            if running:
                running[0].add_done_callback(over)
            else:
                lock.release()

    def _here(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock
