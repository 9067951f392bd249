"""What a worker does from time to time, besides delivering mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import NamedTuple

import structlog

from services import documents, reminders
from services.documents.sweeping import sweep

_log = structlog.get_logger("counterfoil.worker")


class Job(NamedTuple):
    """Something to `run` every so many seconds, in every worker: it must not matter how many do so.

    With `at_start` it also runs when a worker starts, and in `worker --once`; the others wait for their time.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[object]]
    at_start: bool = False


async def sweep_documents() -> None:
    """Remove bytes that nothing names any more."""
    swept = await sweep(documents.current())
    _log.info("swept", uploads=swept.uploads, contents=swept.contents, bytes=swept.bytes)


async def send_reminders() -> None:
    """Queue the reminders and monthly statements that are due today."""
    counts = await reminders.run()
    if counts != reminders.Counts():
        _log.info("reminders", **asdict(counts))


JOBS: tuple[Job, ...] = (
    Job("reminders", 600, send_reminders, at_start=True),
    Job("sweep", 3600, sweep_documents),
)
