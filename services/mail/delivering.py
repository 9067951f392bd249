"""Delivering what waits in the outbox: claim, attempt, record (docs/decisions/0019)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from models import DeliveryStatus, Row, clock, current, outbox
from models.identifier import new_id
from services.documents import Storage
from services.mail import Mail
from services.mail.attempting import Attempts
from services.mail.letter import Letter
from services.mail.recording import Attempted, record_all, recover, release
from services.mail.reply import Result

_log = structlog.get_logger("counterfoil.mail")

# How many seconds a round lasts at most before its results are recorded, however long some take.
ROUND = 1.0
# Seconds that attempts under way get when all is to end.
GRACE = 20.0

_EXPIRED = "It could not be sent within 48 hours."
_BUG = "Counterfoil could not tell what came of this message ({}); its log says more."


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

        Whatever the database raises; nothing is lost by that, and another round goes on from here. What concerns some
        messages only is raised at the end, when all has been done for the others.
        """
        troubles = [await self._record()]
        if not (self._ending or self._claimed) and len(self._pending) < self._mail.connections:
            troubles.append(await self._claim())
        worked = self.busy
        await self._begin()
        if self._pending:
            done, self._pending = await asyncio.wait(self._pending, timeout=ROUND)
            # Whoever cancels one of them ends this process: then the lease tells.
            self._done += [task.result() for task in done if not task.cancelled()]
            troubles.append(await self._record())
        for trouble in troubles:
            if trouble is not None:
                raise trouble
        return worked

    def end(self) -> None:
        """Claim nothing more, begin no attempt, and let those under way come to an end."""
        self._ending = True
        self._attempts.hurry(GRACE)

    async def rest(self) -> None:
        """Let connections go: nothing is to be sent for now."""
        await self._attempts.rest()

    async def _claim(self) -> Exception | None:
        """Claim what is due. Why something could not be taken back whose worker has not come back."""
        now, trouble = clock.now(), None
        waiting = await outbox.look(now)
        if waiting.expired:
            trouble = await recover(now, self._mail.batch)
        if waiting.due or waiting.expired:
            lease, until = new_id("lse"), now + timedelta(seconds=self._mail.lease)
            async with current().write():
                claimed = await outbox.claim(lease, now, until, self._mail.batch)
            self._claimed += claimed
        return trouble

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
            try:
                letter = await _as_it_is_now(letter)
            except Exception:  # nothing was sent: another round begins it again
                _log.exception("attempt not begun", message=letter.id)
                return Attempted(letter, clock.now(), None)
            try:
                results = await self._attempts.make(letter) if letter.open else {}
            except Exception as error:  # a bug: it must not take the results of others with it
                _log.exception("attempt failed", message=letter.id)
                unknown = Result(DeliveryStatus.UNKNOWN, _BUG.format(type(error).__name__))
                results = {row["id"]: unknown for row in letter.open}
            return Attempted(letter, clock.now(), results)

    async def _record(self) -> Exception | None:
        """Record what is done. Why some of it could not be: that is kept for the next time."""
        unmade = [attempt for attempt in self._done if attempt.results is None]
        kept, trouble = await record_all([attempt for attempt in self._done if attempt.results is not None])
        self._done = [*kept, *unmade]
        await release(unmade)
        self._done = kept
        return trouble


def _expired(letter: Letter) -> dict[str, Result]:
    """Nobody could try for so long. The last reply stays, where there is one."""
    return {row["id"]: Result(DeliveryStatus.FAILED, row["reply"] or _EXPIRED) for row in letter.open}


async def _as_it_is_now(letter: Letter) -> Letter:
    """The letter of a repeated attempt, read again: a report about the attempt before may have come meanwhile."""
    if letter.message["attempts"] <= 1:
        return letter
    [again] = await _letters([letter.message])
    return again


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
