"""How long failures wait, and how often they are told: one event for each step, however many attempts."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime, timedelta

from audit import Action, Actor, ActorKind, Change, Request, transact
from models import ApiKey, ErrorCode, Fault, User, throttle
from models.text import counted

FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)


def blocked_until_after(failures: int, now: datetime) -> datetime:
    """When the next attempt may come: at once up to the fifth failure, then 1 s, doubling to 15 minutes."""
    if failures < FREE_FAILURES:
        return now
    seconds = 2 ** min(failures - FREE_FAILURES, 20)
    return now + min(timedelta(seconds=seconds), LONGEST_WAIT)


async def count_attempt(change: Change, key: str) -> tuple[int | None, bool]:
    """Count an attempt as a failure until it succeeds: whole seconds to wait (None: go on), and whether this wait has
    not been told yet. The caller holds a lock on the key.
    """
    counter = await throttle.find(key, change.now) or {"failures": 0, "blocked_until": change.now, "announced": False}
    blocked_until = counter["blocked_until"]
    if change.now < blocked_until:
        untold = not counter["announced"]
        if untold:
            await throttle.save(key, counter["failures"], blocked_until, announced=True)
        return math.ceil((blocked_until - change.now).total_seconds()), untold
    failures = counter["failures"] + 1
    await throttle.save(key, failures, blocked_until_after(failures, change.now), announced=False)
    return None, False


def throttled(wait: int, field: tuple[str, ...] | None = None) -> Fault:
    """The fault of an attempt that has to wait so many seconds."""
    message = f"Too many failed attempts: wait {counted(wait, 'second')}, then try again."
    return Fault(ErrorCode.THROTTLED, message, field, retry_after=wait)


async def record_refusal(actor: Actor, request: Request, what: str) -> None:
    """Leave an event about a permission that `actor` lacks, in a transaction of its own; while throttled none."""
    key = f"refused:{actor.id}"

    async def work(change: Change) -> None:
        await change.lock(key)
        counter = await throttle.find(key, change.now) or {"failures": 0, "blocked_until": change.now}
        if change.now < counter["blocked_until"]:
            return
        long_ago = change.now > counter["blocked_until"] + LONGEST_WAIT
        failures = 1 if long_ago else counter["failures"] + 1
        await throttle.save(key, failures, blocked_until_after(failures, change.now), announced=True)
        table, action = (
            (User, Action.USER_PERMISSION_REFUSED)
            if actor.kind is ActorKind.USER
            else (ApiKey, Action.API_KEY_PERMISSION_REFUSED)
        )
        change.mention(table, await change.get(table, str(actor.id)), action)

    await transact(actor, dataclasses.replace(request, reason=what), work)
