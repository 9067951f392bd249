"""Reads that outlast a short failure of the database, for those who wait for days and not for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from models.failure import is_out_of_reach

T = TypeVar("T")

# In seconds: for one attempt, as a connection may be dead without anybody saying so; and for all of them together.
READ_SECONDS = 5.0
LASTING_SECONDS = 60.0
# Seconds between attempts; they double from the first to the last value.
_PAUSES = (0.1, 5.0)


class Unavailable(Exception):
    """The database has been out of reach for too long to go on waiting."""


async def patiently(read: Callable[[], Awaitable[T]], failed: Callable[[BaseException], object] | None = None) -> T:
    """What `read` answers at last; `failed` is told of the first failure.

    Unavailable when the database stays out of reach, for LASTING_SECONDS; any other error as it comes.
    """
    loop = asyncio.get_running_loop()
    until: float | None = None
    pause = _PAUSES[0]
    while True:
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await read()
        except Exception as error:
            if not is_out_of_reach(error):
                raise
            if until is None:
                until = loop.time() + LASTING_SECONDS
                if failed is not None:
                    failed(error)
            if loop.time() + pause > until:
                raise Unavailable("The database does not answer.") from error
        await asyncio.sleep(pause)
        pause = min(2 * pause, _PAUSES[1])
