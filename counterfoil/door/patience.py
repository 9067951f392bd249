"""How long the answer to an operation may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from counterfoil.door.refusing import Refused


@asynccontextmanager
async def at_most(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Cancel what runs inside after so many seconds. Refused with 503 then.

    What is being written is rolled back; what is just being committed is committed first.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            yield limit
    except TimeoutError:
        told = f"The operation did not end within {seconds:g} seconds and was cancelled."
        raise Refused(503, told, "EXECUTION_TIMEOUT") from None
