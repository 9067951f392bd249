"""Notes: what users write down about a customer, one of its contacts or a sales document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Boolean, Text

from models.contact import Contact
from models.customer import Customer
from models.sales_document import SalesDocument
from models.table import Audited, SubjectType, reference


class Note(Audited, tablename="note"):
    """An internal note with its author as they were called then; every earlier text stays in history."""

    prefix = "not"
    subject = SubjectType.NOTE
    long = frozenset({"body"})

    customer_id = reference(Customer, null=False)
    contact_id = reference(Contact, null=True)
    sales_document_id = reference(SalesDocument, null=True)
    body = Text()
    pinned = Boolean()
    author_kind = Text()
    author_id = Text(null=True)
    author_name = Text()

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """A note has no name, and its text is not for everybody who reads history."""
        return "note"

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The contact, or else the customer."""
        return str(row["contact_id"] or row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer whom the note concerns."""
        return str(row["customer_id"])

    @staticmethod
    def sales_document_of(row: Mapping[str, Any]) -> str | None:
        """The sales document on which it stands, and not in the customer's profile."""
        return None if row["sales_document_id"] is None else str(row["sales_document_id"])
