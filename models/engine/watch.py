"""Waiting for commits, whichever process makes them: what a live feed needs to know when to look again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType


class Watch(ABC):
    """`async with database.watched() as watch`: then `await watch.changed()`, again and again."""

    def __init__(self, commits: list[Callable[[], None]]) -> None:
        self._commits = commits
        self._woken = asyncio.Event()

    async def __aenter__(self) -> Watch:
        self._commits.append(self._woken.set)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._commits.remove(self._woken.set)

    @abstractmethod
    async def changed(self) -> None:
        """Return when events may have been committed since the last call; sometimes there are none."""

    async def _woken_within(self, seconds: float) -> bool:
        """Whether somebody said so within this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True
