"""Learning that the server is about to stop, for answers that would not end by themselves."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """`await ending.announced()` returns when the process has been told to stop."""

    def __init__(self) -> None:
        self._told = False
        # Not one Event: an application may serve in several event loops, one after the other.
        self._waiting: set[asyncio.Future[None]] = set()

    async def announced(self) -> None:
        """Wait for it."""
        if self._told:
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    def announce(self) -> None:
        """The process has been told to stop. On the event loop."""
        self._told = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Inside, the signals that stop the server announce it.

        uvicorn tells an application that it stops only after the last answer has ended, and asks each WebSocket to
        close, but no event stream.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in _SIGNALS}

        def stop(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.announce)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for number, handler in before.items():
            # Where nobody handles it, it must go on to end the process.
            if callable(handler):
                signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                if callable(handler):
                    signal.signal(number, handler)
