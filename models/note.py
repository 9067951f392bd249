"""Notes: what users write down about a customer or one of its contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Boolean, Text

from models.contact import Contact
from models.customer import Customer
from models.table import Audited, SubjectType, reference


class Note(Audited, tablename="note"):
    """An internal note with its author as they were called then; every earlier text stays in history."""

    prefix = "not"
    subject = SubjectType.NOTE
    long = frozenset({"body"})

    customer_id = reference(Customer, null=False)
    contact_id = reference(Contact, null=True)
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
        """The customer in whose profile the note stands."""
        return str(row["customer_id"])
