"""Waiting for a peer who takes what is sent, however slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# A peer that takes something is noticed so many times in the seconds that it has.
_LOOKS = 4


@asynccontextmanager
async def while_taken(taken: Callable[[], int], seconds: float) -> AsyncIterator[None]:
    """Do what is inside. TimeoutError when it has not ended `seconds` after `taken()` has last grown.

    `taken` says how many bytes the peer has taken; where that is not known, the whole has `seconds`.
    """
    loop = asyncio.get_running_loop()
    alarm: asyncio.TimerHandle
    async with asyncio.timeout(seconds) as limit:

        def look(before: int) -> None:
            nonlocal alarm
            now = taken()
            if now > before and not limit.expired():
                limit.reschedule(loop.time() + seconds)
            alarm = loop.call_later(seconds / _LOOKS, look, now)

        alarm = loop.call_later(seconds / _LOOKS, look, taken())
        try:
            yield
        finally:
            alarm.cancel()
