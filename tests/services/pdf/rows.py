"""Rows as the database has them, for PDFs that need no database."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from models import Row
from models.statement import Period, Statement, statement

JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))
COMPANY = {
    "name": "Northwind Supplies GmbH",
    "address": {"lines": ["Torstraße 1"], "city": "Berlin", "region": None, "postal_code": "10119", "country": "DE"},
    "email": "billing@northwind.example",
    "phone": "+49301234567",
    "tax_id": "DE123456789",
    "payment_instructions": "Transfer to IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001\n\nName the invoice.",
}
PARIS = {"lines": ["12 rue Cler", "Étage 3"], "city": "Paris", "region": None, "postal_code": "75007", "country": "FR"}
AUSTIN = {"lines": ["1 Main St"], "city": "Austin", "region": "TX", "postal_code": "78701", "country": "US"}


def settings(**company: Any) -> Row:
    """The settings, with this company; JSON as reads bring it."""
    return {"company": json.dumps({**COMPANY, **company})}


def customer(**fields: Any) -> Row:
    """A customer in Paris."""
    return {"id": "cus_1", "name": "Lakeside Bakery", "currency": "EUR", "billing_address": json.dumps(PARIS), **fields}


def document(number: int = 1007, **fields: Any) -> Row:
    """A posted invoice of 20 May 2026 over 1,234.50 EUR, due a month later."""
    issued = date(2026, 5, 20)
    facts = {"kind": "INVOICE", "status": "POSTED", "currency": "EUR", "amount": 123_450, "balance": 123_450}
    dates = {"issued_on": issued.isoformat(), "due_on": (issued + timedelta(31)).isoformat()}
    return {"id": f"sdo_{number}", "number": str(number), "location_id": None, **facts, **dates, **fields}


def payment(number: int = 1007, **fields: Any) -> Row:
    """200.00 EUR for the document, on 5 June 2026."""
    how = {"received_on": "2026-06-05", "method": "CHECK", "reference": "4711", "amount": 20_000}
    return {"id": f"pay_{number}", "sales_document_id": f"sdo_{number}", **how, **fields}


def long_statement(invoices: int, **fields: Any) -> Statement:
    """A statement with so many open invoices, one a day, of which the latest 30 are of June."""
    days = [JUNE.last - timedelta(number) for number in range(invoices)]
    rows = [
        document(number, issued_on=day.isoformat(), due_on=(day + timedelta(14)).isoformat())
        for number, day in enumerate(days)
    ]
    return statement(customer(**fields), JUNE, rows, [])
