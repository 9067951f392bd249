"""Rows that templates are rendered with: with all that is known, or with as little as there can be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from models import CommunicationKind, Row
from models.statement import Ageing, OpenItem, Period, Statement, StatementSection
from services.password_links import PLACEHOLDER
from services.templates import variables

TODAY = date(2026, 2, 12)
LINK = f"https://portal.example/set-password?token={PLACEHOLDER}"
ADDRESS = {"lines": ["7 Pier Road"], "city": "Portland", "region": "OR", "postal_code": "97209", "country": "US"}
COMPANY = {
    "name": "Lakeside & Sons",
    "address": {**ADDRESS, "lines": ["12 Harbour Street", "2nd floor"]},
    "email": "accounts@lakeside.example",
    "phone": "+1 503 555 0100",
    "tax_id": "12-3456789",
    "payment_instructions": "By bank transfer:\nDE02 1203 0000 0000 2020 51",
}
CUSTOMER = {
    "name": "Harbor <b>Bakery</b>",
    "email": "office@harbor.example",
    "phone": "+1 503 555 0142",
    "website": "https://harbor.example",
    "billing_address": ADDRESS,
    "tax_id": "98-7654321",
    "payment_terms": "Net 30",
    "currency": "EUR",
}
CONTACT = {
    "first_name": "Ada",
    "last_name": "Example",
    "title": "Head of Purchasing",
    "email": "ada@harbor.example",
    "phone": "+1 503 555 0143",
}
INVOICE = {
    "kind": "INVOICE",
    "number": "1007",
    "issued_on": "2026-01-01",
    "due_on": "2026-01-31",
    "amount": 123_450,
    "balance": 100_000,
    "currency": "EUR",
}


def statement(number: int = 2, *currencies: str) -> Statement:
    """So many open invoices in each currency."""
    items = tuple(
        OpenItem(f"sdo_{index}", f"10{index:02d}", date(2026, 1, 1), date(2026, 1, 31), 123_450, 100_000, 12)
        for index in range(number)
    )
    ageing = Ageing(0, 100_000 * number, 0, 0, 0)
    sections = (
        StatementSection(currency, 0, (), 100_000 * number, items, ageing) for currency in currencies or ("EUR",)
    )
    return Statement({}, Period(date(2026, 2, 1), TODAY), tuple(sections))


def full(kind: CommunicationKind, **fields: Any) -> Mapping[str, Any]:
    """All that there is."""
    known: Row = {
        "settings": {"company": COMPANY},
        "customer": CUSTOMER,
        "contact": CONTACT,
        "sales_document": INVOICE,
        "statement": statement(),
        "reminder_days": 7,
        "link": LINK,
        "today": TODAY,
    }
    return variables(kind, **{**known, **fields})


def minimal(kind: CommunicationKind) -> Mapping[str, Any]:
    """Nothing but a customer's name."""
    nameless = {**dict.fromkeys(CUSTOMER), "name": "Harbor Bakery"}
    return variables(
        kind, settings={"company": None}, customer=nameless, contact=dict.fromkeys(CONTACT), link=LINK, today=TODAY
    )
