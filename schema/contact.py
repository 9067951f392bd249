"""Contacts: the people at a customer or at one of its locations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import ContactLevel, ContactMethodKind, Permission
from models.communication_lists import COMMUNICATIONS_OF_CONTACT
from models.contact_method import METHOD_LIMIT
from models.listings import ASSIGNMENTS_OF_CONTACT, NOTES_OF_CONTACT, SALES_DOCUMENTS_OF_CONTACT
from models.rows import by_ids
from schema.access import needs
from schema.communication import Communication
from schema.communication_log import communications
from schema.connection import Connection, connection
from schema.contact_role import ContactRole
from schema.email_problem import EmailProblem, email_problem
from schema.field import batched, derived, plain, referred
from schema.history import HistoryEvent, history_of, updated_at
from schema.node import Node
from schema.note import Note
from schema.order_password import OrderPassword
from schema.purpose import Assignment, assignments
from schema.recipient import PortalAccess, Reception, access_to_portal, receives
from schema.sales_document import SALES_DOCUMENTS_READ, SalesDocument, sales_documents
from schema.same_person import same_person
from schema.stored import Address, ContactMethod, Origin, origin, stored
from schema.switch import NotificationSwitch, PortalPermission, switches_of_contact

if TYPE_CHECKING:
    from schema.customer import Customer
    from schema.location import Location


def _designation(name: str, description: str) -> Any:
    """A designation of the contact's role; false without a role."""
    return batched(
        # No key would make the field null: a contact without a role asks for a role that nobody has.
        lambda row: row["role_id"] or "",
        by_ids(models.ContactRole),
        description,
        then=lambda _, role, __: role is not None and role[name],
    )


@strawberry.type(
    description="A person at a customer or at one of its locations.", directives=[needs(Permission.CUSTOMERS_READ)]
)
class Contact(Node):
    """A person at a customer or at one of its locations."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "At whom the contact is."
    )
    location: Annotated[Location, strawberry.lazy("schema.location")] | None = referred(
        "location_id", models.Location, "At which of the customer's locations; null for a customer contact."
    )
    level: ContactLevel = derived(
        lambda row: "CUSTOMER" if row["location_id"] is None else "LOCATION",
        "Whether it is a customer contact or a location contact.",
    )
    first_name: str | None = plain("First name.")
    last_name: str | None = plain("Last name.")
    title: str | None = plain("Position, e.g. “Chief accountant”.")
    email: str | None = plain("The preferred email address among `methods`.")
    email_problem: EmailProblem | None = email_problem()
    phone: str | None = plain("The preferred phone number among `methods`, in E.164.")
    methods: list[ContactMethod] = stored(
        "methods", "Email addresses and numbers, in their order.", at_most=METHOD_LIMIT
    )
    preferred_method: ContactMethodKind | None = plain("How the contact prefers to be reached.")
    address: Address | None = stored("address", "The contact's own postal address.")
    role: ContactRole | None = referred("role_id", models.ContactRole, "What the contact does; at most one role.")
    is_communication_contact: bool = _designation(
        "communication", "Whether the contact gets reminders, workflow reminders and statements, by the role."
    )
    receives_invoices: bool = _designation(
        "invoice_presentment", "Whether the contact gets invoice delivery emails, by the role."
    )
    notifications: list[NotificationSwitch] = switches_of_contact(
        "notifications", "Which emails the contact wants, apart from what the role brings."
    )
    portal_permissions: list[PortalPermission] = switches_of_contact(
        "portal_permissions", "What the contact is permitted to see in the customer portal."
    )
    receives: list[Reception] = receives()
    portal_access: PortalAccess = access_to_portal(lambda row: row["id"])
    priority: int | None = plain("For reporting: 0 to 1000, lowest first.")
    primary: bool = plain("Whether it is the customer's primary contact: exactly one among the active ones.")
    active: bool = plain("False for a contact who is kept for history only.")
    origin: Origin = origin()
    assignments: Connection[Assignment] = assignments(
        ASSIGNMENTS_OF_CONTACT, "What the contact is assigned for, oldest first."
    )
    also_at: list[Annotated[Contact, strawberry.lazy("schema.contact")]] = same_person()
    notes: Connection[Note] = connection(
        NOTES_OF_CONTACT,
        "Internal notes on the contact, pinned ones first.",
        nested=True,
        access=needs(Permission.NOTES_READ),
    )
    order_password: OrderPassword | None = derived(
        lambda row: row if row["order_password_set_at"] is not None else None,
        "The password that the contact says when ordering: only whether there is one. Null while none is set.",
    )
    password_set_at: datetime | None = plain(
        "When the contact set their own password, that of the portal; null while they have none."
    )
    sales_documents: Connection[SalesDocument] = sales_documents(
        SALES_DOCUMENTS_OF_CONTACT,
        "The quotes, orders and invoices that the contact placed, newest first.",
        access=SALES_DOCUMENTS_READ,
    )
    communications: Connection[Communication] = communications(
        COMMUNICATIONS_OF_CONTACT, "What was sent to the contact, newest first, wherever they were a contact then."
    )
    history: Connection[HistoryEvent] = history_of(
        models.Contact, "What happened to the contact, newest first.", access=needs(Permission.HISTORY_READ)
    )
