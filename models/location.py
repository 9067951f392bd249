"""Locations: the places of a customer that have contacts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Text

from models import text
from models.customer import Customer
from models.table import Audited, Json, Row, SubjectType, reference


class Location(Audited, tablename="location"):
    """A named place of a customer; its name is unique there."""

    prefix = "loc"
    subject = SubjectType.LOCATION
    derived = frozenset({"name_key"})
    taken = {"name_key": ("name", "This customer has a location of this name already.")}

    customer_id = reference(Customer, null=False)
    name = Text()
    name_key = Text()
    address = Json(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the name unique."""
        return {"name_key": text.key(row["name"])}

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The customer."""
        return str(row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer whose place it is."""
        return str(row["customer_id"])
