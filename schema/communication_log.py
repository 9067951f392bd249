"""The communication log: lists of communications, by what they are filtered, and who sees which."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

import models
from models import CommunicationKind, DeliveryStatus, Permission
from models.communication_lists import NOT_ABOUT_SALES, communication_conditions
from models.listing import Condition, Listing
from schema.access import needs
from schema.connection import connection
from schema.context import Context
from schema.errors import check_reference
from schema.field import optional


@strawberry.input(description="Only communications that fit all of the fields.")
class CommunicationFilter:
    """Only communications that fit all of the fields."""

    customer_id: strawberry.ID | None = optional("To this customer, or to one that was merged into it.")
    sales_document_id: strawberry.ID | None = optional("About this quote, order or invoice.")
    contact_id: strawberry.ID | None = optional("With this contact among the recipients.")
    email: str | None = optional("With exactly this address among those that were written to, case ignored.")
    kinds: list[CommunicationKind] | None = optional("Of one of these kinds; an empty list finds nothing.")
    statuses: list[DeliveryStatus] | None = optional(
        "With a recipient whose email has one of these statuses; an empty list finds nothing."
    )
    has_problem: bool | None = optional("With an email that bounced or failed, or without any.")
    suppressed: bool | None = optional("That were not sent to anybody, or that were.")
    from_: datetime | None = optional("Not before this time.", name="from")
    to: datetime | None = optional("Before this time. Exclusive.")


_REFERENCES = {
    "customer_id": models.Customer,
    "sales_document_id": models.SalesDocument,
    "contact_id": models.Contact,
}


def _conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    for name, table in _REFERENCES.items():
        if wanted.get(name) is not None:
            check_reference(f"filter.{to_camel_case(name)}", wanted[name], table)
    return communication_conditions(wanted)


def _shown(context: Context) -> list[Condition]:
    """What tells of sales documents is shown to those who may see them."""
    sees = context.actor is not None and context.actor.may(Permission.SALES_DOCUMENTS_READ)
    return [] if sees else [NOT_ABOUT_SALES]


def communications(listing: Listing, description: str) -> Any:
    """Communications: those of the parent when the listing has one, else all."""
    return connection(
        listing,
        f"{description} Those that tell of sales documents, as statements do, are left out without"
        " SALES_DOCUMENTS_READ.",
        filter_type=CommunicationFilter,
        conditions=_conditions,
        nested=listing.nested,
        access=needs(Permission.COMMUNICATIONS_READ),
        shown=_shown,
    )
