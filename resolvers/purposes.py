"""Purposes, assignments, and who is the same person elsewhere: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Change
from models import Permission
from models.listings import PURPOSES
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection, connection
from schema.purpose import Assignment, Purpose
from schema.purpose_mutations import (
    AssignContactInput,
    AssignContactPayload,
    CreatePurposeInput,
    CreatePurposePayload,
    DeletePurposeInput,
    DeletePurposePayload,
    LinkContactsInput,
    LinkContactsPayload,
    UnassignContactInput,
    UnassignContactPayload,
    UnlinkContactInput,
    UnlinkContactPayload,
    UpdatePurposeInput,
    UpdatePurposePayload,
)
from services import assignments, purposes, same_person

_READ = needs(Permission.CUSTOMERS_READ)
_SETTINGS = needs(Permission.SETTINGS_WRITE)
# Which of the two levels the actor may maintain is decided when the contact is known.
_CONTACTS = needs(Permission.CONTACTS_WRITE, Permission.LOCATION_CONTACTS_WRITE)


@strawberry.type
class PurposeQuery:
    """Reading purposes and assignments."""

    purpose: Purpose | None = single(models.Purpose, "One purpose; null when there is none with this ID.", _READ)
    purposes: Connection[Purpose] = connection(PURPOSES, "All purposes, by name.", access=_READ)
    assignment: Assignment | None = single(
        models.Assignment, "One assignment; null when there is none with this ID.", _READ
    )


async def _create(change: Change, sent: Sent) -> Sent:
    return {"purpose": (await purposes.create(change, sent))["id"]}


async def _update(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"purpose": (await purposes.update(change, identifier, revision, sent))["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await purposes.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


async def _assign(change: Change, sent: Sent) -> Sent:
    return {"assignment": (await assignments.assign(change, sent))["id"]}


async def _unassign(change: Change, sent: Sent) -> Sent:
    await assignments.unassign(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


async def _link(change: Change, sent: Sent) -> Sent:
    return {"contacts": [row["id"] for row in await same_person.link(change, sent["contacts"])]}


async def _unlink(change: Change, sent: Sent) -> Sent:
    return {"contact": (await same_person.unlink(change, sent["id"], sent.get("expected_revision")))["id"]}


@strawberry.type
class PurposeMutation:
    """Changing purposes and assignments."""

    create_purpose = mutation(
        _create, CreatePurposeInput, CreatePurposePayload, "Add a purpose of your own.", _SETTINGS
    )
    update_purpose = mutation(_update, UpdatePurposeInput, UpdatePurposePayload, "Rename a purpose.", _SETTINGS)
    delete_purpose = mutation(
        _delete, DeletePurposeInput, DeletePurposePayload, "Delete a purpose that nobody is assigned for.", _SETTINGS
    )
    assign_contact = mutation(
        _assign, AssignContactInput, AssignContactPayload, "Assign a contact for a purpose.", _CONTACTS
    )
    unassign_contact = mutation(
        _unassign, UnassignContactInput, UnassignContactPayload, "End an assignment.", _CONTACTS
    )
    link_contacts = mutation(
        _link,
        LinkContactsInput,
        LinkContactsPayload,
        "Say that contacts of different customers are one person: all or nothing.",
        _CONTACTS,
        sized_by=("input", "contacts"),
    )
    unlink_contact = mutation(
        _unlink, UnlinkContactInput, UnlinkContactPayload, "Say that a contact is nobody else.", _CONTACTS
    )
