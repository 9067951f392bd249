"""Assignments: for what a contact is referenced elsewhere, such as a job or a collection call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Text

from models.contact import Contact
from models.customer import Customer
from models.purpose import Purpose
from models.table import Audited, Row, SubjectType, encode, reference


class Assignment(Audited, tablename="assignment"):
    """A contact's purpose at its customer, as a whole or for one thing elsewhere: its type, ID and label there."""

    prefix = "asg"
    subject = SubjectType.ASSIGNMENT
    derived = frozenset({"reference_key"})
    taken = {"reference_key": ("contact_id", "This contact is assigned so already.")}

    customer_id = reference(Customer, null=False)
    contact_id = reference(Contact, null=False)
    purpose_id = reference(Purpose, null=False)
    reference_type = Text(null=True)
    reference_id = Text(null=True)
    reference_label = Text(null=True)
    reference_key = Text()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """What the reference is compared by: type and ID as they are written; empty without a reference."""
        if row["reference_id"] is None:
            return {"reference_key": ""}
        return {"reference_key": encode([row["reference_type"], row["reference_id"]])}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """What the reference is called; the names of contact and purpose stand in their own rows."""
        return str(row["reference_label"] or "assignment")

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The contact."""
        return str(row["contact_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer at whom the contact is."""
        return str(row["customer_id"])
