"""Contact roles: what a contact does, and which emails that brings."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from models import DesignationSource, Permission, WellKnownRole
from models.listings import CONTACTS_OF_ROLE
from models.rows import count_by
from schema.access import needs
from schema.connection import Connection
from schema.field import batched, plain
from schema.filters import contacts
from schema.history import updated_at
from schema.node import Node

if TYPE_CHECKING:
    from schema.contact import Contact


@strawberry.type(
    description="What a contact does at the customer. Its two designations decide which emails its contacts get.",
    directives=[needs(Permission.CUSTOMERS_READ)],
)
class ContactRole(Node):
    """What a contact does at the customer."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    name: str = plain("Its name, unique among contact roles.")
    well_known: WellKnownRole | None = plain("Which well-known role it is; null for a role of your own.")
    invoice_presentment: bool = plain("Whether its contacts get invoice delivery emails.")
    communication: bool = plain("Whether its contacts get reminders, workflow reminders and statements.")
    designated_by: DesignationSource = plain("Who decided the designations last; a sync never overwrites a user.")
    contact_count: int = batched(
        lambda row: row["id"], count_by(models.Contact, "role_id"), "How many contacts have it, inactive ones included."
    )
    contacts: Connection[Annotated[Contact, strawberry.lazy("schema.contact")]] = contacts(
        CONTACTS_OF_ROLE, "The contacts that have it."
    )
