"""The way out to a peer: what is written waits in memory until the peer takes it, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

# Seconds without taking any byte, while there are some to take: of an answer, and after the connection was closed.
SLOW_SECONDS = 15.0
CLOSING_SECONDS = 5.0
# The extension of a WebSocket's ASGI scope whose `bytes()` says how many bytes the peer has taken so far.
TAKEN = "counterfoil.taken"


class PatientTransport(asyncio.Transport):
    """A transport that breaks off when the peer takes nothing of what was written.

    asyncio and uvloop close a connection only when all is sent, and wait for that without end. Patience is about
    progress: however long the whole takes, a peer has some seconds for its next bytes, and at most twice as many.
    """

    # Asked before the connection is closed; true: it has ended the answers, and closes when the peer has sent all.
    stays: Callable[[], bool] | None = None

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._written = 0
        self._seconds: float | None = SLOW_SECONDS
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def taken(self) -> int:
        """How many bytes the system has taken for the peer."""
        return self._written - self._inner.get_write_buffer_size()

    def wait(self, seconds: float | None) -> None:
        """Wait so long for progress from now on; None: without end, until the connection is closed."""
        self._seconds = seconds
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._watch()

    def write(self, data: Any) -> None:
        """Write, and watch what becomes of it."""
        self._inner.write(data)
        self._written += len(data)
        self._watch()

    def close(self) -> None:
        """Close when all is sent, or when the peer takes no more; unless the connection `stays` for the rest."""
        if self.stays is not None and self.stays():
            return
        self._inner.close()
        self.wait(CLOSING_SECONDS)

    def _watch(self) -> None:
        if self._alarm is None and self._seconds is not None and self._inner.get_write_buffer_size():
            self._alarm = self._loop.call_later(self._seconds, self._look, self.taken)

    def _look(self, before: int) -> None:
        self._alarm = None
        if self._inner.get_write_buffer_size() and self.taken == before:
            self._inner.abort()
        else:
            self._watch()

    def abort(self) -> None:
        """As of the transport inside, like all that follows."""
        self._inner.abort()

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._inner.get_write_buffer_size()

    def pause_reading(self) -> None:
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        self._inner.resume_reading()

    def can_write_eof(self) -> bool:
        return self._inner.can_write_eof()

    def write_eof(self) -> None:
        """Tell the peer that nothing more comes. Where it has gone, asyncio's own loop raises, and uvloop does not."""
        try:
            self._inner.write_eof()
        except OSError:
            self._inner.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inner.set_protocol(protocol)
