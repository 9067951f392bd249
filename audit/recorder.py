"""The one door for writing: a transaction with an actor, in which every change leaves its event."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from audit.actor import Actor, Request
from audit.change import Change
from models import database
from models.failure import is_busy, is_deadlock
from models.fault import Busy

T = TypeVar("T")

ATTEMPTS = 3
# Seconds.
PAUSE = 0.05


@asynccontextmanager
async def record(actor: Actor, request: Request) -> AsyncIterator[Change]:
    """A transaction for `actor`: committed with its events at the end, or nothing at all.

    After the block `change.seqs` holds the numbers of the events.
    """
    bound = database.current()
    async with bound.write(recorder=True) as transaction:
        yield Change(bound, transaction, actor, request)


async def transact(actor: Actor, request: Request, work: Callable[[Change], Awaitable[T]]) -> tuple[T, list[int]]:
    """Run `work` in a recorded transaction; its result and the numbers of its events.

    A deadlock starts it over, three attempts in all: `work` must have no effect but through its change. Busy when that
    is not enough, or when somebody else held a row for too long.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with record(actor, request) as change:
                result = await work(change)
        except Exception as error:
            deadlock = is_deadlock(error)
            if is_busy(error) or (deadlock and attempt == ATTEMPTS):
                raise Busy from error
            if not deadlock:
                raise
            # Those who met would meet again if they began again at the same moment.
            await asyncio.sleep(random.uniform(0, PAUSE * attempt))  # noqa: S311 - nothing secret
        else:
            return result, change.seqs
    raise AssertionError("unreachable")
