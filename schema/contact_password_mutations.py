"""Inputs and payloads of the mutations of contacts' own passwords."""

from __future__ import annotations

import strawberry

import models
from schema.access import PARENT, PUBLIC
from schema.communication import Communication
from schema.field import required
from schema.payload import Payload, changed


@strawberry.input(description="A contact's new password, by the link that they got.")
class SetContactPasswordInput:
    """A contact's new password, by the link that they got."""

    token: str = required("What stands in the link. It works once, for 48 hours.")
    password: str = required("The new password: 15 to 128 characters, none that is often used.")


@strawberry.type(description="What setContactPassword answers.", directives=[PUBLIC])
class SetContactPasswordPayload(Payload):
    """What setContactPassword answers."""


@strawberry.input(description="A link for a contact to set their password.")
class SendPasswordLinkInput:
    """A link for a contact to set their password."""

    contact_id: strawberry.ID = required("Who gets it: a contact who may use the portal, see `Contact.portalAccess`.")


@strawberry.type(description="What sendPasswordLink answers.", directives=[PARENT])
class SendPasswordLinkPayload(Payload):
    """What sendPasswordLink answers."""

    communication: Communication | None = changed("communication", models.Communication)
