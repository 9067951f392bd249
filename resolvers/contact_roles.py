"""Contact roles: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Change
from models import Permission
from models.listings import CONTACT_ROLES
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection, connection
from schema.contact_mutations import (
    CreateContactRoleInput,
    CreateContactRolePayload,
    DeleteContactRoleInput,
    DeleteContactRolePayload,
    UpdateContactRoleInput,
    UpdateContactRolePayload,
)
from schema.contact_role import ContactRole
from services import contact_roles as service

_READ = needs(Permission.CUSTOMERS_READ)
_WRITE = needs(Permission.CONTACT_ROLES_WRITE)


@strawberry.type
class ContactRoleQuery:
    """Reading contact roles."""

    contact_role: ContactRole | None = single(
        models.ContactRole, "One contact role; null when there is none with this ID.", _READ
    )
    contact_roles: Connection[ContactRole] = connection(CONTACT_ROLES, "All contact roles, by name.", access=_READ)


async def _create(change: Change, sent: Sent) -> Sent:
    return {"contact_role": (await service.create(change, sent))["id"]}


async def _update(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"contact_role": (await service.update(change, identifier, revision, sent))["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await service.delete(change, sent["id"], sent.get("expected_revision"), sent.get("replacement_id"))
    return {"deleted": sent["id"]}


@strawberry.type
class ContactRoleMutation:
    """Changing contact roles."""

    create_contact_role = mutation(
        _create, CreateContactRoleInput, CreateContactRolePayload, "Add a contact role: at most 30.", _WRITE
    )
    update_contact_role = mutation(
        _update, UpdateContactRoleInput, UpdateContactRolePayload, "Rename or redesignate a contact role.", _WRITE
    )
    delete_contact_role = mutation(
        _delete,
        DeleteContactRoleInput,
        DeleteContactRolePayload,
        "Delete a contact role, or replace it.",
        _WRITE,
    )
