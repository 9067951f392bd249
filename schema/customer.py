"""Customers: whom receivables are owed by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry

import models
from models import CustomerKind, PaymentResponsibility, Permission, Row
from models.communication_lists import COMMUNICATIONS_OF_CUSTOMER
from models.contact_method import METHOD_LIMIT
from models.hierarchy import payers
from models.listings import (
    ASSIGNMENTS_OF_CUSTOMER,
    CHILDREN_OF_CUSTOMER,
    CONTACTS_OF_CUSTOMER,
    DOCUMENTS_OF_CUSTOMER,
    LOCATIONS_OF_CUSTOMER,
    MERGED_INTO_CUSTOMER,
    NOTES_OF_CUSTOMER,
    SALES_DOCUMENTS_OF_CUSTOMER,
)
from models.rows import primary_contacts
from schema.access import PARENT, needs
from schema.communication import Communication
from schema.communication_log import communications
from schema.connection import Connection, connection
from schema.contact import Contact
from schema.document import Document, DocumentOrder
from schema.duplicate import ProbableDuplicate, duplicates_of
from schema.field import batched, derived, plain, referred
from schema.filters import contacts
from schema.history import HistoryEvent, history_of, updated_at
from schema.location import Location
from schema.node import Node
from schema.note import Note
from schema.preferences import Preferences, preferences
from schema.purpose import Assignment, assignments
from schema.sales_document import SALES_DOCUMENTS_READ, SalesDocument, sales_documents
from schema.statement import Statement, statement_of_customer
from schema.stored import Address, ContactMethod, Origin, origin, stored, stored_json


def _fact(name: str) -> Callable[[Row], Any]:
    return lambda facts: facts.get(name)


@strawberry.type(
    description="What the accounting system says about a customer, and is read-only here.", directives=[PARENT]
)
class AccountingFacts:
    """What the accounting system says about a customer."""

    payment_terms_id: str | None = derived(_fact("payment_terms_id"), "The payment terms' ID in that system.")
    payment_terms_name: str | None = derived(_fact("payment_terms_name"), "The payment terms, e.g. “Net 30”.")
    currency: str | None = derived(_fact("currency"), "ISO 4217 code of the customer's currency.")
    parent_external_id: str | None = derived(
        _fact("parent_external_id"), "The ID of the parent customer in that system; null at the top."
    )
    bill_with_parent: bool | None = derived(_fact("bill_with_parent"), "Whether the parent gets the bills.")
    fully_qualified_name: str | None = derived(
        _fact("fully_qualified_name"), "The name with those of its parents, as that system writes it."
    )


@strawberry.type(description="A company or an individual.", directives=[needs(Permission.CUSTOMERS_READ)])
class Customer(Node):
    """A company or an individual."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    kind: CustomerKind = plain("Company or individual.")
    name: str = plain("The customer's name.")
    email: str | None = plain("The preferred email address among `methods`.")
    phone: str | None = plain("The preferred phone number among `methods`, in E.164.")
    methods: list[ContactMethod] = stored(
        "methods", "The customer's own email addresses and numbers, in their order.", at_most=METHOD_LIMIT
    )
    website: str | None = plain("Web address.")
    billing_address: Address | None = stored("billing_address", "Where bills go.")
    shipping_address: Address | None = stored("shipping_address", "Where goods go.")
    tax_id: str | None = plain("VAT number, EIN or another tax ID, as it is written.")
    active: bool = plain("False for a deactivated customer: a mark to filter by, and not a lock; also when merged.")
    origin: Origin = origin()
    accounting: AccountingFacts | None = derived(
        lambda row: stored_json(row["accounting"]), "What the accounting system says; null when it was made here."
    )
    parent: Annotated[Customer, strawberry.lazy("schema.customer")] | None = referred(
        "parent_id", models.Customer, "The customer above it; null at the top."
    )
    children: Connection[Annotated[Customer, strawberry.lazy("schema.customer")]] = connection(
        CHILDREN_OF_CUSTOMER, "The customers right below it, by name.", nested=True
    )
    payment_responsibility: PaymentResponsibility = plain("Who in the tree pays for it.")
    payer: Annotated[Customer, strawberry.lazy("schema.customer")] = batched(
        lambda row: row["id"],
        payers,
        "Who pays for it, by its payment responsibility: itself, its parent, or the customer at the top.",
        # A way up without an end was forced past the product: then everybody pays for themself.
        then=lambda row, payer, _: payer or row,
    )
    payment_terms: str | None = plain("Payment terms, e.g. “Net 30”; from the accounting system while synced.")
    currency: str | None = plain("Preferred currency: ISO 4217; from the accounting system while synced.")
    preferences: Preferences = preferences()
    primary_contact: Contact | None = batched(
        lambda row: row["id"], primary_contacts, "The primary contact; null while there is no active contact."
    )
    contacts: Connection[Contact] = contacts(CONTACTS_OF_CUSTOMER, "Its contacts, those at locations included.")
    locations: Connection[Location] = connection(LOCATIONS_OF_CUSTOMER, "Its locations, by name.", nested=True)
    assignments: Connection[Assignment] = assignments(
        ASSIGNMENTS_OF_CUSTOMER, "What its contacts are assigned for, oldest first: whom to ask about what."
    )
    notes: Connection[Note] = connection(
        NOTES_OF_CUSTOMER,
        "Internal notes on the customer and its contacts, pinned ones first; those on sales documents are there.",
        nested=True,
        access=needs(Permission.NOTES_READ),
    )
    documents: Connection[Document] = connection(
        DOCUMENTS_OF_CUSTOMER,
        "Its documents, by name if not asked for otherwise.",
        order_type=DocumentOrder,
        nested=True,
        access=needs(Permission.DOCUMENTS_READ),
    )
    sales_documents: Connection[SalesDocument] = sales_documents(
        SALES_DOCUMENTS_OF_CUSTOMER, "Its quotes, orders and invoices, newest first.", access=SALES_DOCUMENTS_READ
    )
    statement: Statement = statement_of_customer(
        "Its statement of account: what was invoiced and paid in a month, and what was open at its end.",
        access=SALES_DOCUMENTS_READ,
    )
    communications: Connection[Communication] = communications(
        COMMUNICATIONS_OF_CUSTOMER,
        "The communication log: what was sent to it and to the customers merged into it, newest first.",
    )
    merged_into: Annotated[Customer, strawberry.lazy("schema.customer")] | None = referred(
        "merged_into_id",
        models.Customer,
        "The customer into whom it was merged, and who has all that belonged to it; null for one that was not. A merged"
        " customer cannot be changed any more.",
    )
    merged_customers: Connection[Annotated[Customer, strawberry.lazy("schema.customer")]] = connection(
        MERGED_INTO_CUSTOMER,
        "The customers that were merged into it, by name, those of earlier merges too.",
        nested=True,
    )
    probable_duplicates: list[ProbableDuplicate] = duplicates_of()
    history: Connection[HistoryEvent] = history_of(
        models.Customer,
        "The History view: what happened to the customer, what belongs to it, and the customers merged into it, newest"
        " first. What happened on a quote, order or invoice stands in that document's own history.",
        access=needs(Permission.HISTORY_READ),
    )
