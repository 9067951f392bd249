"""Documents: files on a customer. Their bytes are in the document storage, under their checksum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import BigInt, Text

from models import text
from models.customer import Customer
from models.table import Audited, Row, SubjectType, reference


class Document(Audited, tablename="document"):
    """What a file is called, and which bytes it has: their number, their SHA-256 in hexadecimal, their media type."""

    prefix = "doc"
    subject = SubjectType.DOCUMENT
    derived = frozenset({"name_key"})

    customer_id = reference(Customer, null=False)
    name = Text()
    name_key = Text()
    size = BigInt()
    sha256 = Text()
    media_type = Text()
    uploader_kind = Text()
    uploader_id = Text(null=True)
    uploader_name = Text()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key to sort by."""
        return {"name_key": text.key(row["name"])}

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The customer."""
        return str(row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer in whose profile the document stands."""
        return str(row["customer_id"])
