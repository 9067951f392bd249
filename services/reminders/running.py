"""Running: what is due today is sent, once, however often and on however many processes this runs.

What is slow happens before a transaction: reading who gets what, writing texts, making PDFs. Inside, under the locks of
templates, customers, contacts and invoices, the same items are planned again, and only those that are still the same
are recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from audit import SYSTEM, Change, Request, transact
from models import Busy, Contact, Customer, SalesDocument, Template, clock
from services import communications, documents
from services.communications import Draft
from services.communications.attaching import hold
from services.reminders.attaching import attachments
from services.reminders.item import Item
from services.reminders.planning import again, page

# So many items are planned at a time, and so many recorded in one transaction.
PAGE = 500
BATCH = 20

_log = structlog.get_logger("counterfoil.reminders")


@dataclass
class Counts:
    """How many reminders and statements were sent, how many of them to nobody, how many were not as planned any more
    when they were to be sent, or in somebody else's hands, and how many failed. The last two are tried again the next
    time.
    """

    sent: int = 0
    suppressed: int = 0
    changed: int = 0
    failed: int = 0


async def run() -> Counts:
    """Send what is due today (UTC)."""
    today, counts = clock.now().date(), Counts()
    items, position = await page(today, today, PAGE, with_sent=False)
    problems: set[str] = set()
    while True:
        drafted = [pair for item in _writable(items, counts, problems) for pair in await _drafted(item, counts)]
        for batch in _batches(drafted):
            await _send(batch, counts)
        if position is None:
            return counts
        items, position = await page(today, today, PAGE, position, with_sent=False)


def _writable(items: Sequence[Item], counts: Counts, problems: set[str]) -> list[Item]:
    """The items that can be written; each problem is told once in a run, however many have it."""
    found = []
    for item in items:
        problem = item.problem
        if problem is None:
            found.append(item)
            continue
        counts.failed += 1
        if problem not in problems and item.template is not None:
            problems.add(problem)
            _log.error("reminders cannot be written", template=item.template["id"], problem=problem)
    return found


async def _drafted(item: Item, counts: Counts) -> list[tuple[Item, Draft]]:
    try:
        files = await attachments(item)
        # Writing takes milliseconds, and there are hundreds: others are served meanwhile.
        return [(item, await asyncio.to_thread(item.draft, files))]
    except Busy:
        counts.changed += 1
        return []
    except Exception:
        counts.failed += 1
        _tell(item)
        return []


def _batches(drafted: Iterable[tuple[Item, Draft]]) -> Iterator[list[tuple[Item, Draft]]]:
    """Together what has the same reason: it stands in the events of the transaction."""
    for _, group in groupby(sorted(drafted, key=_reason), key=_reason):
        members = list(group)
        yield from (members[start : start + BATCH] for start in range(0, len(members), BATCH))


def _reason(pair: tuple[Item, Draft]) -> str:
    return pair[0].reason


async def _send(batch: Sequence[tuple[Item, Draft]], counts: Counts) -> None:
    """One bad item leaves the others alone: after a failure each is tried by itself."""

    async def work(change: Change) -> list[Item]:
        return await _record(change, batch)

    try:
        recorded, _ = await transact(SYSTEM, Request.new(batch[0][0].reason), work)
    except Exception as error:
        if len(batch) > 1:
            for pair in batch:
                await _send([pair], counts)
            return
        if isinstance(error, Busy):
            counts.changed += 1
        else:
            counts.failed += 1
            _tell(batch[0][0])
        return
    nobody = sum(item.suppressed is not None for item in recorded)
    counts.sent += len(recorded) - nobody
    counts.suppressed += nobody
    counts.changed += len(batch) - len(recorded)


async def _record(change: Change, batch: Sequence[tuple[Item, Draft]]) -> list[Item]:
    """The items that were recorded: those that are due as they were planned. Busy when a sweep took bytes away."""
    await change.every(Template, [item.template["id"] for item, _ in batch if item.template is not None])
    await change.every(Customer, [item.customer["id"] for item, _ in batch])
    await change.every(Contact, [one.contact["id"] for item, _ in batch for one in item.decisions])
    await change.every(SalesDocument, [item.invoice["id"] for item, _ in batch if item.invoice is not None])
    now = await again([item for item, _ in batch])
    due = [(item, draft) for item, draft in batch if now.get(item.key) == item]
    files = {file.sha256: file for _, draft in due for file in draft.attachments}
    await hold(change, documents.current(), list(files.values()))
    for _, draft in due:
        await communications.record(change, draft)
    return [item for item, _ in due]


def _tell(item: Item) -> None:
    """In the log: of what it was, and why it failed; nobody's data."""
    days = item.step["days"] if item.step is not None else None
    _log.exception("reminder failed", about=item.key, days=days, month=item.month)
