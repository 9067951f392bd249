"""Purposes, and what contacts are assigned for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import Permission, WellKnownPurpose
from models.listing import Condition, Listing
from models.listings import assignment_conditions
from models.rows import count_by
from schema.access import PARENT, needs
from schema.connection import connection
from schema.errors import check_reference
from schema.field import batched, derived, optional, plain, referred
from schema.history import updated_at
from schema.node import Node

if TYPE_CHECKING:
    from schema.contact import Contact
    from schema.customer import Customer


@strawberry.type(
    description="What contacts are referenced for elsewhere.", directives=[needs(Permission.CUSTOMERS_READ)]
)
class Purpose(Node):
    """What contacts are referenced for elsewhere."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    name: str = plain("Its name, unique among purposes.")
    well_known: WellKnownPurpose | None = plain("Which well-known purpose it is; null for a purpose of your own.")
    single: bool = plain("Whether it has at most one contact for each customer and reference.")
    assignment_count: int = batched(
        lambda row: row["id"], count_by(models.Assignment, "purpose_id"), "How many contacts are assigned for it."
    )


@strawberry.type(
    description="One thing elsewhere that a contact is assigned for, such as a job or a service request.",
    directives=[PARENT],
)
class Reference:
    """One thing elsewhere that a contact is assigned for."""

    type: str = derived(lambda row: row["reference_type"], "What it is, e.g. “job”.")
    id: strawberry.ID = derived(lambda row: row["reference_id"], "Its ID there.")
    label: str = derived(lambda row: row["reference_label"], "What it is called.")


@strawberry.type(
    description="What a contact is assigned for at its customer. It stays while the contact is inactive.",
    directives=[needs(Permission.CUSTOMERS_READ)],
)
class Assignment(Node):
    """What a contact is assigned for at its customer."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    purpose: Purpose = referred("purpose_id", models.Purpose, "What for.")
    contact: Annotated[Contact, strawberry.lazy("schema.contact")] = referred("contact_id", models.Contact, "Who.")
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "At which customer."
    )
    reference: Reference | None = derived(
        lambda row: row if row["reference_id"] is not None else None,
        "For which thing elsewhere; null when it is for the customer as a whole.",
    )


@strawberry.input(description="Only assignments that fit all of the fields.")
class AssignmentFilter:
    """Only assignments that fit all of the fields."""

    purpose_id: strawberry.ID | None = optional("For this purpose.")
    well_known: WellKnownPurpose | None = optional("For this well-known purpose.")


def assignments(listing: Listing, description: str) -> Any:
    """The assignments of the parent, oldest first."""
    return connection(listing, description, filter_type=AssignmentFilter, conditions=_conditions, nested=True)


def _conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    if wanted.get("purpose_id") is not None:
        check_reference("filter.purposeId", wanted["purpose_id"], models.Purpose)
    return assignment_conditions(wanted)
