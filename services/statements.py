"""Statements, as the rest of services/ uses them: the data of models/statement.py, by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models import Fault
from models.statement import (
    Ageing,
    OpenItem,
    Period,
    Statement,
    StatementLine,
    StatementLineKind,
    StatementSection,
    month_period,
)
from models.statement_rows import statements

__all__ = [
    "Ageing",
    "OpenItem",
    "Period",
    "Statement",
    "StatementLine",
    "StatementLineKind",
    "StatementSection",
    "of_month",
    "period",
    "statements",
]


async def of_month(
    customer_ids: Sequence[str], month: str, today: date, field: tuple[str, ...] = ("month",)
) -> list[Statement | None]:
    """The customers' statements as of the last day of the month (YYYY-MM), or as of today while it runs; None for an
    id that nobody has. Fault INVALID at `field` for what is no month, and for one that has not begun.
    """
    return await statements(customer_ids, period(month, today, field))


def period(month: str, today: date, field: tuple[str, ...] = ("month",)) -> Period:
    """The days of the month. Fault INVALID at `field`."""
    try:
        return month_period(month, today)
    except ValueError as error:
        raise Fault.invalid(str(error), *field) from None
