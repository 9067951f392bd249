"""Problems with the email addresses of contacts: as long as there is one, nothing is sent there by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

import models
from models import Permission
from schema.access import PARENT, needs
from schema.communication import Delivery
from schema.field import derived, plain, referred
from schema.node import if_shown
from schema.stored import stored_json


@strawberry.type(description="An email address that takes no mail.", directives=[PARENT])
class EmailProblem:
    """An email address that takes no mail."""

    address: str = plain("The address.")
    at: datetime = derived(lambda problem: datetime.fromisoformat(problem["at"]), "Since when that is known.")
    reply: str | None = plain("What a mail server said about it, if anything.")
    delivery: Delivery | None = referred(
        "delivery_id",
        models.Delivery,
        "The email that did not arrive; null when it is about a sales document and you may not see those.",
        then=if_shown,
        access=needs(Permission.COMMUNICATIONS_READ),
    )


def email_problem() -> Any:
    """The `emailProblem` field of a contact."""
    return derived(
        lambda row: stored_json(row["email_problem"]),
        "Why nothing is sent to the contact's email address: it bounced, or was refused for good. Null while nothing is"
        " known against it. It goes when the address changes, and with clearEmailProblem.",
    )
