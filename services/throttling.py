"""How long failures wait, and how often they are told: one event for each step, however many attempts."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from audit import Action, Actor, ActorKind, Change, Request, transact
from models import ApiKey, User, throttle

FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)


def blocked_until_after(failures: int, now: datetime) -> datetime:
    """When the next attempt may come: at once up to the fifth failure, then 1 s, doubling to 15 minutes."""
    if failures < FREE_FAILURES:
        return now
    seconds = 2 ** min(failures - FREE_FAILURES, 20)
    return now + min(timedelta(seconds=seconds), LONGEST_WAIT)


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
