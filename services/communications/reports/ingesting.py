"""Taking in the bounce messages of a folder: what is none stays where it is, for somebody to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from audit import Request
from models import Busy
from services.communications.reports import dsn
from services.communications.reports.folder import Found
from services.communications.reports.taking_in import Tally, take_in

_log = structlog.get_logger("counterfoil.mail")


@dataclass
class Ingested(Tally):
    """The reports in a folder, how many of its messages are none, and how many could not be taken in."""

    messages: int = 0
    others: int = 0
    failed: int = 0


async def ingest(found: Iterable[Found], say: Callable[[str], None]) -> Ingested:
    """Take in all reports among these messages. `say` is told which messages are left, and why.

    A message that cannot be taken in is logged, and keeps no other from it. Busy or OSError when the database is away.
    """
    request = Request.new("Bounce messages")
    total = Ingested()
    for message in found:
        total.messages += 1
        try:
            reports = dsn.read(message.data)
        except dsn.NotAReport as problem:
            total.others += 1
            say(f"{message.name}: left: {problem}")
            continue
        try:
            tally = await take_in(dsn.SOURCE, request, reports)
        except (Busy, OSError):
            raise
        except Exception as error:
            _log.exception("bounce message failed", message=message.name)
            total.failed += 1
            say(f"{message.name}: left: it could not be taken in ({type(error).__name__})")
            continue
        total.taken += tally.taken
        total.repeated += tally.repeated
        total.unknown += tally.unknown
        if tally.taken or tally.repeated:
            message.mark()
        else:
            say(f"{message.name}: left: it is about no email of ours")
    return total
