"""Monthly statements: to whom, when, with what, and what is left out."""

from __future__ import annotations

import json
from datetime import date

import pytest

from models import CommunicationKind, Database, current
from services import merging, preferences, reminders
from services.communications import Attachment
from services.reminders import running
from services.reminders.item import Item
from tests.services.reminders.office import act, customer, invoice, on, opened, pay, sent, set_standard

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage", "database")]

MARCH = date(2027, 3, 1)
TOLD = ("customer_id", "statement_month", "suppressed")


async def run_on(day: date) -> tuple[int, int, int, int]:
    """Run on that day: sent, suppressed, changed, failed."""
    with on(day):
        counts = await reminders.run()
    return counts.sent, counts.suppressed, counts.changed, counts.failed


async def test_a_statement_goes_out_once_with_its_pdf() -> None:
    with on(MARCH):
        await opened(365, monthly_statement=True)
        buyer = await customer()
        await invoice(buyer, None, issued_on=date(2027, 3, 5))
    assert await run_on(date(2027, 3, 31)) == (0, 0, 0, 0)
    assert await run_on(date(2027, 4, 1)) == (1, 0, 0, 0)
    assert await run_on(date(2027, 4, 2)) == (0, 0, 0, 0)
    assert await sent(*TOLD) == [(buyer, "2027-03", None)]
    [(kind, attached, subject)] = await sent("kind", "attachments", "subject_line")
    assert (kind, subject) == ("STATEMENT", "Statement for March 2027 from Accounts receivable")
    [file] = json.loads(attached)
    assert (file["name"], file["media_type"]) == ("Statement 2027-03-31.pdf", "application/pdf")
    [row] = await current().fetch("SELECT text FROM delivery")
    assert "EUR 500.00" in row["text"]


async def test_a_late_worker_sends_the_latest_month_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reminders.attaching.pdf.statement", paper)
    with on(MARCH):
        await opened(365, monthly_statement=True)
        buyer = await customer()
        await invoice(buyer, None, issued_on=MARCH)
    assert await run_on(date(2027, 6, 17)) == (1, 0, 0, 0)
    assert await sent(*TOLD) == [(buyer, "2027-05", None)]


async def paper(*_: object) -> bytes:
    """A PDF that takes no time."""
    return b"%PDF-"


async def test_only_those_get_one_who_want_it_and_to_whom_there_is_something_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.reminders.attaching.pdf.statement", paper)
    with on(MARCH):
        await opened(365)
        open_, settled, paid_then, without, unwanted, drafted = [
            await customer(monthly_statement=wanted) for wanted in (True, True, True, True, None, True)
        ]
        for buyer in (open_, settled, paid_then, unwanted):
            document = await invoice(buyer, None, issued_on=date(2027, 1, 7))
            if buyer == settled:
                await pay(document)
            if buyer == paid_then:
                await pay(document, "100.00")
        await invoice(drafted, None, posted=False)
    # The payment of March makes something to tell about March; in April nothing is left.
    assert await run_on(date(2027, 4, 1)) == (3, 0, 0, 0)
    assert {told[0] for told in await sent(*TOLD)} == {open_, settled, paid_then}
    assert await run_on(date(2027, 5, 1)) == (2, 0, 0, 0)
    assert {told[0] for told in await sent(*TOLD) if told[1] == "2027-04"} == {open_, paid_then}
    assert without not in {told[0] for told in await sent(*TOLD)}
    with on(date(2027, 5, 9)):
        await act(lambda change: preferences.override(change, unwanted, None, {"monthly_statement": True}))
    assert await run_on(date(2027, 5, 9)) == (1, 0, 0, 0)


async def test_a_statement_to_nobody_is_suppressed_once() -> None:
    with on(MARCH):
        await opened(365, monthly_statement=True)
        lonely = await customer(people=0)
        await invoice(lonely, None, issued_on=MARCH)
    assert await run_on(date(2027, 4, 1)) == (0, 1, 0, 0)
    assert await run_on(date(2027, 4, 2)) == (0, 0, 0, 0)
    with on(date(2027, 4, 2)):
        await set_standard(CommunicationKind.STATEMENT, enabled=False)
    assert await run_on(date(2027, 5, 1)) == (0, 1, 0, 0)
    assert await sent(*TOLD) == [(lonely, "2027-03", "NO_RECIPIENT"), (lonely, "2027-04", "TEMPLATE_DISABLED")]


async def test_a_statement_that_is_wrong_by_then_is_not_sent_but_made_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on(MARCH):
        await opened(365, monthly_statement=True)
        buyer = await customer()
        document = await invoice(buyer, None, issued_on=MARCH)

    # A payment that is entered now, and arrived in the month.
    async def entering(_: Item) -> list[Attachment]:
        with on(date(2027, 3, 30)):
            await pay(document, "499.00")
        return []

    with monkeypatch.context() as patch:
        patch.setattr(running, "attachments", entering)
        assert await run_on(date(2027, 4, 1)) == (0, 0, 1, 0)
    assert await sent(*TOLD) == []
    assert await run_on(date(2027, 4, 1)) == (1, 0, 0, 0)
    [row] = await current().fetch("SELECT text FROM delivery")
    assert "EUR 1.00" in row["text"]


async def test_what_a_merged_customer_got_is_not_sent_again_to_the_survivor() -> None:
    with on(MARCH):
        await opened(365, monthly_statement=True)
        survivor, first, second = [await customer() for _ in range(3)]
        lonely, taker = await customer(people=0), await customer()
        for buyer in (first, second, lonely):
            await invoice(buyer, None, issued_on=MARCH)
    assert await run_on(date(2027, 4, 1)) == (2, 1, 0, 0)
    with on(date(2027, 4, 2)):
        for into, merged in ((survivor, first), (survivor, second), (taker, lonely)):
            given = {"id": into, "merged_id": merged}
            await act(lambda change, given=given: merging.merge(change, given))  # type: ignore[misc]
    # What went to nobody was not got by anybody.
    assert await run_on(date(2027, 4, 2)) == (1, 0, 0, 0)
    assert await run_on(date(2027, 4, 3)) == (0, 0, 0, 0)
    march = {(first, "2027-03", None), (second, "2027-03", None), (lonely, "2027-03", "NO_RECIPIENT")}
    assert set(await sent(*TOLD)) == {*march, (taker, "2027-03", None)}
    with on(date(2027, 4, 2)):
        today = date(2027, 4, 2)
        planned, _ = await reminders.page(today, today, 9)
    assert [item.customer["id"] for item in planned] == [taker]
    assert await run_on(date(2027, 5, 1)) == (2, 0, 0, 0)
