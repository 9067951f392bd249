"""Work that no request does: measured by itself in one process, by how long a number of things takes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import models
from bench import seed
from models import CommunicationKind
from models.recipient_rows import decisions

# Customers whose contacts are read together.
_TOGETHER = 500


@dataclass(frozen=True)
class Batch:
    """One kind of work on a copy of the database `store`. `run` says on how many `things` it was done; so many
    (`number`) may take so many `seconds`.
    """

    name: str
    title: str
    things: str
    number: int
    seconds: float
    run: Callable[[], Awaitable[int]]
    store: str = "main"

    def measure(self, url: str, rounds: int) -> BatchFigure:
        """The median of so many rounds on the database, after one that does not count."""
        return asyncio.run(self._measure(url, rounds))

    async def _measure(self, url: str, rounds: int) -> BatchFigure:
        taken = []
        async with seed.opened(url):
            number = await self.run()
            for _ in range(rounds):
                began = time.perf_counter()
                await self.run()
                taken.append(time.perf_counter() - began)
        return BatchFigure(self, number, statistics.median(taken))


@dataclass(frozen=True)
class BatchFigure:
    """How many `seconds` a batch took for a `number` of things."""

    batch: Batch
    number: int
    seconds: float

    @property
    def for_the_target(self) -> float:
        """The seconds for as many things as the target names."""
        return self.seconds * self.batch.number / self.number


async def _recipients() -> int:
    rows = await models.current().fetch("SELECT id FROM customer ORDER BY id")
    ids = [row["id"] for row in rows]
    decided = 0
    for first in range(0, len(ids), _TOGETHER):
        decided += len(await decisions(ids[first : first + _TOGETHER], CommunicationKind.INVOICE))
    return decided


BATCHES = (
    Batch("recipients", "who gets invoices, of all customers, with every reason", "customers", 10_000, 2, _recipients),
)
