"""The values of the variables that a template can say, from rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from models import CommunicationKind, Row
from models.contact import full_name
from models.statement import OpenItem, Statement
from services import writing
from services.templates.values import EMPTY, Day, Facts, Money
from services.templates.vocabulary import LINES, Group, Parts, Value, parts

NO_COMPANY = "Accounts receivable"

# Line breaks stay; what else controls a screen or is half of a character goes.
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def variables(
    kind: CommunicationKind,
    *,
    settings: Row,
    customer: Row | None,
    contact: Row | None,
    sales_document: Row | None = None,
    statement: Statement | None = None,
    reminder_days: int | None = None,
    link: str | None = None,
    today: date,
) -> Mapping[str, Any]:
    """What a template of this kind can say in an email to the contact, or to nobody yet: only what is documented.

    Rows have their JSON columns decoded. What is not known is empty; what the kind has no use for is left out.
    """
    found: dict[str, Any] = {
        "company": _company(settings["company"]),
        "customer": _customer(customer, settings["company"]) if customer is not None else {},
        "contact": {**contact, "name": full_name(contact)} if contact is not None else {},
        "today": today,
        "sales_document": _sales_document(sales_document, today) if sales_document is not None else {},
        "statement": _statement(statement) if statement is not None else {},
        "reminder_days": reminder_days,
        "link": link,
    }
    return _known(parts(kind), found)


def _company(company: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if company is None:
        return {"name": NO_COMPANY}
    return {**company, "address": _address(company.get("address"), None)}


def _customer(customer: Row, company: Mapping[str, Any] | None) -> Mapping[str, Any]:
    home = (company or {}).get("address")
    country = home.get("country") if isinstance(home, Mapping) else None
    return {**customer, "billing_address": _address(customer["billing_address"], country)}


def _address(address: Mapping[str, Any] | str | None, home: str | None) -> str | None:
    return address if isinstance(address, str) else "\n".join(writing.address(address, home)) or None


def _sales_document(row: Row, today: date) -> Mapping[str, Any]:
    currency = row["currency"]
    due = date.fromisoformat(row["due_on"]) if row["due_on"] is not None else None
    late = (today - due).days if due is not None and row["balance"] > 0 else 0
    return {
        "kind": row["kind"].lower(),
        "number": row["number"],
        "issued_on": date.fromisoformat(row["issued_on"]),
        "due_on": due,
        "amount": Money(row["amount"], currency),
        "balance": Money(row["balance"], currency),
        "paid": Money(row["amount"] - row["balance"], currency),
        "currency": currency,
        "days_overdue": max(0, late),
        "days_until_due": max(0, -late),
    }


def _statement(statement: Statement) -> Mapping[str, Any]:
    lines = [_line(item, section.currency) for section in statement.sections for item in section.open_items]
    totals = [Money(section.closing, section.currency) for section in statement.sections]
    overdue = [Money(section.ageing.overdue, section.currency) for section in statement.sections]
    return {
        "month": writing.month(statement.as_of),
        "as_of": statement.as_of,
        "total": " and ".join(map(str, totals)),
        "overdue": " and ".join(str(some) for some in overdue if some),
        "lines": lines[:LINES],
        "more": max(0, len(lines) - LINES),
    }


def _line(item: OpenItem, currency: str) -> Mapping[str, Any]:
    return {
        "number": item.number,
        "issued_on": item.issued_on,
        "due_on": item.due_on,
        "amount": Money(item.amount, currency),
        "balance": Money(item.balance, currency),
        "days_overdue": item.days_overdue,
    }


def _known(documented: Parts, found: Mapping[str, Any]) -> dict[str, Any]:
    """Of all that was found what is documented, and something for each of that."""
    known: dict[str, Any] = {}
    for name, part in documented.items():
        value = found.get(name)
        if isinstance(part, Value):
            known[name] = _shown(value, part.longest)
        elif isinstance(part, Group):
            known[name] = Facts(**_known(part.parts, value or {}))
        else:
            known[name] = tuple(Facts(**_known(part.each.parts, one)) for one in value or ())
    return known


def _shown(value: object, longest: int) -> object:
    if value is None or value == "":
        return EMPTY
    if isinstance(value, str):
        return _UNSEEN.sub(" ", value)[:longest]
    return Day(value) if isinstance(value, date) else value
