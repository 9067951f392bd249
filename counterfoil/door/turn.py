"""One at a time, in whichever event loop the application serves."""

from __future__ import annotations

import asyncio


class Turn:
    """A lock for each event loop: an application may serve in several, one after the other, and a Lock has one."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    def taken(self) -> asyncio.Lock:
        """`async with turn.taken():` waits until it is free, and takes it for the block."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock
