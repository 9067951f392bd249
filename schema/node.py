"""Objects with a global ID. The ID's prefix tells the type, also for whoever reads a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo

from audit import Actor
from audit.table import Event
from models import (
    ApiKey,
    Assignment,
    Communication,
    Contact,
    ContactRole,
    Customer,
    Delivery,
    Document,
    Location,
    Note,
    Payment,
    Permission,
    Preferences,
    Purpose,
    ReminderWorkflow,
    Row,
    SalesDocument,
    Settings,
    Template,
    User,
    UserRole,
)
from models.identifier import EVENT_PREFIX, prefix_of
from schema.access import PARENT
from schema.context import Context
from schema.field import plain

# Prefix → name of the GraphQL type, and the permission without which such an object is not shown.
TYPES: Mapping[str, tuple[str, Permission]] = {
    Customer.prefix: ("Customer", Permission.CUSTOMERS_READ),
    Location.prefix: ("Location", Permission.CUSTOMERS_READ),
    Contact.prefix: ("Contact", Permission.CUSTOMERS_READ),
    ContactRole.prefix: ("ContactRole", Permission.CUSTOMERS_READ),
    SalesDocument.prefix: ("SalesDocument", Permission.SALES_DOCUMENTS_READ),
    Payment.prefix: ("Payment", Permission.SALES_DOCUMENTS_READ),
    Purpose.prefix: ("Purpose", Permission.CUSTOMERS_READ),
    Assignment.prefix: ("Assignment", Permission.CUSTOMERS_READ),
    Note.prefix: ("Note", Permission.NOTES_READ),
    ReminderWorkflow.prefix: ("ReminderWorkflow", Permission.CUSTOMERS_READ),
    Settings.prefix: ("Settings", Permission.CUSTOMERS_READ),
    Preferences.prefix: ("Preferences", Permission.CUSTOMERS_READ),
    Document.prefix: ("Document", Permission.DOCUMENTS_READ),
    Template.prefix: ("Template", Permission.COMMUNICATIONS_READ),
    Communication.prefix: ("Communication", Permission.COMMUNICATIONS_READ),
    Delivery.prefix: ("Delivery", Permission.COMMUNICATIONS_READ),
    User.prefix: ("User", Permission.USERS_READ),
    UserRole.prefix: ("UserRole", Permission.USERS_READ),
    ApiKey.prefix: ("ApiKey", Permission.USERS_READ),
    EVENT_PREFIX: ("HistoryEvent", Permission.AUDIT_READ),
}


def shown_to(actor: Actor | None, row: Row | None) -> Row | None:
    """The row of a type that the actor may see, unless it stands on a sales document, or is an email that tells of
    some, and they may not see those.
    """
    if row is None or not row.get("about_sales", row.get("sales_document_id") is not None):
        return row
    return row if actor is not None and actor.may(Permission.SALES_DOCUMENTS_READ) else None


def if_shown(_row: Row, referred: Row | None, context: Context) -> Row | None:
    """What a field refers to, when the viewer may see it: what stands on a sales document is part of it."""
    return shown_to(context.actor, referred)


@strawberry.interface(description="An object with a global ID.", directives=[PARENT])
class Node:
    """An object with a global ID."""

    id: strawberry.ID = plain("The object's ID: globally unique, ascending in time, its prefix tells the type.")

    @classmethod
    def resolve_type(cls, row: Mapping[str, Any], _info: GraphQLResolveInfo[Any], _type: GraphQLAbstractType) -> str:
        """The name of the row's type, by the prefix of its id."""
        if Event.seq._meta.name in row:
            return TYPES[EVENT_PREFIX][0]
        return TYPES[prefix_of(row["id"]) or ""][0]
