"""Contacts: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Change
from models import Permission
from models.listings import CONTACTS
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from resolvers.welcoming import welcomed
from schema.access import needs
from schema.connection import Connection
from schema.contact import Contact
from schema.contact_mutations import (
    ClearEmailProblemInput,
    ClearEmailProblemPayload,
    CreateContactInput,
    CreateContactPayload,
    DeleteContactInput,
    DeleteContactPayload,
    SetContactRolesInput,
    SetContactRolesPayload,
    UpdateContactInput,
    UpdateContactPayload,
)
from schema.filters import contacts
from services import contact_roles as contact_role_service
from services import contacts as contact_service
from services.communications import email_problems

_READ = needs(Permission.CUSTOMERS_READ)
# Which of the two levels the actor may maintain is decided when the contact is known.
_WRITE = needs(Permission.CONTACTS_WRITE, Permission.LOCATION_CONTACTS_WRITE)


@strawberry.type
class ContactQuery:
    """Reading contacts."""

    contact: Contact | None = single(models.Contact, "One contact; null when there is none with this ID.", _READ)
    contacts: Connection[Contact] = contacts(CONTACTS, "All contacts, across customers.", access=_READ)


async def _create(change: Change, sent: Sent) -> Sent:
    contact = await contact_service.create(change, sent)
    return {"contact": contact["id"], **await welcomed(change, contact, sent)}


async def _update(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    successor_id = sent.pop("successor_id", None)
    return {"contact": (await contact_service.update(change, identifier, revision, sent, successor_id))["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await contact_service.delete(change, sent["id"], sent.get("expected_revision"), sent.get("successor_id"))
    return {"deleted": sent["id"]}


async def _set_roles(change: Change, sent: Sent) -> Sent:
    rows = await contact_role_service.assign(change, sent["contacts"], sent.get("role_id"))
    return {"contacts": [row["id"] for row in rows]}


async def _clear_email_problem(change: Change, sent: Sent) -> Sent:
    return {"contact": (await email_problems.clear(change, sent["id"], sent.get("expected_revision")))["id"]}


@strawberry.type
class ContactMutation:
    """Changing contacts."""

    create_contact = mutation(
        _create, CreateContactInput, CreateContactPayload, "Add a contact to a customer or a location.", _WRITE
    )
    update_contact = mutation(_update, UpdateContactInput, UpdateContactPayload, "Change a contact.", _WRITE)
    clear_email_problem = mutation(
        _clear_email_problem,
        ClearEmailProblemInput,
        ClearEmailProblemPayload,
        "Say that a contact's email address takes mail again.",
        _WRITE,
    )
    delete_contact = mutation(
        _delete,
        DeleteContactInput,
        DeleteContactPayload,
        "Delete a contact that was made here, and its notes.",
        _WRITE,
    )
    set_contact_roles = mutation(
        _set_roles,
        SetContactRolesInput,
        SetContactRolesPayload,
        "Give one contact role to many contacts, or take it away: all or nothing.",
        _WRITE,
        sized_by=("input", "contacts"),
    )
