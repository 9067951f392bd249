"""Statements of account: what a customer was invoiced and paid in a period, and what was open at its end.

A pure function of rows. It stands here, not in services/, because fields of the schema answer with it, too.
Why payments and invoices count on which day is in docs/decisions/0023.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import accumulate

from models.table import Row

# The upper ends of the ranges of age, in days overdue.
AGES = (0, 30, 60, 90)

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


class StatementLineKind(Enum):
    """What a line of a statement tells."""

    INVOICE = "INVOICE"
    PAYMENT = "PAYMENT"


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class StatementLine:
    """An invoice, or a payment for it. `amount` is below 0 for a payment; `balance` is the customer's after the line.

    `number` is the invoice's; `method` and `reference` are the payment's.
    """

    day: date
    kind: StatementLineKind
    sales_document_id: str
    number: str
    amount: int
    balance: int
    method: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class OpenItem:
    """An invoice of which something was open. `days_overdue` is 0 until the day after it was due."""

    sales_document_id: str
    number: str
    issued_on: date
    due_on: date | None
    amount: int
    balance: int
    days_overdue: int


@dataclass(frozen=True)
class Ageing:
    """What was open, by how long it was overdue, in days."""

    current: int
    days_1_to_30: int
    days_31_to_60: int
    days_61_to_90: int
    over_90_days: int

    @property
    def overdue(self) -> int:
        """All but `current`."""
        return self.days_1_to_30 + self.days_31_to_60 + self.days_61_to_90 + self.over_90_days


@dataclass(frozen=True)
class StatementSection:
    """What happened in one currency; all amounts are its minor units.

    `opening` was open before the period, `closing` at its end: the sum of the open items.
    """

    currency: str
    opening: int
    lines: tuple[StatementLine, ...]
    closing: int
    open_items: tuple[OpenItem, ...]
    ageing: Ageing


@dataclass(frozen=True)
class Statement:
    """A customer's statement as of the last day of a period: a section for each currency in which there is something
    to tell, that of the customer first, then by their codes. Without sections there is nothing to tell.
    """

    customer: Row
    period: Period
    sections: tuple[StatementSection, ...]

    @property
    def as_of(self) -> date:
        """The day of which the open items are."""
        return self.period.last

    @property
    def month(self) -> str:
        """The month in which it ends: YYYY-MM."""
        return self.as_of.isoformat()[:7]


def month_period(month: str, today: date) -> Period:
    """The days of a month (YYYY-MM); those of the running month end today. ValueError, which says what to write."""
    found = _MONTH.fullmatch(month)
    year, number = (int(found[1]), int(found[2])) if found else (0, 0)
    if not year or not 1 <= number <= 12:
        raise ValueError(f"Write a month as YYYY-MM, such as {today.isoformat()[:7]}.")
    first = date(year, number, 1)
    if first > today:
        raise ValueError("Choose a month that has begun: nobody knows yet what will be open then.")
    return Period(first, min(today, first.replace(day=calendar.monthrange(year, number)[1])))


def statement(customer: Row, period: Period, invoices: Iterable[Row], payments: Iterable[Row]) -> Statement:
    """The statement of a customer. `invoices` are all of theirs that were posted and are not void, `payments` those for
    them; either may leave out invoices that were settled before the period, and what came after it.
    """
    paid: dict[str, list[Row]] = {}
    for payment in payments:
        paid.setdefault(payment["sales_document_id"], []).append(payment)
    by_currency: dict[str, list[Row]] = {}
    for invoice in invoices:
        if date.fromisoformat(invoice["issued_on"]) <= period.last:
            by_currency.setdefault(invoice["currency"], []).append(invoice)
    currencies = sorted(by_currency, key=lambda currency: (currency != customer["currency"], currency))
    sections = (_section(currency, period, by_currency[currency], paid) for currency in currencies)
    told = tuple(section for section in sections if section.opening or section.lines or section.open_items)
    return Statement(customer, period, told)


def _section(currency: str, period: Period, invoices: Sequence[Row], paid: dict[str, list[Row]]) -> StatementSection:
    movements: list[StatementLine] = []
    items: list[OpenItem] = []
    for invoice in invoices:
        own = _movements(invoice, paid.get(invoice["id"], ()), period.last)
        movements += own
        balance = sum(movement.amount for movement in own)
        if balance:
            items.append(_open_item(invoice, balance, period.last))
    opening = sum(movement.amount for movement in movements if movement.day < period.first)
    movements = sorted((one for one in movements if one.day >= period.first), key=_place)
    balances = list(accumulate((movement.amount for movement in movements), initial=opening))
    lines = tuple(
        StatementLine(**{**vars(movement), "balance": balance})
        for movement, balance in zip(movements, balances[1:], strict=True)
    )
    items.sort(key=lambda item: (item.due_on or date.max, item.issued_on, item.number, item.sales_document_id))
    return StatementSection(currency, opening, lines, balances[-1], tuple(items), _ageing(items))


def _movements(invoice: Row, payments: Iterable[Row], until: date) -> list[StatementLine]:
    """What the invoice and its payments changed up to that day; their balances are not known yet."""
    issued, identifier, number = date.fromisoformat(invoice["issued_on"]), invoice["id"], invoice["number"]
    movements = [StatementLine(issued, StatementLineKind.INVOICE, identifier, number, invoice["amount"], 0)]
    for payment in payments:
        # What came in advance counts with its invoice: before that there is nothing that it pays.
        day = max(issued, date.fromisoformat(payment["received_on"]))
        if day <= until:
            how = payment["method"], payment["reference"]
            movements.append(
                StatementLine(day, StatementLineKind.PAYMENT, identifier, number, -payment["amount"], 0, *how)
            )
    return movements


def _place(movement: StatementLine) -> tuple[date, bool, str, str, int, str]:
    """By day, invoices before payments; what is left only makes the order one."""
    is_payment = movement.kind is StatementLineKind.PAYMENT
    return (
        *(movement.day, is_payment, movement.number, movement.sales_document_id, movement.amount),
        f"{movement.method} {movement.reference}",
    )


def _open_item(invoice: Row, balance: int, as_of: date) -> OpenItem:
    due = date.fromisoformat(invoice["due_on"]) if invoice["due_on"] is not None else None
    overdue = max(0, (as_of - due).days) if due is not None else 0
    issued = date.fromisoformat(invoice["issued_on"])
    return OpenItem(invoice["id"], invoice["number"], issued, due, invoice["amount"], balance, overdue)


def _ageing(items: Iterable[OpenItem]) -> Ageing:
    ages = [0] * (len(AGES) + 1)
    for item in items:
        ages[sum(item.days_overdue > age for age in AGES)] += item.balance
    return Ageing(*ages)
