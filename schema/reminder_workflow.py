"""Reminder workflows: when reminders of an invoice go out."""

from __future__ import annotations

from datetime import datetime

import strawberry

import models
from models import Permission
from models.rows import count_by
from schema.access import needs
from schema.field import batched, plain
from schema.history import updated_at
from schema.node import Node
from schema.stored import stored


@strawberry.type(
    description="When reminders of an invoice go out. The settings name one for all, a customer may override it.",
    directives=[needs(Permission.CUSTOMERS_READ)],
)
class ReminderWorkflow(Node):
    """When reminders of an invoice go out."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    name: str = plain("Its name, unique among reminder workflows.")
    steps: list[int] = stored("steps", "Days relative to an invoice's due date, ascending: -3 is three days before it.")
    customer_count: int = batched(
        lambda row: row["id"],
        count_by(models.Preferences, "reminder_workflow_id"),
        "How many customers have it by an override of their own, inactive ones included.",
    )
