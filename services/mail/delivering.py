"""Delivering what waits in the outbox: claim, attempt, record (docs/decisions/0019)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from audit import SYSTEM, Change, Request, transact
from models import DeliveryStatus, Row, clock, current, outbox
from models.identifier import new_id
from services.communications import Outcome, settle
from services.documents import Storage
from services.mail import Mail
from services.mail.attempting import Attempts
from services.mail.backoff import pause
from services.mail.letter import Letter
from services.mail.reply import Result

_log = structlog.get_logger("counterfoil.mail")

# How many seconds a round lasts at most before its results are recorded, however long some take.
ROUND = 1.0
# Seconds that attempts under way get when all is to end.
GRACE = 20.0

_AGAIN = frozenset({DeliveryStatus.DEFERRED, DeliveryStatus.UNKNOWN})
_KILLED = "The process that sent it ended before it could tell what came of it."
_EXPIRED = "It could not be sent within 48 hours."


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


class Delivering:
    """What one worker has claimed and not recorded yet."""

    def __init__(self, mail: Mail, storage: Storage) -> None:
        self._mail = mail
        self._attempts = Attempts(mail, storage)
        self._connections = asyncio.Semaphore(mail.connections)
        self._pending: set[asyncio.Task[Attempted]] = set()
        self._claimed: list[Row] = []
        self._done: list[Attempted] = []
        self._ending = False

    @property
    def busy(self) -> bool:
        """Whether something is claimed, and not recorded."""
        return bool(self._claimed or self._pending or self._done)

    async def round(self) -> bool:
        """Record what is done, claim what is due, wait a moment for it. Whether there was anything to do.

        Whatever the database raises; nothing is lost by that, and another round goes on from here.
        """
        await self._record()
        if not (self._ending or self._claimed) and len(self._pending) < self._mail.connections:
            await self._claim()
        worked = self.busy
        await self._begin()
        if self._pending:
            done, self._pending = await asyncio.wait(self._pending, timeout=ROUND)
            self._done += [task.result() for task in done]
            await self._record()
        return worked

    def end(self) -> None:
        """Claim nothing more, begin no attempt, and let those under way come to an end."""
        self._ending = True
        self._attempts.hurry(GRACE)

    async def rest(self) -> None:
        """Let connections go: nothing is to be sent for now."""
        await self._attempts.rest()

    async def _claim(self) -> None:
        now = clock.now()
        waiting = await outbox.look(now)
        if waiting.expired:
            await _recover(now, self._mail.batch)
        if waiting.due or waiting.expired:
            lease, until = new_id("lse"), now + timedelta(seconds=self._mail.lease)
            async with current().write():
                claimed = await outbox.claim(lease, now, until, self._mail.batch)
            self._claimed += claimed

    async def _begin(self) -> None:
        letters = await _letters(self._claimed)
        self._claimed = []
        self._pending |= {asyncio.create_task(self._attempt(letter)) for letter in letters}

    async def _attempt(self, letter: Letter) -> Attempted:
        if letter.message["expires_at"] <= clock.now():
            return Attempted(letter, clock.now(), _expired(letter), counts=False)
        async with self._connections:
            left = letter.leased_until - clock.now()
            # It must be over while the message is ours.
            if self._ending or left < timedelta(seconds=self._mail.lease / 2):
                return Attempted(letter, clock.now(), None)
            if letter.message["attempts"] > 1:
                # A report about the attempt before may have come while this one waited for its turn.
                [letter] = await _letters([letter.message])
            results = await self._attempts.make(letter) if letter.open else {}
            return Attempted(letter, clock.now(), results)

    async def _record(self) -> None:
        made = [attempt for attempt in self._done if attempt.results is not None]
        await record(made)
        self._done = [attempt for attempt in self._done if attempt.results is None]
        await _release(self._done)
        self._done = []


async def record(made: Sequence[Attempted]) -> None:
    """Record what came of attempts, in one transaction; nothing about messages whose lease has been lost."""
    if not made:
        return

    async def work(change: Change) -> int:
        ours = await outbox.held({each.letter.id: each.letter.message["lease"] for each in made})
        await _settle(change, [each for each in made if each.letter.id in ours])
        return len(made) - len(ours)

    lost, _ = await transact(SYSTEM, Request.new("Delivery"), work)
    if lost:
        _log.warning("leases lost", messages=lost)


async def _release(unmade: Sequence[Attempted]) -> None:
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


def _expired(letter: Letter) -> dict[str, Result]:
    """Nobody could try for so long. The last reply stays, where there is one."""
    return {row["id"]: Result(DeliveryStatus.FAILED, row["reply"] or _EXPIRED) for row in letter.open}


async def _recover(now: datetime, most: int) -> None:
    """Take back messages whose worker has not come back: whether they were sent is unknown, so they are due again."""

    async def work(change: Change) -> int:
        messages = await outbox.expired(now, most)
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
        await outbox.reschedule({key: (now, [row["id"] for row in rows]) for key, rows in left.items()})
        return len(messages)

    recovered, _ = await transact(SYSTEM, Request.new("Delivery"), work)
    if recovered:
        _log.warning("leases ran out", messages=recovered)


async def _letters(messages: Sequence[Row]) -> list[Letter]:
    """The claimed messages with all that stands in them: three statements."""
    if not messages:
        return []
    deliveries = await outbox.deliveries(messages)
    communications = await outbox.communications({row["communication_id"] for row in messages})
    settings = await outbox.letterhead()
    return [
        Letter(row, communications[row["communication_id"]], deliveries[row["message_id"]], settings)
        for row in messages
    ]
