"""Customers: whom receivables are owed by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry

from models import CustomerKind, Permission, Row
from models.listings import CONTACTS_OF_CUSTOMER, LOCATIONS_OF_CUSTOMER, NOTES_OF_CUSTOMER
from models.rows import primary_contacts
from schema.access import PARENT, needs
from schema.connection import Connection, connection
from schema.contact import Contact
from schema.field import batched, derived, plain
from schema.filters import contacts
from schema.history import HistoryEvent, history_of, updated_at
from schema.location import Location
from schema.node import Node
from schema.note import Note
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
    methods: list[ContactMethod] = stored("methods", "The customer's own email addresses and numbers, in their order.")
    website: str | None = plain("Web address.")
    billing_address: Address | None = stored("billing_address", "Where bills go.")
    shipping_address: Address | None = stored("shipping_address", "Where goods go.")
    active: bool = plain("False for a customer who is kept for history only.")
    origin: Origin = origin()
    accounting: AccountingFacts | None = derived(
        lambda row: stored_json(row["accounting"]), "What the accounting system says; null when it was made here."
    )
    primary_contact: Contact | None = batched(
        lambda row: row["id"], primary_contacts, "The primary contact; null while there is no active contact."
    )
    contacts: Connection[Contact] = contacts(CONTACTS_OF_CUSTOMER, "Its contacts, those at locations included.")
    locations: Connection[Location] = connection(LOCATIONS_OF_CUSTOMER, "Its locations, by name.", nested=True)
    notes: Connection[Note] = connection(
        NOTES_OF_CUSTOMER,
        "Internal notes on the customer and its contacts, pinned ones first.",
        nested=True,
        access=needs(Permission.NOTES_READ),
    )
    history: Connection[HistoryEvent] = history_of(
        "The History view: what happened to the customer and what belongs to it, newest first.",
        access=needs(Permission.HISTORY_READ),
    )
