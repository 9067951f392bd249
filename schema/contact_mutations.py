"""Inputs and payloads of mutations of contacts and contact roles."""

from __future__ import annotations

import strawberry

import models
from models import ContactMethodKind
from schema.access import PARENT
from schema.communication import Communication
from schema.contact import Contact
from schema.contact_role import ContactRole
from schema.customer_mutations import AddressInput, ContactMethodInput
from schema.field import optional, required
from schema.payload import Payload, changed, changed_all, deleted_id
from schema.switch import NotificationInput, PortalPermissionInput
from schema.welcome import do_not_send_welcome, welcome


@strawberry.input(
    description="A new contact. Its `email` and `phone` are outputs: the preferred of its methods. "
    "The first active contact of a customer becomes primary by itself."
)
class CreateContactInput:
    """A new contact."""

    customer_id: strawberry.ID = required("At whom.")
    location_id: strawberry.ID | None = optional("With it, a location contact; without, a customer contact.")
    first_name: str | None = optional("First name: up to 100 characters. Some name or method is needed.")
    last_name: str | None = optional("Last name: up to 100 characters.")
    title: str | None = optional("Position: up to 100 characters.")
    role_id: strawberry.ID | None = optional("The contact role.")
    priority: int | None = optional("For reporting: 0 to 1000, lowest first.")
    primary: bool | None = optional("true moves primary here; false on the primary is refused.")
    methods: list[ContactMethodInput] | None = optional("Email addresses and numbers: at most 20.")
    address: AddressInput | None = optional("The contact's own postal address.")
    copy_customer_address: bool | None = optional("Fill the address from the customer's billing address.")
    preferred_method: ContactMethodKind | None = optional("How the contact prefers to be reached: one of its methods.")
    notifications: list[NotificationInput] | None = optional(
        "Notification switches that differ from what the settings say."
    )
    portal_permissions: list[PortalPermissionInput] | None = optional(
        "Portal permissions that differ from what the settings say."
    )
    do_not_send_welcome: bool | None = do_not_send_welcome()


@strawberry.input(description="A change of a contact. What is omitted stays, null clears.")
class UpdateContactInput:
    """A change of a contact."""

    id: strawberry.ID = required("Which contact.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    location_id: strawberry.ID | None = optional("Move to this location; null makes it a customer contact.")
    first_name: str | None = optional("First name.")
    last_name: str | None = optional("Last name.")
    title: str | None = optional("Position.")
    role_id: strawberry.ID | None = optional("The contact role; null takes it away.")
    priority: int | None = optional("For reporting: 0 to 1000, lowest first.")
    primary: bool | None = optional("true moves primary here; false on the primary is refused.")
    methods: list[ContactMethodInput] | None = optional("All email addresses and numbers.")
    address: AddressInput | None = optional("The contact's own postal address.")
    copy_customer_address: bool | None = optional("Fill the address from the customer's billing address.")
    preferred_method: ContactMethodKind | None = optional("How the contact prefers to be reached: one of its methods.")
    notifications: list[NotificationInput] | None = optional(
        "Notification switches; those that are not listed stay, and null makes all of them inherited."
    )
    portal_permissions: list[PortalPermissionInput] | None = optional(
        "Portal permissions; those that are not listed stay, and null makes all of them inherited."
    )
    active: bool | None = optional(
        "false keeps the contact for history only, with what it is assigned for; cannot be null."
    )
    successor_id: strawberry.ID | None = optional("Who becomes primary when the primary contact is deactivated.")


@strawberry.input(description="The end of a contact that was made here; synced contacts cannot be deleted.")
class DeleteContactInput:
    """The end of a contact."""

    id: strawberry.ID = required("Which contact.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    successor_id: strawberry.ID | None = optional(
        "The active contact of this customer that becomes primary, and takes over what this contact is assigned for."
    )


@strawberry.type(description="What createContact answers.", directives=[PARENT])
class CreateContactPayload(Payload):
    """What createContact answers."""

    contact: Contact | None = changed("contact", models.Contact)
    welcome: Communication | None = welcome()


@strawberry.type(description="What updateContact answers.", directives=[PARENT])
class UpdateContactPayload(Payload):
    """What updateContact answers."""

    contact: Contact | None = changed("contact", models.Contact)


@strawberry.input(description="The end of a problem with a contact's email address: mail may be sent there again.")
class ClearEmailProblemInput:
    """The end of a problem with a contact's email address."""

    id: strawberry.ID = required("Which contact.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What clearEmailProblem answers.", directives=[PARENT])
class ClearEmailProblemPayload(Payload):
    """What clearEmailProblem answers."""

    contact: Contact | None = changed("contact", models.Contact)


@strawberry.type(description="What deleteContact answers.", directives=[PARENT])
class DeleteContactPayload(Payload):
    """What deleteContact answers."""

    deleted_id: strawberry.ID | None = deleted_id()


@strawberry.input(description="A contact, and the revision that it must have.")
class ContactRevisionInput:
    """A contact, and the revision that it must have."""

    id: strawberry.ID = required("Which contact.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.input(description="One contact role for many contacts: all or nothing.")
class SetContactRolesInput:
    """One contact role for many contacts."""

    contacts: list[ContactRevisionInput] = required("Which contacts: 1 to 1000, each once.")
    role_id: strawberry.ID | None = optional("The contact role; null or omitted takes the role away.")


@strawberry.type(description="What setContactRoles answers.", directives=[PARENT])
class SetContactRolesPayload(Payload):
    """What setContactRoles answers."""

    contacts: list[Contact] | None = changed_all("contacts", models.Contact)


@strawberry.input(description="A new contact role: there are at most 30.")
class CreateContactRoleInput:
    """A new contact role."""

    name: str = required("Its name, unique among contact roles: 1 to 100 characters.")
    invoice_presentment: bool | None = optional("Whether its contacts get invoice delivery emails; if omitted, no.")
    communication: bool | None = optional("Whether its contacts get reminders and statements; if omitted, no.")


@strawberry.input(description="A change of a contact role. What is omitted stays.")
class UpdateContactRoleInput:
    """A change of a contact role."""

    id: strawberry.ID = required("Which contact role.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("Its name; cannot be null.")
    invoice_presentment: bool | None = optional("Whether its contacts get invoice delivery emails; cannot be null.")
    communication: bool | None = optional("Whether its contacts get reminders and statements; cannot be null.")


@strawberry.input(description="The end of a contact role. Well-known roles cannot be deleted.")
class DeleteContactRoleInput:
    """The end of a contact role."""

    id: strawberry.ID = required("Which contact role.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    replacement_id: strawberry.ID | None = optional("The role that its contacts get; needed when it has any.")


@strawberry.type(description="What createContactRole answers.", directives=[PARENT])
class CreateContactRolePayload(Payload):
    """What createContactRole answers."""

    contact_role: ContactRole | None = changed("contact_role", models.ContactRole)


@strawberry.type(description="What updateContactRole answers.", directives=[PARENT])
class UpdateContactRolePayload(Payload):
    """What updateContactRole answers."""

    contact_role: ContactRole | None = changed("contact_role", models.ContactRole)


@strawberry.type(description="What deleteContactRole answers.", directives=[PARENT])
class DeleteContactRolePayload(Payload):
    """What deleteContactRole answers."""

    deleted_id: strawberry.ID | None = deleted_id()
