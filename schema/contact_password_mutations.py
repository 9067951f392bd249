"""Inputs and payloads of the mutations of contacts' own passwords."""

from __future__ import annotations

import strawberry

from schema.access import PUBLIC
from schema.field import required
from schema.payload import Payload


@strawberry.input(description="A contact's new password, by the link that they got.")
class SetContactPasswordInput:
    """A contact's new password, by the link that they got."""

    token: str = required("What stands in the link. It works once, for 48 hours.")
    password: str = required("The new password: 15 to 128 characters, none that is often used.")


@strawberry.type(description="What setContactPassword answers.", directives=[PUBLIC])
class SetContactPasswordPayload(Payload):
    """What setContactPassword answers."""
