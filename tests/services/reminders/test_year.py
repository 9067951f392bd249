"""A simulated year, two workers at once: each step and each statement once, none skipped that still counts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from models import Database
from services import order_desk, reminders
from tests.services.reminders.office import START, act, customer, invoice, on, opened, oracle, pay, reminders_sent, sent
from tests.services.reminders.office import workflow as new_workflow

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]

YEAR = [START + timedelta(days=number) for number in range(365)]
# The days on which no worker runs: a week around a month's end, and single ones.
DOWN = {*YEAR[86:93], *YEAR[5:300:37]}
RUNNING = [day for day in YEAR if day not in DOWN]
STANDARD, STRICT = (-3, 1, 7, 14), (-10, -1, 0, 2, 30)


@dataclass
class Invoice:
    """What the story does with an invoice."""

    days: tuple[int, ...]
    due_on: date
    posted: date
    paid: date | None
    id: str = ""


def story(seed: int) -> list[Invoice]:
    """Invoices over the year; most are paid at some time, and some are due while nobody runs."""
    pick = random.Random(seed)
    made = []
    for number in range(24):
        due_on = YEAR[pick.randrange(15, 330)] if number > 6 else YEAR[83 + number]
        posted = max(START, due_on - timedelta(days=pick.randrange(1, 40)))
        paid = due_on + timedelta(days=pick.randrange(-5, 60)) if number % 4 else None
        made.append(Invoice(STRICT if number % 3 == 0 else STANDARD, due_on, posted, paid))
    return made


async def both() -> None:
    """Two workers at once."""
    await asyncio.gather(reminders.run(), reminders.run())


async def test_over_a_year_everything_goes_out_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reminders.attaching.pdf.statement", paper)
    invoices = story(1)
    with on(START):
        await opened(*STANDARD)
        strict = await new_workflow(*STRICT)
        of_workflow: Mapping[tuple[int, ...], str] = {
            STANDARD: await customer(monthly_statement=True),
            STRICT: await customer(reminders={"workflow_id": strict["id"]}),
        }
        for one in invoices:
            one.id = await invoice(of_workflow[one.days], one.due_on, posted=False, issued_on=one.posted)
    for day in YEAR:
        with on(day):
            for one in invoices:
                if one.posted == day:
                    await _post(one.id)
                if one.paid is not None and one.paid == day > one.posted:
                    await pay(one.id)
            if day in RUNNING:
                await both()
    assert await reminders_sent() == {
        (one.id, step, day)
        for one in invoices
        for step, day in oracle(
            one.days, one.due_on, RUNNING, one.posted, one.paid if one.paid and one.paid > one.posted else None
        )
    }
    statements = [(month, at.date()) for month, at in await sent("statement_month", "created_at") if month is not None]
    first = min(one.posted for one in invoices if one.days == STANDARD)
    months = [day for day in YEAR if day.day == 1 and first < day]
    assert statements == [
        ((day - timedelta(days=1)).isoformat()[:7], min(other for other in RUNNING if other >= day)) for day in months
    ]


async def _post(invoice_id: str) -> None:

    await act(lambda change: order_desk.post(change, invoice_id, None, acknowledge=False))


async def paper(*_: object) -> bytes:
    """A PDF that takes no time."""
    return b"%PDF-"
