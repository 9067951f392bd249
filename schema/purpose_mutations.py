"""Inputs and payloads of mutations of purposes, assignments, and who is the same person elsewhere."""

from __future__ import annotations

import strawberry

import models
from schema.access import PARENT
from schema.contact import Contact
from schema.contact_mutations import ContactRevisionInput
from schema.field import optional, required
from schema.payload import Payload, changed, changed_all, deleted_id
from schema.purpose import Assignment, Purpose


@strawberry.input(description="A new purpose: there are at most 100.")
class CreatePurposeInput:
    """A new purpose."""

    name: str = required("Its name, unique among purposes: 1 to 100 characters.")
    single: bool | None = optional(
        "Whether it has at most one contact for each customer and reference; if omitted, no. It stays as it is."
    )


@strawberry.input(description="A change of a purpose. What is omitted stays.")
class UpdatePurposeInput:
    """A change of a purpose."""

    id: strawberry.ID = required("Which purpose.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("Its name; cannot be null.")


@strawberry.input(description="The end of a purpose that nobody is assigned for. Well-known ones cannot be deleted.")
class DeletePurposeInput:
    """The end of a purpose."""

    id: strawberry.ID = required("Which purpose.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.input(description="One thing elsewhere, such as a job or a service request.")
class ReferenceInput:
    """One thing elsewhere."""

    type: str = required("What it is, e.g. “job”: 1 to 60 characters.")
    id: strawberry.ID = required("Its ID there: 1 to 200 characters. With the type it tells references apart.")
    label: str = required("What it is called: 1 to 200 characters.")


@strawberry.input(description="Somebody for a purpose, at the contact's customer.")
class AssignContactInput:
    """Somebody for a purpose."""

    contact_id: strawberry.ID = required("Who: an active contact.")
    purpose_id: strawberry.ID = required("What for.")
    reference: ReferenceInput | None = optional("For one thing elsewhere; without it, for the customer as a whole.")
    replace: bool | None = optional(
        "For a single purpose that another contact is assigned for: true hands it over, else it is refused (TAKEN)."
    )


@strawberry.input(description="The end of an assignment.")
class UnassignContactInput:
    """The end of an assignment."""

    id: strawberry.ID = required("Which assignment.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.input(description="Contacts of different customers that are one person, with all whom they are linked to.")
class LinkContactsInput:
    """Contacts of different customers that are one person."""

    contacts: list[ContactRevisionInput] = required("Which contacts: 2 to 20, each once, each at another customer.")


@strawberry.input(description="A contact that is nobody else.")
class UnlinkContactInput:
    """A contact that is nobody else."""

    id: strawberry.ID = required("Which contact.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What createPurpose answers.", directives=[PARENT])
class CreatePurposePayload(Payload):
    """What createPurpose answers."""

    purpose: Purpose | None = changed("purpose", models.Purpose)


@strawberry.type(description="What updatePurpose answers.", directives=[PARENT])
class UpdatePurposePayload(Payload):
    """What updatePurpose answers."""

    purpose: Purpose | None = changed("purpose", models.Purpose)


@strawberry.type(description="What deletePurpose answers.", directives=[PARENT])
class DeletePurposePayload(Payload):
    """What deletePurpose answers."""

    deleted_id: strawberry.ID | None = deleted_id()


@strawberry.type(description="What assignContact answers.", directives=[PARENT])
class AssignContactPayload(Payload):
    """What assignContact answers."""

    assignment: Assignment | None = changed("assignment", models.Assignment)


@strawberry.type(description="What unassignContact answers.", directives=[PARENT])
class UnassignContactPayload(Payload):
    """What unassignContact answers."""

    deleted_id: strawberry.ID | None = deleted_id()


@strawberry.type(description="What linkContacts answers.", directives=[PARENT])
class LinkContactsPayload(Payload):
    """What linkContacts answers."""

    contacts: list[Contact] | None = changed_all("contacts", models.Contact)


@strawberry.type(description="What unlinkContact answers.", directives=[PARENT])
class UnlinkContactPayload(Payload):
    """What unlinkContact answers."""

    contact: Contact | None = changed("contact", models.Contact)
