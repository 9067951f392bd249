"""When a message that could not be delivered is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 30 seconds, doubling to an hour, more or less by a fifth.

    Messages that failed together do not come back together.
    """
    seconds = FIRST.total_seconds() * 2 ** min(attempts - 1, 16)
    return min(LONGEST, timedelta(seconds=seconds * random.uniform(0.8, 1.2)))  # noqa: S311 - nothing secret


def pause_after_loss(attempts: int) -> timedelta:
    """How long to wait when the worker was lost in the last of so many attempts: not at all after the first, since
    somebody may have killed it; then two seconds, doubling to an hour, since the message itself may have killed it.
    """
    seconds = 0 if attempts <= 1 else 2 ** min(attempts - 1, 16)
    return min(LONGEST, timedelta(seconds=seconds))
