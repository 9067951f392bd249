"""The welcome email of a new contact, in inputs and payloads of what makes one."""

from __future__ import annotations

from typing import Any

import models
from models.rows import by_ids
from schema.field import batched, optional


def do_not_send_welcome() -> Any:
    """Whether the new contact is spared the welcome email."""
    return optional(
        "true sends no welcome email. Otherwise a contact who may use the portal gets one, with a link to set a"
        " password."
    )


def welcome() -> Any:
    """The welcome email that the new contact got."""
    return batched(
        lambda payload: payload["ids"].get("welcome"),
        by_ids(models.Communication),
        "The welcome email; null when none was wanted, and for a contact who may not use the portal.",
    )
