"""`worker`: delivers mail and runs jobs without serving, in as many processes as it takes."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Annotated

import typer

from counterfoil import jobs, logs
from counterfoil.cli.failing import one_line_errors
from counterfoil.cli.opening import must_exist, ready
from counterfoil.settings import Settings, read_settings
from counterfoil.worker import Worker
from services import documents, mail


@one_line_errors()
def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
) -> None:
    """Deliver mail and run jobs without serving."""
    settings = read_settings()
    must_exist(settings)
    logs.configure(settings.log_level)
    asyncio.run(work(settings, once=once))


async def work(settings: Settings, *, once: bool) -> None:
    """Work until SIGTERM or SIGINT, or `once` as long as something is due."""
    async with ready(settings):
        documents.bind(settings.storage())
        made = Worker(mail.current(), documents.current(), jobs.JOBS)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows: the interpreter ends it
                loop.add_signal_handler(number, made.end)
        await (made.once() if once else made.run())
