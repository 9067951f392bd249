"""Recording what came of attempts: deliveries are settled, messages leave the outbox or wait again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from audit import SYSTEM, Change, Request, transact
from models import Busy, DeliveryStatus, clock, current, outbox
from services.communications import Outcome, settle
from services.mail.backoff import pause, pause_after_loss
from services.mail.letter import Letter
from services.mail.reply import Result

_log = structlog.get_logger("counterfoil.mail")

_AGAIN = frozenset({DeliveryStatus.DEFERRED, DeliveryStatus.UNKNOWN})
_KILLED = "The process that sent it ended before it could tell what came of it."

# What says nothing about a single message: the database is away, or somebody else is at work.
_AWAY = (Busy, OSError)


@dataclass(frozen=True)
class Attempted:
    """A letter, and what came of its attempt; without results it was not attempted."""

    letter: Letter
    at: datetime
    results: dict[str, Result] | None
    counts: bool = True

    @property
    def attempts(self) -> int | None:
        """How many attempts of the message there have been with it; None when it was none."""
        return int(self.letter.message["attempts"]) if self.counts else None


async def record_all(made: Sequence[Attempted]) -> tuple[list[Attempted], Exception | None]:
    """Record what came of attempts: those that could not be recorded, and the first reason.

    A result that cannot be recorded keeps no other from it. It is dropped when its lease has run out: then it is as if
    its worker had been killed.
    """
    try:
        await record(made)
    except _AWAY as error:
        return list(made), error
    except Exception as error:
        if len(made) == 1:
            return await _kept(made[0], error)
    else:
        return [], None
    kept: list[Attempted] = []
    first: Exception | None = None
    for one in made:
        left, trouble = await record_all([one])
        kept += left
        first = first or trouble
    return kept, first


async def _kept(attempt: Attempted, error: Exception) -> tuple[list[Attempted], Exception | None]:
    now = clock.now()
    if attempt.letter.leased_until > now:
        return [attempt], error
    try:
        await outbox.look(now)
    except Exception as away:  # nothing works, so it is not the result's fault
        return [attempt], away
    _log.error("result dropped", message=attempt.letter.id, exc_info=error)
    return [], None


async def record(made: Sequence[Attempted]) -> None:
    """Record what came of attempts, in one transaction; nothing about messages that somebody else has claimed since."""
    if not made:
        return

    async def work(change: Change) -> int:
        ours = await outbox.held([each.letter.message for each in made])
        await _settle(change, [each for each in made if each.letter.id in ours])
        return len(made) - len(ours)

    lost, _ = await transact(SYSTEM, Request.new("Delivery"), work)
    if lost:
        _log.warning("leases lost", messages=lost)


async def release(unmade: Sequence[Attempted]) -> None:
    """Give messages back that were claimed and not attempted."""
    back: dict[str, list[str]] = {}
    for attempt in unmade:
        back.setdefault(attempt.letter.message["lease"], []).append(attempt.letter.id)
    for lease, message_ids in back.items():
        async with current().write():
            await outbox.release(message_ids, lease)


async def _settle(change: Change, made: Collection[Attempted]) -> None:
    outcomes: dict[str, Outcome] = {}
    again: dict[str, tuple[datetime, list[str]]] = {}
    for attempt in made:
        message = attempt.letter.message
        due_at = attempt.at + pause(message["attempts"])
        last = due_at >= message["expires_at"]
        results = attempt.results or {}
        outcomes |= {key: _outcome(result, attempt, last=last) for key, result in results.items()}
        left = [key for key, result in results.items() if result.status in _AGAIN]
        if left and not last:
            again[attempt.letter.id] = due_at, left
    await settle(change, outcomes)
    await outbox.remove([attempt.letter.id for attempt in made if attempt.letter.id not in again])
    await outbox.reschedule(again)


def _outcome(result: Result, attempt: Attempted, *, last: bool) -> Outcome:
    unknown = result.status is DeliveryStatus.UNKNOWN
    status = DeliveryStatus.FAILED if last and result.status in _AGAIN else result.status
    return Outcome(
        status,
        attempt.at,
        result.reply,
        attempts=attempt.attempts,
        may_repeat=unknown,
        address_failed=result.address_failed,
    )


async def recover(now: datetime, most: int) -> Exception | None:
    """Take back messages whose worker has not come back: whether they were sent is unknown, so they are due again.

    A reason why some could not be; they keep no other from it.
    """
    try:
        await _recover(now, most)
    except _AWAY as error:
        return error
    except Exception as error:  # told by whoever asked
        first: Exception = error
    else:
        return None
    async with current().write():
        identifiers = [row["message_id"] for row in await outbox.expired(now, most)]
    for identifier in identifiers:
        try:
            await _recover(now, 1, identifier)
        except Exception as error:  # likewise, and tried again
            first = error
    return first


async def _recover(now: datetime, most: int, only: str | None = None) -> None:
    async def work(change: Change) -> int:
        messages = await outbox.expired(now, most, only)
        deliveries = await outbox.deliveries(messages)
        left = {row["message_id"]: outbox.still_open(row, deliveries[row["message_id"]]) for row in messages}
        outcomes = {
            delivery["id"]: Outcome(
                DeliveryStatus.UNKNOWN, change.now, _KILLED, attempts=message["attempts"], may_repeat=True
            )
            for message in messages
            for delivery in left[message["message_id"]]
        }
        await settle(change, outcomes)
        due = {row["message_id"]: now + pause_after_loss(row["attempts"]) for row in messages}
        await outbox.reschedule({key: (due[key], [row["id"] for row in rows]) for key, rows in left.items()})
        return len(messages)

    recovered, _ = await transact(SYSTEM, Request.new("Delivery"), work)
    if recovered:
        _log.warning("leases ran out", messages=recovered)
