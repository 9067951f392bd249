"""Work that must run to its end although the task that waits for it is cancelled: BEGIN, COMMIT, ROLLBACK."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SteadyFuture(asyncio.Future[None]):
    """A future that cannot be cancelled.

    A task that is cancelled while it waits for one waits on, and gets its CancelledError when the future is done:
    Task.cancel() remembers the request when the awaited future refuses it.
    """

    def cancel(self, msg: Any | None = None) -> bool:
        return False


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in a task of its own. Cancelled meanwhile: CancelledError, but only after `work` is done."""
    task = asyncio.create_task(work)
    done = SteadyFuture()
    task.add_done_callback(lambda _: done.set_result(None))
    try:
        await done
    except asyncio.CancelledError:
        if task.done() and not task.cancelled():
            task.exception()  # it counts as seen, or asyncio would log it as never retrieved
        raise
    return task.result()
