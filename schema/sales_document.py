"""Sales documents (quotes, orders and invoices), and their payments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

import models
from models import PaymentMethod, Permission, Row, SalesDocumentKind, SalesDocumentStatus, pdf_link, signing_key
from models.listing import Condition, Listing
from models.listings import NOTES_OF_SALES_DOCUMENT, PAYMENTS_OF_SALES_DOCUMENT, sales_document_conditions
from models.pdf_link import PdfLink
from schema.access import Access, needs
from schema.connection import Connection, Direction, connection
from schema.context import Context
from schema.errors import check_reference
from schema.field import batched, derived, optional, plain, referred, required
from schema.history import HistoryEvent, history_of, updated_at
from schema.money import Money, amount_of
from schema.node import Node
from schema.note import Note

if TYPE_CHECKING:
    from schema.contact import Contact
    from schema.customer import Customer
    from schema.location import Location

SALES_DOCUMENTS_READ = needs(Permission.SALES_DOCUMENTS_READ)


def _open(row: Row) -> bool:
    return row["balance"] > 0 and (row["kind"], row["status"]) in (("ORDER", "RELEASED"), ("INVOICE", "POSTED"))


def _pdf_url(row: Row, secret: str, context: Context) -> Any:
    return pdf_link.address(PdfLink(row["id"], context.grantee_id or ""), secret)


@strawberry.type(description="Money that arrived for an order or an invoice.", directives=[SALES_DOCUMENTS_READ])
class Payment(Node):
    """Money that arrived for an order or an invoice."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was recorded.")
    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] = referred(
        "sales_document_id", models.SalesDocument, "What it was for."
    )
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "Who paid."
    )
    amount: Money = amount_of("amount", "How much, in the currency of the document.")
    received_on: date = plain("The day on which it arrived.")
    method: PaymentMethod = plain("How it arrived.")
    reference: str | None = plain("A check number, a transaction's ID; null when none was given.")


@strawberry.type(description="A quote, an order or an invoice.", directives=[SALES_DOCUMENTS_READ])
class SalesDocument(Node):
    """A quote, an order or an invoice."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created here.")
    updated_at: datetime = updated_at()
    kind: SalesDocumentKind = plain("Quote, order or invoice.")
    number: str = plain("Its number, unique among documents of its kind.")
    status: SalesDocumentStatus = plain("How far it has come.")
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "Who buys."
    )
    location: Annotated[Location, strawberry.lazy("schema.location")] | None = referred(
        "location_id", models.Location, "For which of the customer's locations; null for none in particular."
    )
    contact: Annotated[Contact, strawberry.lazy("schema.contact")] | None = referred(
        "contact_id", models.Contact, "Who placed it; null while no contact is applied."
    )
    contact_verified: bool = plain("Whether the contact was applied with their order password, as it was then.")
    issued_on: date = plain("The day that it bears.")
    due_on: date | None = plain("The day on which it is to be paid; null for none.")
    currency: str = plain("ISO 4217 code of all its amounts.")
    amount: Money = amount_of("amount", "What it comes to.")
    balance: Money = amount_of(
        "balance", "What is still to be paid: the amount without the payments. 0 for a quote and when VOID."
    )
    open: bool = derived(_open, "Whether it waits for money: a released order or a posted invoice with a balance.")
    released_at: datetime | None = plain("When it was released; null before that, and for invoices.")
    posted_at: datetime | None = plain("When it was posted; null before that, and for quotes.")
    pdf_url: str = batched(
        lambda _row: signing_key.DOWNLOADS,
        signing_key.by_names,
        "Where to download it as a PDF, as it is then: a path on this server, made when it is asked for. It works for"
        " five minutes and needs no other sign-in, as long as whoever asked for it is signed in and may read sales"
        " documents.",
        then=_pdf_url,
    )
    payments: Connection[Payment] = connection(
        PAYMENTS_OF_SALES_DOCUMENT, "Its payments, the latest first.", nested=True
    )
    notes: Connection[Note] = connection(
        NOTES_OF_SALES_DOCUMENT,
        "Internal notes on it, pinned ones first. They are not among those of the customer.",
        nested=True,
        access=needs(Permission.NOTES_READ),
    )
    history: Connection[HistoryEvent] = history_of(
        models.SalesDocument,
        "What happened to it, its payments and its notes, newest first. Not in the customer's History view.",
        access=needs(Permission.HISTORY_READ),
    )


@strawberry.input(description="Only sales documents that fit all of the fields.")
class SalesDocumentFilter:
    """Only sales documents that fit all of the fields."""

    customer_id: strawberry.ID | None = optional("Of this customer.")
    contact_id: strawberry.ID | None = optional("Placed by this contact.")
    location_id: strawberry.ID | None = optional("For this location.")
    kind: SalesDocumentKind | None = optional("Quotes, orders or invoices.")
    statuses: list[SalesDocumentStatus] | None = optional("With one of these statuses; an empty list finds nothing.")
    number: str | None = optional("With exactly this number, case ignored.")
    open: bool | None = optional("That wait for money (released orders, posted invoices with a balance), or not.")


@strawberry.enum(description="By what sales documents are ordered. Values may be added.")
class SalesDocumentOrderField(Enum):
    """By what sales documents are ordered."""

    NUMBER = strawberry.enum_value("NUMBER", description="By number, as text, case ignored.")
    ISSUED_ON = strawberry.enum_value("ISSUED_ON", description="By the day that they bear.")
    DUE_ON = strawberry.enum_value("DUE_ON", description="By due date; those without one come after the others.")
    BALANCE = strawberry.enum_value("BALANCE", description="By balance in minor units, whatever the currency.")


@strawberry.input(description="The order of sales documents.")
class SalesDocumentOrder:
    """The order of sales documents."""

    field: SalesDocumentOrderField = required("By what.")
    direction: Direction = required("In which direction.")


def _conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    for name, table in (
        ("customer_id", models.Customer),
        ("contact_id", models.Contact),
        ("location_id", models.Location),
    ):
        if wanted.get(name) is not None:
            check_reference(f"filter.{to_camel_case(name)}", wanted[name], table)
    return sales_document_conditions(wanted)


def sales_documents(listing: Listing, description: str, *, access: Access) -> Any:
    """Sales documents: those of the parent when the listing has one, else all."""
    return connection(
        listing,
        description,
        filter_type=SalesDocumentFilter,
        conditions=_conditions,
        order_type=SalesDocumentOrder,
        nested=listing.parent is not None,
        access=access,
    )
