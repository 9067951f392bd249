"""Contacts' own passwords, those of the portal: links to set them, and setting them."""

from __future__ import annotations

from typing import Any

import strawberry

from audit import Change
from models import Permission, Row
from resolvers.mutation import Sent, answered, mutation, mutation_field
from schema.access import PUBLIC, needs
from schema.contact_password_mutations import (
    SendPasswordLinkInput,
    SendPasswordLinkPayload,
    SetContactPasswordInput,
    SetContactPasswordPayload,
)
from schema.context import Info
from schema.field import given
from services import contact_passwords
from services.communications import welcoming


async def _send_link(change: Change, sent: Sent) -> Sent:
    return {"communication": (await welcoming.send_password_link(change, sent["contact_id"]))["id"]}


async def _set(root: Any, info: Info, **arguments: Any) -> Any:
    sent = given(arguments["input"])

    async def run() -> Row:
        seqs = await contact_passwords.set_by_link(sent["token"], sent["password"], info.context.request)
        return {"ids": {}, "seqs": seqs, "errors": []}

    return await answered(info, run)


@strawberry.type
class ContactPasswordMutation:
    """Contacts' own passwords."""

    send_password_link = mutation(
        _send_link,
        SendPasswordLinkInput,
        SendPasswordLinkPayload,
        "Email a contact a link to set their password: it works once, for 48 hours from when the email leaves.",
        # Which of the two levels the actor may maintain is decided when the contact is known.
        needs(Permission.CONTACTS_WRITE, Permission.LOCATION_CONTACTS_WRITE),
    )
    set_contact_password = mutation_field(
        _set,
        SetContactPasswordInput,
        SetContactPasswordPayload,
        "Set a contact's own password with the link from a welcome or set-password email. Whoever holds the link needs"
        " no other sign-in; all links of the contact end with it. It takes no Idempotency-Key. Errors: BAD_CREDENTIALS"
        " for a link that does not work, THROTTLED (with retryAfter in seconds) for too many of those, INVALID.",
        PUBLIC,
    )
