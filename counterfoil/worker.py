"""The worker: delivers mail and runs jobs, inside `serve` or alone, until it is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from counterfoil.jobs import Job
from models import outbox
from services.documents import Storage
from services.mail import Mail
from services.mail.delivering import GRACE, Delivering

_log = structlog.get_logger("counterfoil.worker")

# Seconds between two tries when something does not work.
_PAUSE = 1.0


class Outage:
    """Logs when something begins to fail, for each cause once, and when it works again."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._causes: set[object] = set()

    def failed(self, error: Exception) -> None:
        """It has failed, with the exception that is being handled. Its type and place are the cause: messages may
        name what is another each time.
        """
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        cause = type(error), frame and (frame.tb_frame.f_code.co_filename, frame.tb_lineno)
        if cause not in self._causes:
            _log.exception("failed", what=self._what)
        self._causes.add(cause)

    def worked(self) -> None:
        """It has worked."""
        if self._causes:
            _log.info("works again", what=self._what)
        self._causes.clear()


class Worker:
    """One worker of this process. Any number may work on one database, in as many processes."""

    def __init__(self, mail: Mail, storage: Storage, jobs: Sequence[Job]) -> None:
        self._poll = mail.poll
        self._jobs = jobs
        self._delivering = Delivering(mail, storage)
        self._awake = asyncio.Event()
        self._until: float | None = None

    async def run(self) -> None:
        """Work until `end` is called. What fails is logged, and tried again."""
        outbox.listeners.append(self._awake.set)
        repeated = [asyncio.create_task(_repeat(job)) for job in self._jobs]
        try:
            await self._deliver()
        except Exception:
            # Whoever awaits this may do so at the very end only.
            _log.exception("the worker has ended")
            raise
        finally:
            outbox.listeners.remove(self._awake.set)
            for task in repeated:
                task.cancel()
            await asyncio.gather(*repeated, return_exceptions=True)

    async def once(self) -> None:
        """Run the jobs that are to run at the start, then deliver what is due, and end. Raises what fails."""
        for job in self._jobs:
            if job.at_start and not self._ending:
                await job.run()
        while await self._delivering.round():
            pass
        await self._delivering.rest()

    def end(self) -> None:
        """Finish what is under way, give back what has not begun, and end."""
        if not self._ending:
            self._until = asyncio.get_running_loop().time() + 2 * GRACE
            self._delivering.end()
            self._awake.set()

    @property
    def _ending(self) -> bool:
        return self._until is not None

    async def _deliver(self) -> None:
        outage = Outage("delivery")
        while True:
            self._awake.clear()
            try:
                worked = await self._delivering.round()
                if not worked:
                    await self._delivering.rest()
            except Exception as error:  # whatever the database raises: it may be back in a moment
                outage.failed(error)
                if self._given_up():
                    return
                await self._sleep(_PAUSE)
                continue
            outage.worked()
            if worked:
                continue
            if self._ending:
                return
            await self._sleep(self._poll)

    def _given_up(self) -> bool:
        """Whether recording has failed for too long after the end: others find the leases when they run out."""
        return self._until is not None and asyncio.get_running_loop().time() > self._until

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()


async def _repeat(job: Job) -> None:
    outage = Outage(job.name)
    if not job.at_start:
        await asyncio.sleep(job.every)
    while True:
        try:
            await job.run()
        except Exception as error:  # the database or the storage is away for now: the next time may be better
            outage.failed(error)
        else:
            outage.worked()
        await asyncio.sleep(job.every)
