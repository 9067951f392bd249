"""What a statement of account says on paper: a pure function of its data."""

from __future__ import annotations

from typing import Any

from models import Row, money
from models.statement import OpenItem, Statement, StatementLine, StatementLineKind, StatementSection
from services import writing
from services.pdf import wording
from services.pdf.sales_documents import how

LAYOUT = "statement.typ"
TITLE = "Statement of account"

# As many rows the tables of all currencies have, of each kind: enough to read, and few enough to make in a second.
_MOST_ROWS = 1000
_AGES = ("Not yet due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "Over 90 days")


def data(settings: Row, statement: Statement) -> dict[str, Any]:
    """The layout's data."""
    parties = wording.parties(settings, statement.customer)
    period, as_of = statement.period, writing.day(statement.as_of)
    most = _MOST_ROWS // max(1, len(statement.sections))
    owes = any(section.closing > 0 for section in statement.sections)
    company = parties["company"] and parties["company"]["name"]
    return {
        **parties,
        "title": f"{TITLE}, {as_of}",
        "heading": TITLE,
        "to": "For",
        "facts": [
            ["As of", as_of],
            ["Period", f"{writing.day(period.first)} to {as_of}"],
            *(["Balance", writing.amount(one.closing, one.currency)] for one in statement.sections),
        ],
        "note": None if statement.sections else "Nothing was open, and nothing happened in this period.",
        "sections": [_section(section, statement, most) for section in statement.sections],
        "instructions": wording.instructions(settings) if owes else [],
        "instructions-title": "How to pay",
        "foot": wording.foot(company, f"Statement as of {as_of}", statement.customer["name"]),
    }


def _section(section: StatementSection, statement: Statement, most: int) -> dict[str, Any]:
    def amount(minor: int) -> str:
        return money.grouped(minor, section.currency)

    period, ageing = statement.period, section.ageing
    ages = (ageing.current, ageing.days_1_to_30, ageing.days_31_to_60, ageing.days_61_to_90, ageing.over_90_days)
    items, lines = section.open_items[:most], section.lines[-most:]
    unshown = section.open_items[most:]
    earlier = len(section.lines) - len(lines)
    opening = lines[0].balance - lines[0].amount if lines else section.opening
    begin = f"After {earlier:,} earlier entries" if earlier else "Opening balance"
    since = section.lines[earlier - 1].day if earlier else period.first
    return {
        "heading": f"Open invoices in {section.currency}",
        "ageing": [*([name, amount(age)] for name, age in zip(_AGES, ages, strict=True)), ["Total", amount(sum(ages))]],
        "items": [_item(item, section.currency) for item in items],
        "items-note": f"And {len(unshown):,} more, {amount(sum(one.balance for one in unshown))} of the total."
        if unshown
        else None,
        "items-total": ["Total", "", "", "", "", amount(section.closing)],
        "activity-heading": f"Activity in {section.currency}",
        "lines": [
            [writing.short_day(since), begin, "", amount(opening)],
            *(_line(line, section.currency) for line in lines),
        ],
        "lines-total": [writing.short_day(statement.as_of), "Closing balance", "", amount(section.closing)],
    }


def _item(item: OpenItem, currency: str) -> list[str]:
    return [
        item.number,
        writing.short_day(item.issued_on),
        writing.short_day(item.due_on) if item.due_on is not None else "",
        str(item.days_overdue or ""),
        money.grouped(item.amount, currency),
        money.grouped(item.balance, currency),
    ]


def _line(line: StatementLine, currency: str) -> list[str]:
    paid = line.kind is StatementLineKind.PAYMENT
    what = f"Payment{how(line.method, line.reference)}, for invoice {line.number}" if paid else f"Invoice {line.number}"
    amounts = money.grouped(line.amount, currency), money.grouped(line.balance, currency)
    return [writing.short_day(line.day), what, *amounts]
