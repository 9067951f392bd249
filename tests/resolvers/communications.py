"""What tests of emails look at: deliveries, the outbox, templates that are disabled."""

from __future__ import annotations

import json
from typing import Any

import models
from models import CommunicationKind, Template
from models.template_rows import standard_template
from tests.audit.rows import updated

EMAIL = {"kind": "EMAIL", "value": "grace@example.com"}


async def deliveries(communication: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a communication's deliveries, in their order, with their reasons as a list."""
    rows = await models.current().fetch(
        "SELECT * FROM delivery WHERE communication_id = ? ORDER BY id", communication["id"]
    )
    return [{**row, "reasons": json.loads(row["reasons"])} for row in rows]


async def waiting() -> list[str]:
    """The Message-IDs that wait in the outbox."""
    rows = await models.current().fetch("SELECT message_id FROM outbox_message ORDER BY message_id")
    return [row["message_id"] for row in rows]


async def disable(kind: CommunicationKind) -> None:
    """Disable the standard template of the kind."""
    await updated(Template, await standard_template(kind), enabled=False)
