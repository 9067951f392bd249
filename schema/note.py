"""Notes: what users write down about a customer, one of its contacts or a sales document."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from models import Permission
from schema.access import needs
from schema.field import derived, plain, referred
from schema.history import updated_at
from schema.node import Node

if TYPE_CHECKING:
    from schema.actor import Actor
    from schema.contact import Contact
    from schema.customer import Customer
    from schema.sales_document import SalesDocument


@strawberry.type(
    description="An internal note. Every earlier text stays in history.", directives=[needs(Permission.NOTES_READ)]
)
class Note(Node):
    """An internal note."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was written.")
    updated_at: datetime = updated_at()
    body: str = plain("The text.")
    pinned: bool = plain("Whether it stands before the others.")
    author: Annotated[Actor, strawberry.lazy("schema.actor")] = derived(
        lambda row: {"kind": row["author_kind"], "id": row["author_id"], "name": row["author_name"]},
        "Who wrote it, as they were called then.",
    )
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id",
        models.Customer,
        "The customer whom it concerns; a note on a sales document is not among the customer's notes.",
    )
    contact: Annotated[Contact, strawberry.lazy("schema.contact")] | None = referred(
        "contact_id",
        models.Contact,
        "The contact whom it is about; null when it is about the customer or a sales document.",
    )
    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] | None = referred(
        "sales_document_id",
        models.SalesDocument,
        "The quote, order or invoice on which it stands; null for notes on customers and contacts.",
        access=needs(Permission.SALES_DOCUMENTS_READ),
    )
