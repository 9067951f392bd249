"""By what lists are filtered and ordered."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from models import CommunicationKind, ContactLevel, ContactRole, Customer, CustomerKind, OriginKind, Purpose
from models.communication_kind import DESIGNATION
from models.listing import Condition, Listing
from models.listings import CUSTOMERS, contact_conditions, customer_conditions
from schema.access import Access
from schema.connection import Direction, connection
from schema.errors import RequestError, check_reference
from schema.field import optional, required


@strawberry.input(description="Only customers that fit all of the fields.")
class CustomerFilter:
    """Only customers that fit all of the fields."""

    kind: CustomerKind | None = optional("Company or individual.")
    origin: OriginKind | None = optional("Made here, or synced.")
    active: bool | None = optional("Active, or not.")
    parent_id: strawberry.ID | None = optional("Right below this customer.")
    has_parent: bool | None = optional("Below another customer, or at the top.")
    has_no_recipient_for: CommunicationKind | None = optional(
        "Of whom nobody gets emails of this kind, by role, switches, states and addresses of the contacts, wherever"
        " what they are about is. Not WELCOME or SET_PASSWORD. An inactive customer gets none: see `active`."
    )
    merged: bool | None = optional("Only those that were merged into another; if omitted or false, only the others.")


@strawberry.enum(description="By what customers are ordered. Values may be added.")
class CustomerOrderField(Enum):
    """By what customers are ordered."""

    NAME = strawberry.enum_value("NAME", description="By name, case ignored.")
    CREATED_AT = strawberry.enum_value("CREATED_AT", description="By the time they were created.")


@strawberry.input(description="The order of customers.")
class CustomerOrder:
    """The order of customers."""

    field: CustomerOrderField = required("By what.")
    direction: Direction = required("In which direction.")


@strawberry.input(description="Only contacts that fit all of the fields.")
class ContactFilter:
    """Only contacts that fit all of the fields."""

    customer_id: strawberry.ID | None = optional("At this customer.")
    role_id: strawberry.ID | None = optional("With this contact role.")
    has_role: bool | None = optional("With any contact role, or without one.")
    invoice_presentment: bool | None = optional("Whose role has this designation, or not; no role counts as not.")
    communication: bool | None = optional("Whose role has this designation, or not; no role counts as not.")
    origin: OriginKind | None = optional("Made here, or synced.")
    purpose_id: strawberry.ID | None = optional("Assigned for this purpose.")
    level: ContactLevel | None = optional("Customer contacts, or location contacts.")
    active: bool | None = optional("Active, or not.")
    priority: int | None = optional("With exactly this priority.")
    receives: CommunicationKind | None = optional(
        "Who gets emails of this kind, wherever what they are about is. Not WELCOME or SET_PASSWORD."
    )


@strawberry.enum(description="By what contacts are ordered. Values may be added.")
class ContactOrderField(Enum):
    """By what contacts are ordered."""

    NAME = strawberry.enum_value("NAME", description="By last name, then first name, case ignored.")
    EMAIL = strawberry.enum_value("EMAIL", description="By preferred email address; those without one come first.")
    PRIORITY = strawberry.enum_value("PRIORITY", description="By priority, lowest first; those without one last.")
    CREATED_AT = strawberry.enum_value("CREATED_AT", description="By the time they were created.")


@strawberry.input(description="The order of contacts.")
class ContactOrder:
    """The order of contacts."""

    field: ContactOrderField = required("By what.")
    direction: Direction = required("In which direction.")


def customers(description: str, *, access: Access) -> Any:
    """All customers; those that were merged into others only when the filter asks for them."""
    return connection(
        CUSTOMERS,
        description,
        filter_type=CustomerFilter,
        conditions=_customer_conditions,
        order_type=CustomerOrder,
        search=True,
        access=access,
    )


def contacts(listing: Listing, description: str, *, access: Access | None = None) -> Any:
    """Contacts: those of the parent when the listing has one, else all."""
    return connection(
        listing,
        description,
        filter_type=ContactFilter,
        conditions=_contact_conditions,
        order_type=ContactOrder,
        search=True,
        nested=listing.parent is not None,
        access=access,
    )


def _customer_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    if wanted.get("parent_id") is not None:
        check_reference("filter.parentId", wanted["parent_id"], Customer)
    _check_kind("hasNoRecipientFor", wanted.get("has_no_recipient_for"))
    return customer_conditions(wanted)


def _contact_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    for name, table in (("customer_id", Customer), ("role_id", ContactRole), ("purpose_id", Purpose)):
        if wanted.get(name) is not None:
            check_reference(f"filter.{to_camel_case(name)}", wanted[name], table)
    _check_kind("receives", wanted.get("receives"))
    return contact_conditions(wanted)


def _check_kind(name: str, kind: CommunicationKind | None) -> None:
    if kind is not None and kind not in DESIGNATION:
        raise RequestError("BAD_REQUEST", f"filter.{name}: {kind.value} goes to the contact that it is about.")
