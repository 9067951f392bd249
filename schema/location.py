"""Locations: the places of a customer that have contacts of their own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from models import Permission
from models.listings import CONTACTS_OF_LOCATION
from schema.access import needs
from schema.connection import Connection
from schema.contact import Contact
from schema.field import plain, referred
from schema.filters import contacts
from schema.history import updated_at
from schema.node import Node
from schema.stored import Address, stored

if TYPE_CHECKING:
    from schema.customer import Customer


@strawberry.type(description="A place of a customer.", directives=[needs(Permission.CUSTOMERS_READ)])
class Location(Node):
    """A place of a customer."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "Whose place it is."
    )
    name: str = plain("Its name, unique at the customer.")
    address: Address | None = stored("address", "Its postal address.")
    contacts: Connection[Contact] = contacts(CONTACTS_OF_LOCATION, "The location contacts there.")
