"""Taking in the bounce messages of a folder: what is none stays where it is, for somebody to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from audit import Request
from services.communications.reports import dsn
from services.communications.reports.folder import LARGEST, Found
from services.communications.reports.taking_in import Tally, take_in


@dataclass
class Ingested(Tally):
    """The reports in a folder, and how many of its messages are none."""

    messages: int = 0
    others: int = 0


async def ingest(found: Iterable[Found], say: Callable[[str], None]) -> Ingested:
    """Take in all reports among these messages. `say` is told which messages are left, and why."""
    request = Request.new("Bounce messages")
    total = Ingested()
    for message in found:
        total.messages += 1
        try:
            if message.data is None:
                raise dsn.NotAReport(f"it has more than {LARGEST:,} bytes")
            reports = dsn.read(message.data)
        except dsn.NotAReport as problem:
            total.others += 1
            say(f"{message.name}: left: {problem}")
            continue
        tally = await take_in(dsn.SOURCE, request, reports)
        total.taken += tally.taken
        total.repeated += tally.repeated
        total.unknown += tally.unknown
        if tally.taken or tally.repeated:
            message.mark()
        else:
            say(f"{message.name}: left: it is about no email of ours")
    return total
