"""Statements on paper: what a reader finds on one page, and on many."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from models.statement import statement
from services import pdf
from tests.services.pdf.pages import opened
from tests.services.pdf.rows import JUNE, customer, document, long_statement, payment, settings

pytestmark = pytest.mark.anyio


async def test_a_statement_tells_what_is_open_how_old_it_is_and_what_happened() -> None:
    invoices = [
        document(1, due_on="2026-06-20"),
        document(2, issued_on="2026-06-10", due_on=None, amount=5000),
        document(3, issued_on="2026-06-11", due_on="2026-07-11", currency="JPY", amount=700),
    ]
    page = opened(await pdf.statement(settings(), statement(customer(), JUNE, invoices, [payment(1)])))
    for expected in (
        "For Lakeside Bakery 12 rue Cler Étage 3 75007 Paris France",
        "As of 30 June 2026 Period 1 June 2026 to 30 June 2026 Balance EUR 1,084.50 Balance JPY 700",
        "Open invoices in EUR Not yet due 1 to 30 days 31 to 60 days 61 to 90 days Over 90 days Total 50.00 1,034.50",
        "1,034.50 0.00 0.00 0.00 1,084.50",
        "1 20 May 2026 20 Jun 2026 10 1,234.50 1,034.50 2 10 Jun 2026 50.00 50.00 Total 1,084.50",
        "Activity in EUR Date What Amount Balance 1 Jun 2026 Opening balance 1,234.50",
        "5 Jun 2026 Payment by check, 4711, for invoice 1 \u2212200.00 1,034.50 10 Jun 2026 Invoice 2 50.00 1,084.50",
        "30 Jun 2026 Closing balance 1,084.50 Open invoices in JPY",
        "How to pay",
    ):
        assert expected in page.text
    assert (page.title, page.created) == ("Statement of account, 30 June 2026", "D:20260630000000Z")
    assert (page.language, page.tagged, page.outside) == ("en", True, [])


async def test_a_statement_of_nothing_says_so() -> None:
    page = opened(await pdf.statement(settings(), statement(customer(), JUNE, [], [])))
    assert "Nothing was open, and nothing happened in this period." in page.text
    assert "How to pay" not in page.text
    settled = statement(customer(), JUNE, [document(1, amount=20_000)], [payment(1)])
    assert "Nothing is open." in opened(await pdf.statement(settings(), settled)).text


async def test_every_page_has_the_head_of_its_table_and_its_number() -> None:
    page = opened(await pdf.statement(settings(), long_statement(150)))
    assert len(page.pages) == 5
    for number, text in enumerate(page.pages, 1):
        flat = " ".join(text.split())
        assert f"Page {number} of 5" in flat
        assert "Invoice Date Due Days overdue Amount Open" in flat or "Date What Amount Balance" in flat
        assert "Northwind Supplies GmbH · Statement as of 30 June 2026 · Lakeside Bakery" in flat
    assert "Total 185,175.00" in page.text
    assert page.outside == []


async def test_two_thousand_invoices_are_a_readable_statement() -> None:
    made = long_statement(2000, name="#" + "W" * 499)
    page = opened(await pdf.statement(settings(), made))
    assert "Total 2,469,000.00" in page.text
    assert "And 1,000 more, 1,234,500.00 of the total." in page.text
    assert page.outside == []
    assert len(page.pages) < 50


async def test_earlier_entries_are_one_line_and_the_balances_go_on() -> None:
    invoices = [document(number, issued_on="2026-06-02", amount=100) for number in range(1200)]
    page = opened(await pdf.statement(settings(), statement(customer(), JUNE, invoices, [])))
    assert "2 Jun 2026 After 200 earlier entries 200.00" in page.text
    assert "Closing balance 1,200.00" in page.text


async def test_equal_statements_make_equal_bytes_also_side_by_side() -> None:
    made = long_statement(20)
    first, *others = await asyncio.gather(*(pdf.statement(settings(), made) for _ in range(4)))
    assert all(other == first for other in others)


async def test_the_loop_goes_on_while_pages_are_made() -> None:
    making = asyncio.ensure_future(pdf.statement(settings(), long_statement(300)))
    turns = 0
    while not making.done():
        await asyncio.sleep(0)
        turns += 1
    # Were they made in the loop, it would have had a handful.
    assert turns > 100
    assert (await making).startswith(b"%PDF-")


def test_a_process_does_not_keep_what_it_has_made() -> None:
    """Twelve statements of 250 lines take little more memory than two: without forgetting it is 200 MiB."""
    program = """
import asyncio, psutil
from services import pdf
from tests.services.pdf.rows import long_statement, settings
async def main():
    memory = []
    for number in range(12):
        await pdf.statement(settings(), long_statement(250 + number))
        memory.append(psutil.Process().memory_info().rss)
    print((memory[-1] - memory[1]) // 2**20)
asyncio.run(main())
"""
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 80
