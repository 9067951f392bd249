"""Customers: whom receivables are owed by."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Text

from models import likeness, text
from models.contact_method import preferred
from models.table import Audited, Json, Row, SubjectType, reference


class CustomerKind(Enum):
    """Whether a customer is a company or an individual."""

    COMPANY = "COMPANY"
    PERSON = "PERSON"


class AccountingSystem(Enum):
    """The accounting systems that customers and contacts sync from."""

    QUICKBOOKS_ONLINE = "QUICKBOOKS_ONLINE"
    QUICKBOOKS_DESKTOP = "QUICKBOOKS_DESKTOP"
    NETSUITE = "NETSUITE"


class OriginKind(Enum):
    """Whether a row was made here or an accounting system delivers it."""

    LOCAL = "LOCAL"
    SYNCED = "SYNCED"


class PaymentResponsibility(Enum):
    """Who in the tree of customers pays: what a customer says counts for itself only."""

    BUYER = "BUYER"
    IMMEDIATE_PARENT = "IMMEDIATE_PARENT"
    TOP_LEVEL_PARENT = "TOP_LEVEL_PARENT"


class CustomerField(Enum):
    """What a customer can take over from another one that is merged into it."""

    NAME = "NAME"
    KIND = "KIND"
    WEBSITE = "WEBSITE"
    BILLING_ADDRESS = "BILLING_ADDRESS"
    SHIPPING_ADDRESS = "SHIPPING_ADDRESS"
    TAX_ID = "TAX_ID"
    PAYMENT_TERMS = "PAYMENT_TERMS"
    CURRENCY = "CURRENCY"
    PARENT = "PARENT"
    PREFERENCES = "PREFERENCES"


class Customer(Audited, tablename="customer"):
    """A company or an individual. `accounting` keeps what the accounting system says, word for word."""

    prefix = "cus"
    subject = SubjectType.CUSTOMER
    unread = frozenset({"search_key", "email_key", "phone_key", "tax_key", "city_key", "match_key"})
    derived = frozenset(
        {"name_key", "email", "phone", "search_key", "email_key", "phone_key", "tax_key", "city_key", "match_key"}
    )
    replaced_by = "merged_into_id"
    added = {"payment_responsibility": PaymentResponsibility.BUYER.value}
    texts = {"payment_responsibility": lambda value: str(value).replace("_", " ").lower()}

    name = Text()
    name_key = Text()
    kind = Text()
    methods = Json()
    email = Text(null=True)
    phone = Text(null=True)
    website = Text(null=True)
    billing_address = Json(null=True)
    shipping_address = Json(null=True)
    active = Boolean()
    origin_system = Text(null=True)
    origin_external_id = Text(null=True)
    accounting = Json(null=True)
    search_key = Text()
    parent_id = reference("self", null=True)
    payment_responsibility = Text()
    payment_terms = Text(null=True)
    currency = Text(null=True)
    tax_id = Text(null=True)
    email_key = Text(null=True)
    phone_key = Text(null=True)
    tax_key = Text(null=True)
    city_key = Text(null=True)
    match_key = Text(null=True)
    merged_into_id = reference("self", null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """Sort and search keys, the preferred email and phone, and the keys that duplicates share."""
        values = [method["value"] for method in row["methods"]]
        return {
            "name_key": text.key(row["name"]),
            "email": preferred(row["methods"], "EMAIL"),
            "phone": preferred(row["methods"], "PHONE"),
            "search_key": text.search_key([row["name"], row["origin_external_id"], *values]),
            **likeness.keys(row),
        }

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """Itself."""
        return str(row["id"])
