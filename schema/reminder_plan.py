"""The plan of a day: which reminders and statements go to whom, and why; and which reminder of an invoice is next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import CommunicationKind, Permission, Row, Suppression, clock
from models.reminder import next_step
from models.reminder_rows import open_invoices
from schema.access import PARENT, needs
from schema.communication import Communication
from schema.field import batched, derived, plain, referred
from schema.recipient import MAX_PLANNED, Recipients
from schema.reminder_workflow import ReminderStep
from schema.template import Template

if TYPE_CHECKING:
    from schema.customer import Customer
    from schema.sales_document import SalesDocument


@strawberry.type(description="A reminder or a monthly statement that is due on a day.", directives=[PARENT])
class PlannedEmail:
    """A reminder or a monthly statement that is due on a day."""

    kind: CommunicationKind = plain("WORKFLOW_REMINDER or STATEMENT.")
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "The customer who is written to.", access=needs(Permission.CUSTOMERS_READ)
    )
    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] | None = plain(
        "The invoice that it reminds of; null for a statement.", access=needs(Permission.SALES_DOCUMENTS_READ)
    )
    workflow_name: str | None = plain("The workflow that says so; null for a statement.")
    step: ReminderStep | None = plain(
        "The step of the workflow; null for a statement, and when it was sent already: the communication has its days."
    )
    statement_month: str | None = plain("The month that the statement is for, as YYYY-MM; null for a reminder.")
    template: Template | None = plain(
        "What it is made from; null when it was sent already: the communication says that."
    )
    recipients: Recipients | None = derived(
        lambda row: row["recipients"],
        "Who gets it, and who does not; null when it was sent already.",
        at_most=MAX_PLANNED,
    )
    suppressed: Suppression | None = plain(
        "Why it will go to nobody; the communication log will say so, too. Null when somebody gets it, or got it."
    )
    problem: str | None = plain(
        "Why it cannot be sent until somebody mends it, and what to do: it is tried again with each run. Null when"
        " nothing is known to be in its way."
    )
    communication: Communication | None = referred(
        "communication_id",
        models.Communication,
        "What was sent, or suppressed, already on this day; null when it is still to come.",
    )


@strawberry.type(description="The next emails of a day's plan.", directives=[PARENT])
class ReminderPlanPage:
    """The next emails of a day's plan."""

    emails: list[PlannedEmail] = plain(
        "Reminders by the IDs of their invoices, then statements by the IDs of the customers."
    )
    end_cursor: str | None = plain("For `after`, to go on; null when that was all.")


@strawberry.type(description="The reminder of an invoice that comes next.", directives=[PARENT])
class NextReminder:
    """The reminder of an invoice that comes next."""

    on: date = plain("The day (UTC) on which it goes out, if nothing changes until then.")
    step: ReminderStep = plain("The step of the workflow.")


async def _next_reminders(keys: Sequence[tuple[str, date]]) -> list[Row | None]:
    rows = await open_invoices([identifier for identifier, _ in keys])
    return [None if row is None else _next(row, today) for row, (_, today) in zip(rows, keys, strict=True)]


def _next(row: Row, today: date) -> Row | None:
    found = next_step(row["workflow_steps"], date.fromisoformat(row["due_on"]), today, row["last_sent"])
    return None if found is None else {"on": found.on, "step": found.step}


def next_reminder() -> Any:
    """The reminder of an invoice that comes next."""
    return batched(
        lambda row: (row["id"], clock.now().date()) if row["kind"] == "INVOICE" else None,
        _next_reminders,
        "The reminder that goes out next by itself, while nothing changes; null when none does: it is no posted invoice"
        " with a balance and a due date, its customer gets no reminders, or all have been sent.",
        access=needs(Permission.COMMUNICATIONS_READ),
    )
