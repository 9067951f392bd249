"""How long the answer to an operation may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from counterfoil.door.refusing import Refused


class Patience:
    """A time limit that begins now. Inside an asyncio.timeout, which it sets."""

    def __init__(self, seconds: float, timeout: asyncio.Timeout) -> None:
        self.seconds = seconds
        self._begun = asyncio.get_running_loop().time()
        self._timeout = timeout

    def extend(self, seconds: float | None) -> None:
        """Let it take so long in all, counted from its beginning; as long as it likes with None."""
        if seconds is None:
            self._timeout.reschedule(None)
        else:
            self.seconds = seconds
            self._timeout.reschedule(self._begun + seconds)


@asynccontextmanager
async def at_most(seconds: float) -> AsyncIterator[Patience]:
    """Cancel what runs inside after so many seconds. Refused with 503 then.

    What is being written is rolled back; what is just being committed is committed first.
    """
    timeout = asyncio.timeout(seconds)
    patience = Patience(seconds, timeout)
    try:
        async with timeout:
            yield patience
    except TimeoutError:
        told = f"The operation did not end within {patience.seconds:g} seconds and was cancelled."
        raise Refused(503, told, "EXECUTION_TIMEOUT") from None
