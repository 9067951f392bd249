"""Those who follow something in this process, as they are now: one look for all of them, and only when it is due.

A session that ends and a permission that is taken away leave an event about access. So who has read all events up to
one knows whether it must look again; what no event tells, such as a session that has been idle too long, is seen after
a few seconds. Following is no use of a session.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from audit import Actor
from models.database import current
from models.engine import Database
from models.out_of_reach import patiently
from services.viewer import find_grantees

# In seconds: an ended session is noticed in so many more at most.
LOOK_EVERY = 2.0


class Present:
    """Sessions and API keys that follow something in this process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._followers: Counter[str] = Counter()
        self._actors: dict[str, Actor] = {}
        self._seq = -1
        self._until = 0.0
        self._looked: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()

    @contextmanager
    def following(self, identifier: str) -> Iterator[None]:
        """While something is followed with this session or API key."""
        self._followers[identifier] += 1
        try:
            yield
        finally:
            self._followers[identifier] -= 1
            if not self._followers[identifier]:
                del self._followers[identifier]

    async def actor(self, identifier: str, seq: int) -> Actor | None:
        """Who has the session or key; None when it has ended. At least as after the event about access `seq`.

        Unavailable.
        """
        if not self._is_new(identifier, seq):
            await patiently(lambda: self._renew(identifier, seq))
        return self._actors.get(identifier)

    async def _renew(self, identifier: str, seq: int) -> None:
        async with self._turn:
            if not self._is_new(identifier, seq):
                await self._look(seq)

    def _is_new(self, identifier: str, seq: int) -> bool:
        now = asyncio.get_running_loop().time()
        return seq <= self._seq and now < self._until and identifier in self._looked

    async def _look(self, seq: int) -> None:
        until = asyncio.get_running_loop().time() + LOOK_EVERY
        looked = frozenset(self._followers)
        self._actors = await find_grantees(looked)
        self._seq, self._until, self._looked = seq, until, looked


_present: list[Present] = []


def present() -> Present:
    """Those who follow something on this process's database."""
    bound = current()
    if not _present or _present[0].database is not bound:
        _present[:] = [Present(bound)]
    return _present[0]
