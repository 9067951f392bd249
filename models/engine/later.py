"""Small writes that nobody waits for: a reader must not stand in line with the writers for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import structlog

_log = structlog.get_logger("counterfoil.database")


class Later:
    """What a database has still to write, in a task of its own that ends before the database does."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], Awaitable[None]]] = {}
        self._task: asyncio.Task[None] | None = None

    def do(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` soon, unless something of this name waits already.

        When it fails, the log says so: only for what others will try again.
        """
        self._waiting.setdefault(name, work)
        if self._task is None or self._task.done():
            # A context of its own: it has nothing to do with the request that asks for it.
            self._task = asyncio.create_task(self._run(), context=Context())

    async def done(self) -> None:
        """Wait for what waits now."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            name, work = next(iter(self._waiting.items()))
            try:
                await work()
            except Exception:  # whatever the driver raises: the next in line is tried all the same
                _log.exception("not written", name=name)
            finally:
                del self._waiting[name]
