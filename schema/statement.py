"""Statements of account: what customers were invoiced and paid in a month, and what was open at its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import PaymentMethod, Row, clock, pdf_link, signing_key
from models import statement as models_statement
from models.pdf_link import PdfLink
from models.statement import Period, StatementLineKind, month_period
from models.statement_rows import statements
from schema.access import PARENT, Access
from schema.connection import argument
from schema.context import Context, Info
from schema.errors import RequestError
from schema.field import batched, derived, plain, referred, with_signature
from schema.money import Money, amount_of

if TYPE_CHECKING:
    from schema.sales_document import SalesDocument

# All of a statement is in its PDF; answers have so much of it.
MOST_SECTIONS = 8
MOST_LINES = 100

_DOCUMENT = "sales_document_id"


@strawberry.type(description="What was open, by how long it was overdue.", directives=[PARENT])
class Ageing:
    """What was open, by how long it was overdue."""

    current: Money = amount_of("current", "Not yet due, or without a due date.")
    days1_to30: Money = amount_of("days_1_to_30", "1 to 30 days overdue.")
    days31_to60: Money = amount_of("days_31_to_60", "31 to 60 days overdue.")
    days61_to90: Money = amount_of("days_61_to_90", "61 to 90 days overdue.")
    over90_days: Money = amount_of("over_90_days", "More than 90 days overdue.")


@strawberry.type(description="An invoice, or a payment for one, in a statement.", directives=[PARENT])
class StatementLine:
    """An invoice, or a payment for one, in a statement."""

    day: date = plain("The day on which it counts: a payment in advance counts with its invoice.")
    kind: StatementLineKind = plain("Invoice or payment.")
    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] = referred(
        _DOCUMENT, models.SalesDocument, "The invoice, or what was paid."
    )
    number: str = plain("The number of the invoice.")
    amount: Money = amount_of("amount", "What it changed: below 0 for a payment.")
    balance: Money = amount_of("balance", "What the customer owed after it.")
    method: PaymentMethod | None = plain("How the payment arrived; null for an invoice.")
    reference: str | None = plain("The payment's check number or ID; null when none was given, and for an invoice.")


@strawberry.type(description="An invoice of which something was open.", directives=[PARENT])
class OpenItem:
    """An invoice of which something was open."""

    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] = referred(
        _DOCUMENT, models.SalesDocument, "The invoice."
    )
    number: str = plain("Its number.")
    issued_on: date = plain("The day that it bears.")
    due_on: date | None = plain("The day on which it was to be paid; null for none.")
    amount: Money = amount_of("amount", "What it comes to.")
    balance: Money = amount_of("balance", "What was open.")
    days_overdue: int = plain("For how many days it was overdue; 0 when it was not.")


@strawberry.type(description="A statement in one currency.", directives=[PARENT])
class StatementSection:
    """A statement in one currency."""

    currency: str = plain("ISO 4217 code of all its amounts.")
    opening: Money = amount_of("opening", "What was open before the first day.")
    lines: list[StatementLine] = derived(
        lambda section: section["lines"][-MOST_LINES:],
        f"What happened, by day: the latest {MOST_LINES}.",
        at_most=MOST_LINES,
    )
    line_count: int = derived(lambda section: len(section["lines"]), "How many lines there are.")
    closing: Money = amount_of("closing", "What was open at the end of the last day: the sum of all open items.")
    open_items: list[OpenItem] = derived(
        lambda section: section["open_items"][:MOST_LINES],
        f"The invoices that were open then, those due first before the others: {MOST_LINES} at most.",
        at_most=MOST_LINES,
    )
    open_item_count: int = derived(lambda section: len(section["open_items"]), "How many open items there are.")
    ageing: Ageing = plain("All open items, by how long they were overdue.")


def _pdf_url(statement: Row, secret: str, context: Context) -> Any:
    return pdf_link.address(PdfLink(statement["customer_id"], context.grantee_id or "", statement["month"]), secret)


@strawberry.type(description="A customer's statement of account as of the last day of a month.", directives=[PARENT])
class Statement:
    """A customer's statement of account as of the last day of a month."""

    month: str = plain("The month: YYYY-MM.")
    first_day: date = plain("The first day of the month.")
    as_of: date = plain("The last day of the month; today in UTC, while the month runs.")
    currencies: list[str] = plain("The currencies in which there is something to tell, the customer's own first.")
    sections: list[StatementSection] = derived(
        lambda statement: statement["sections"][:MOST_SECTIONS],
        f"A section for each currency, the first {MOST_SECTIONS}; none when nothing happened and nothing was open.",
        at_most=MOST_SECTIONS,
    )
    pdf_url: str = batched(
        lambda _statement: signing_key.DOWNLOADS,
        signing_key.by_names,
        "Where to download all of it as a PDF: a path on this server, made when it is asked for. It works for five"
        " minutes and needs no other sign-in, as long as whoever asked for it is signed in and may read sales"
        " documents.",
        then=_pdf_url,
    )


def statement_of_customer(description: str, *, access: Access) -> Any:
    """The statement of a customer in a month, of all customers of a page at once."""

    async def resolve(root: Row, info: Info, month: str | None) -> Any:
        period = _period(month)

        async def load(customer_ids: Sequence[str]) -> list[Row | None]:
            made = await statements(customer_ids, period)
            return [None if one is None else _statement_row(one) for one in made]

        return await info.context.loaders.load(("statement", period), load, root["id"])

    wanted = "The month as YYYY-MM; the running one if omitted."
    return strawberry.field(
        resolver=with_signature(resolve, {"month": (argument(str | None, wanted), None)}),
        description=description,
        directives=[access],
    )


def _period(month: str | None) -> Period:
    today = clock.now().date()
    try:
        return month_period(today.isoformat()[:7] if month is None else month, today)
    except ValueError as error:
        raise RequestError("BAD_REQUEST", f"month: {error}") from None


def _statement_row(statement: models_statement.Statement) -> Row:
    return {
        "customer_id": statement.customer["id"],
        "month": statement.month,
        "first_day": statement.period.first,
        "as_of": statement.as_of,
        "currencies": [section.currency for section in statement.sections],
        "sections": [_section_row(section) for section in statement.sections],
    }


def _section_row(section: models_statement.StatementSection) -> Row:
    currency = {"currency": section.currency}
    return {
        **vars(section),
        "lines": [{**vars(line), **currency, "kind": line.kind.value} for line in section.lines],
        "open_items": [{**vars(item), **currency} for item in section.open_items],
        "ageing": {**vars(section.ageing), **currency},
    }
