"""Sales documents (quotes, orders and invoices), and the payments that they receive."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import BigInt, Boolean, Text, Timestamptz

from models import money, text
from models.contact import Contact
from models.customer import Customer
from models.location import Location
from models.table import Audited, Row, SubjectType, reference


class SalesDocumentKind(Enum):
    """What a sales document is."""

    QUOTE = "QUOTE"
    ORDER = "ORDER"
    INVOICE = "INVOICE"


class SalesDocumentStatus(Enum):
    """How far a sales document has come."""

    DRAFT = "DRAFT"
    RELEASED = "RELEASED"
    POSTED = "POSTED"
    PAID = "PAID"
    VOID = "VOID"


class PaymentMethod(Enum):
    """How a payment arrived."""

    CARD = "CARD"
    ACH = "ACH"
    CHECK = "CHECK"
    CASH = "CASH"
    TRANSFER = "TRANSFER"
    OTHER = "OTHER"


class SalesDocument(Audited, tablename="sales_document"):
    """A quote, an order or an invoice. `amount` and `balance` are minor units of `currency`, dates are ISO 8601.

    `contact_id` is who placed it; `contact_verified` says that the contact was applied with the order password.
    """

    prefix = "sdo"
    subject = SubjectType.SALES_DOCUMENT
    derived = frozenset({"number_key"})
    taken = {"number_key": ("number", "Another sales document of this kind has this number.")}
    money = {"amount": "currency", "balance": "currency"}
    texts = {"status": lambda value: str(value).lower(), "kind": lambda value: str(value).lower()}

    customer_id = reference(Customer, null=False)
    location_id = reference(Location, null=True)
    contact_id = reference(Contact, null=True)
    contact_verified = Boolean()
    kind = Text()
    number = Text()
    number_key = Text()
    status = Text()
    issued_on = Text()
    due_on = Text(null=True)
    currency = Text()
    amount = BigInt()
    balance = BigInt()
    released_at = Timestamptz(null=True)
    posted_at = Timestamptz(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the number unique among documents of the kind."""
        return {"number_key": text.key(row["number"])}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """Kind and number: `invoice 1007`."""
        return f"{row['kind'].lower()} {row['number']}"

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The customer."""
        return str(row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer who buys."""
        return str(row["customer_id"])

    @staticmethod
    def sales_document_of(row: Mapping[str, Any]) -> str | None:
        """Itself."""
        return str(row["id"])


class Payment(Audited, tablename="payment"):
    """Money that arrived for an order or an invoice, in the currency of the document."""

    prefix = "pay"
    subject = SubjectType.PAYMENT
    money = {"amount": "currency"}

    sales_document_id = reference(SalesDocument, null=False)
    customer_id = reference(Customer, null=False)
    amount = BigInt()
    currency = Text()
    received_on = Text()
    method = Text()
    reference = Text(null=True)

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """The amount: `payment of 120.00 EUR`."""
        return f"payment of {money.text(row['amount'], row['currency'])}"

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The customer."""
        return str(row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer who paid."""
        return str(row["customer_id"])

    @staticmethod
    def sales_document_of(row: Mapping[str, Any]) -> str | None:
        """What was paid."""
        return str(row["sales_document_id"])
