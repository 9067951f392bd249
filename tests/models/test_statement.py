"""Statements add up, whatever the dates; and what the database leaves out when it reads does not show in them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Row
from models.statement import Ageing, Period, Statement, StatementLineKind, month_period, statement

JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))
CUSTOMER: Row = {"id": "cus_1", "name": "Lakeside Bakery", "currency": "EUR"}
DAYS = st.dates(date(2026, 3, 1), date(2026, 8, 31))


def invoice(number: str, issued_on: str, amount: int, **fields: Any) -> Row:
    common = {"id": f"sdo_{number}", "number": number, "due_on": None, "currency": "EUR"}
    return {**common, "issued_on": issued_on, "amount": amount, **fields}


def payment(number: str, received_on: str, amount: int, **fields: Any) -> Row:
    common = {"sales_document_id": f"sdo_{number}", "method": "CHECK", "reference": None}
    return {**common, "received_on": received_on, "amount": amount, **fields}


@st.composite
def books(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Invoices and payments that are not more than what they pay."""
    invoices, payments = [], []
    for number in range(draw(st.integers(0, 8))):
        amount = draw(st.integers(0, 50_000))
        issued = draw(DAYS)
        days = draw(st.none() | st.integers(0, 90))
        due = None if days is None else issued + timedelta(days)
        currency = draw(st.sampled_from(["EUR", "JPY", "USD"]))
        left = amount
        for _ in range(draw(st.integers(0, 3))):
            part = draw(st.integers(0, left))
            if part:
                payments.append(payment(str(number), draw(DAYS).isoformat(), part))
                left -= part
        invoices.append(
            invoice(str(number), issued.isoformat(), amount, due_on=due and due.isoformat(), currency=currency)
        )
    return invoices, payments


def open_on(day: date, invoices: list[Row], payments: list[Row]) -> dict[str, int]:
    """What was open of each invoice at the end of the day, told in another way."""
    found = {}
    for row in invoices:
        if row["issued_on"] <= day.isoformat():
            received = [one["amount"] for one in payments if _is_counted(one, row, day)]
            found[row["id"]] = row["amount"] - sum(received)
    return found


def _is_counted(paid: Row, row: Row, day: date) -> bool:
    return str(paid["sales_document_id"]) == row["id"] and str(paid["received_on"]) <= day.isoformat()


@given(books(), DAYS, st.integers(0, 60))
def test_a_statement_adds_up(books: tuple[list[Row], list[Row]], last: date, length: int) -> None:
    invoices, payments = books
    period = Period(last - timedelta(length), last)
    made = statement(CUSTOMER, period, invoices, payments)

    after = open_on(last, invoices, payments)
    before = open_on(period.first - timedelta(1), invoices, payments)
    currency_of = {row["id"]: row["currency"] for row in invoices}
    assert [section.currency for section in made.sections] == sorted(section.currency for section in made.sections)
    for section in made.sections:
        items = {item.sales_document_id: item.balance for item in section.open_items}
        expected = {one: balance for one, balance in after.items() if currency_of[one] == section.currency and balance}
        assert items == expected
        assert section.opening == sum(before[one] for one in before if currency_of[one] == section.currency)
        assert section.opening + sum(line.amount for line in section.lines) == section.closing == sum(items.values())
        assert section.ageing.current + section.ageing.overdue == section.closing
        balances = [section.opening, *(line.balance for line in section.lines)]
        assert all(b - a == line.amount for a, b, line in zip(balances, balances[1:], section.lines, strict=False))
        assert [line.day for line in section.lines] == sorted(line.day for line in section.lines)
        assert all(period.first <= line.day <= last for line in section.lines)
    told = {section.currency for section in made.sections}
    assert {currency_of[one] for one, balance in after.items() if balance} <= told


@given(books(), DAYS)
def test_two_periods_meet(books: tuple[list[Row], list[Row]], day: date) -> None:
    first = statement(CUSTOMER, Period(date(2026, 1, 1), day), *books)
    second = statement(CUSTOMER, Period(day + timedelta(1), date(2026, 12, 31)), *books)
    openings = {section.currency: section.opening for section in second.sections if section.opening}
    assert openings == {section.currency: section.closing for section in first.sections if section.closing}


@given(books(), DAYS)
def test_what_was_settled_before_the_period_does_not_show(books: tuple[list[Row], list[Row]], first: date) -> None:
    invoices, payments = books
    period = Period(first, date(2026, 8, 31))
    before = open_on(first - timedelta(1), invoices, payments)
    kept = [row for row in invoices if before.get(row["id"], 1) or row["issued_on"] >= first.isoformat()]
    assert statement(CUSTOMER, period, invoices, payments) == statement(CUSTOMER, period, kept, payments)


def test_each_age_has_its_own_sum() -> None:
    ages = {"0": 1, "1": 10, "30": 100, "31": 1000, "60": 10_000, "61": 100_000, "90": 1_000_000, "91": 10_000_000}
    invoices = [
        invoice(days, "2026-01-01", amount, due_on=(JUNE.last - timedelta(int(days))).isoformat())
        for days, amount in ages.items()
    ]
    [section] = statement(CUSTOMER, JUNE, [*invoices, invoice("none", "2026-01-01", 5)], []).sections
    assert section.ageing == Ageing(6, 110, 11_000, 1_100_000, 10_000_000)
    overdue = [(item.number, item.days_overdue) for item in section.open_items]
    # Without a due date nothing is overdue, and it comes last.
    assert (overdue[0], overdue[-1]) == (("91", 91), ("none", 0))


def test_the_lines_tell_what_happened_in_the_period() -> None:
    invoices = [invoice("1", "2026-05-20", 1000), invoice("2", "2026-06-10", 500), invoice("3", "2026-07-01", 70)]
    payments = [
        payment("1", "2026-05-31", 400),
        payment("1", "2026-06-05", 600, reference="4711"),
        # Paid in advance, and counted when it is invoiced.
        payment("2", "2026-05-02", 200, method="CARD"),
        payment("2", "2026-07-02", 300),
    ]
    [section] = statement(CUSTOMER, JUNE, invoices, payments).sections
    lines = [
        (line.day.day, line.kind, line.number, line.amount, line.balance, line.reference) for line in section.lines
    ]
    assert (section.opening, section.closing) == (600, 300)
    assert lines == [
        (5, StatementLineKind.PAYMENT, "1", -600, 0, "4711"),
        (10, StatementLineKind.INVOICE, "2", 500, 500, None),
        (10, StatementLineKind.PAYMENT, "2", -200, 300, None),
    ]
    assert [(item.number, item.amount, item.balance) for item in section.open_items] == [("2", 500, 300)]


def test_the_customers_own_currency_comes_first() -> None:
    rows = [invoice(code, "2026-06-01", 1, currency=code) for code in ("CHF", "EUR", "AUD")]
    made = statement(CUSTOMER, JUNE, rows, [])
    assert [section.currency for section in made.sections] == ["EUR", "AUD", "CHF"]


def test_with_nothing_to_tell_there_is_no_section() -> None:
    settled = [invoice("1", "2026-01-01", 1000)], [payment("1", "2026-02-01", 1000)]
    assert statement(CUSTOMER, JUNE, *settled) == Statement(CUSTOMER, JUNE, ())
    assert statement(CUSTOMER, JUNE, [], []).month == "2026-06"


def test_a_month_ends_with_its_last_day_or_today() -> None:
    today = date(2028, 2, 10)
    assert month_period("2024-02", today) == Period(date(2024, 2, 1), date(2024, 2, 29))
    assert month_period("2028-02", today) == Period(date(2028, 2, 1), today)
    for bad in ("2028-03", "2028-13", "2028-00", "0000-01", "2028-1", "28-01", "2028-02-01", "", "２０２８-０１", "x"):
        with pytest.raises(ValueError, match="month"):
            month_period(bad, today)
