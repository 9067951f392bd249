"""Reminder workflows: when reminders of an invoice go out."""

from __future__ import annotations

from datetime import datetime

import strawberry

import models
from models import Permission
from models.preference_values import steps_of
from models.rows import count_by
from schema.access import PARENT, needs
from schema.field import batched, derived, plain, referred
from schema.history import updated_at
from schema.node import Node
from schema.stored import stored_json
from schema.template import Template


@strawberry.type(description="One reminder of a workflow.", directives=[PARENT])
class ReminderStep:
    """One reminder of a workflow."""

    days: int = plain("When, in days relative to the invoice's due date: -3 is three days before it.")
    template: Template | None = referred(
        "template_id",
        models.Template,
        "With which template; null for the standard one of workflow reminders.",
        access=needs(Permission.COMMUNICATIONS_READ),
    )
    attach_statement: bool = plain("Whether the customer's statement of that day is attached, as a PDF.")
    attach_invoice: bool = plain("Whether the invoice is attached, as a PDF.")


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
    steps: list[ReminderStep] = derived(
        lambda row: steps_of(stored_json(row["steps"])), "What is sent when, by their days; 1 to 20 steps.", at_most=20
    )
    customer_count: int = batched(
        lambda row: row["id"],
        count_by(models.Preferences, "reminder_workflow_id"),
        "How many customers have it by an override of their own, inactive ones included.",
    )
