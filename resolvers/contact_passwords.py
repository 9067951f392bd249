"""Contacts' own passwords, those of the portal: links to set them, and setting them."""

from __future__ import annotations

from typing import Any

import strawberry

from models import Row
from resolvers.mutation import answered, mutation_field
from schema.access import PUBLIC
from schema.contact_password_mutations import SetContactPasswordInput, SetContactPasswordPayload
from schema.context import Info
from schema.field import given
from services import contact_passwords


async def _set(root: Any, info: Info, **arguments: Any) -> Any:
    sent = given(arguments["input"])

    async def run() -> Row:
        seqs = await contact_passwords.set_by_link(sent["token"], sent["password"], info.context.request)
        return {"ids": {}, "seqs": seqs, "errors": []}

    return await answered(info, run)


@strawberry.type
class ContactPasswordMutation:
    """Contacts' own passwords."""

    set_contact_password = mutation_field(
        _set,
        SetContactPasswordInput,
        SetContactPasswordPayload,
        "Set a contact's own password with the link from a welcome or set-password email. Whoever holds the link needs"
        " no other sign-in; all links of the contact end with it. It takes no Idempotency-Key. Errors: BAD_CREDENTIALS"
        " for a link that does not work, THROTTLED (with retryAfter in seconds) for too many of those, INVALID.",
        PUBLIC,
    )
