"""Waiting for a peer who takes what is sent, however slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# A peer that takes something is noticed so many times in the seconds that it has.
_LOOKS = 4


class _Watch:
    """Puts a limit off as long as something is taken. No closure: one that calls itself would keep itself."""

    def __init__(self, taken: Callable[[], int], seconds: float, limit: asyncio.Timeout) -> None:
        self._taken = taken
        self._seconds = seconds
        self._limit = limit
        self._wait()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(self._seconds / _LOOKS, self._look, self._taken())

    def _look(self, before: int) -> None:
        if self._taken() > before and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._seconds)
        self._wait()

    def end(self) -> None:
        self._alarm.cancel()


@asynccontextmanager
async def while_taken(taken: Callable[[], int], seconds: float) -> AsyncIterator[None]:
    """Do what is inside. TimeoutError when it has not ended `seconds` after `taken()` has last grown.

    `taken` says how many bytes the peer has taken; where that is not known, the whole has `seconds`.
    """
    async with asyncio.timeout(seconds) as limit:
        watch = _Watch(taken, seconds, limit)
        try:
            yield
        finally:
            watch.end()
