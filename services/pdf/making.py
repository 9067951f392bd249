"""Making PDFs: of rows that somebody has read, or of what an id names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models import Customer, Location, Row, SalesDocument, Settings
from models.preferences import SETTINGS_ID
from models.rows import by_ids
from models.statement import Period, Statement
from models.statement_rows import payments_of, statements
from services.pdf import sales_documents, wording
from services.pdf import statements as statement_layout
from services.pdf.compiling import compiled


@dataclass(frozen=True)
class File:
    """A PDF, and what it is called: `Invoice 1042.pdf`."""

    name: str
    data: bytes


async def invoice(
    settings: Row, customer: Row, document: Row, payments: Sequence[Row], location: Row | None = None
) -> bytes:
    """The PDF of an invoice, an order or a quote. `payments` are all of its payments, `location` is the one it is for.

    Equal rows make equal bytes. JSON columns may be text or values.
    """
    data = sales_documents.data(settings, customer, document, payments, location)
    return await compiled(sales_documents.LAYOUT, data, sales_documents.day(document))


async def statement(settings: Row, of: Statement) -> bytes:
    """The PDF of a statement. Equal data make equal bytes."""
    return await compiled(statement_layout.LAYOUT, statement_layout.data(settings, of), of.as_of)


async def of_sales_document(identifier: str) -> File | None:
    """The PDF of a sales document as it is now; None when there is none with this id. Outside of transactions."""
    [document] = await by_ids(SalesDocument)([identifier])
    if document is None:
        return None
    [settings] = await by_ids(Settings)([SETTINGS_ID])
    [customer] = await by_ids(Customer)([document["customer_id"]])
    [payments] = await payments_of([identifier])
    location = None
    if document["location_id"] is not None:
        [location] = await by_ids(Location)([document["location_id"]])
    if settings is None or customer is None:
        return None
    made = await invoice(settings, customer, document, payments, location)
    return File(_name(document), made)


async def name_of_sales_document(identifier: str) -> str | None:
    """What the PDF of a sales document is called, without making it; None when there is none with this id."""
    [document] = await by_ids(SalesDocument)([identifier])
    return None if document is None else _name(document)


async def of_statement(customer_id: str, period: Period) -> File | None:
    """The PDF of a customer's statement; None when there is no customer with this id. Outside of transactions."""
    [settings] = await by_ids(Settings)([SETTINGS_ID])
    [found] = await statements([customer_id], period)
    if settings is None or found is None:
        return None
    return File(_statement_name(period), await statement(settings, found))


async def name_of_statement(customer_id: str, period: Period) -> str | None:
    """What the PDF of a statement is called, without making it; None when there is no customer with this id."""
    [customer] = await by_ids(Customer)([customer_id])
    return None if customer is None else _statement_name(period)


def _name(document: Row) -> str:
    return wording.file_name(sales_documents.title(document))


def _statement_name(period: Period) -> str:
    return wording.file_name("Statement", period.last.isoformat())
