"""Communications: what was sent to whom, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from audit.delivery_timeline import timelines
from models import (
    Choice,
    CommunicationKind,
    DeliveryStatus,
    Permission,
    RecipientField,
    RecipientReason,
    Suppression,
)
from models.communication_lists import DELIVERIES_OF_COMMUNICATION
from models.delivery_rows import bodies, status_counts
from schema.access import PARENT, needs
from schema.attachment import Attachment, attachments
from schema.connection import Connection, connection
from schema.field import batched, derived, plain, referred
from schema.history import HistoryEvent, updated_at
from schema.node import Node, if_shown
from schema.stored import stored

if TYPE_CHECKING:
    from schema.actor import Actor
    from schema.contact import Contact
    from schema.customer import Customer
    from schema.sales_document import SalesDocument

_READ = needs(Permission.COMMUNICATIONS_READ)
# Two days of attempts make about sixty.
MOST_STEPS = 100


def _body(name: str, description: str) -> Any:
    """A body as sent: long, and read only when somebody asks for it."""
    return batched(lambda row: row["id"], bodies, description, then=lambda _, body, __: body[name])


@strawberry.type(description="How many emails of a communication have a status.", directives=[PARENT])
class StatusCount:
    """How many emails of a communication have a status."""

    status: DeliveryStatus = plain("What became of them so far.")
    deliveries: int = plain("How many.")


@strawberry.type(description="A step of what became of an email, as an event tells it.", directives=[PARENT])
class DeliveryStep:
    """A step of what became of an email."""

    at: datetime = plain("When it came so far.")
    status: DeliveryStatus | None = plain("What became of it; null when that part of history has been erased.")
    reply: str | None = plain("What had been said last about it by a mail server then, if anything.")
    event: HistoryEvent = plain("The event that says so.", access=needs(Permission.HISTORY_READ, Permission.AUDIT_READ))


@strawberry.type(description="One act of sending an email to somebody at a customer.", directives=[_READ])
class Communication(Node):
    """One act of sending."""

    revision: int = plain("Counts the changes. There are none.")
    created_at: datetime = plain("When it was sent, or suppressed: the first attempt follows at once.")
    kind: CommunicationKind = plain("What it is about.")
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "The customer who was written to."
    )
    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] | None = referred(
        "sales_document_id",
        models.SalesDocument,
        "The quote, order or invoice that it is about, if any.",
        access=needs(Permission.SALES_DOCUMENTS_READ),
    )
    subject: str = derived(lambda row: row["subject_line"], "The subject of its messages, or of the first of them.")
    template_name: str | None = plain("What its template was called then; null for a text of one's own.")
    sent_by: Annotated[Actor, strawberry.lazy("schema.actor")] = stored(
        "sent_by", "Who sent it, as they were called then."
    )
    separate: bool = plain("Whether each recipient got a message of their own; else all got the same one.")
    attachments: list[Attachment] = attachments()
    suppressed: Suppression | None = plain("Why nothing was sent to anybody; null when it was.")
    reminder_days: int | None = derived(
        lambda row: row["reminder_step"],
        "The days of the reminder workflow's step that it was, relative to the invoice's due date; null for anything"
        " else.",
    )
    statement_month: str | None = plain("The month (YYYY-MM) whose statement it was, sent by itself; null otherwise.")
    resend_of: Annotated[Communication, strawberry.lazy("schema.communication")] | None = referred(
        "resend_of_id",
        models.Communication,
        "The communication that was sent again by this one, if any, and if you may see it.",
        then=if_shown,
    )
    deliveries: Connection[Annotated[Delivery, strawberry.lazy("schema.communication")]] = connection(
        DELIVERIES_OF_COMMUNICATION, "Its recipients, in their order, and what became of each of them.", nested=True
    )
    statuses: list[StatusCount] = batched(
        lambda row: row["id"],
        status_counts,
        "How many of its recipients' emails have come how far; none without recipients.",
        at_most=len(DeliveryStatus),
    )


@strawberry.type(description="One recipient of a communication, and what became of their email.", directives=[_READ])
class Delivery(Node):
    """One recipient of a communication."""

    revision: int = plain("Counts the changes.")
    created_at: datetime = plain("When it was queued.")
    updated_at: datetime = updated_at()
    communication: Communication = referred("communication_id", models.Communication, "What was sent.")
    contact: Annotated[Contact, strawberry.lazy("schema.contact")] | None = referred(
        "contact_id", models.Contact, "The contact as it is now; null when it is gone, or when it was none."
    )
    name: str = plain("What the recipient was called then; empty for somebody without a name.")
    email: str = plain("The address that was written to.")
    role: str | None = plain("What the recipient's role was called then; null for none.")
    field: RecipientField = plain("Whether they stood in To or in Cc.")
    chosen: Choice = plain("Who chose them.")
    reasons: list[RecipientReason] = stored("reasons", "Why the rules would have included them, or not, at that time.")
    message_id: str = plain("The Message-ID of the email, without its brackets (RFC 5322).")
    subject: str = derived(lambda row: row["subject_line"], "The subject as sent.")
    text: str = _body("text", "The plain text as sent. A link that sets a password stands there without its token.")
    html: str | None = _body("html", "The HTML as sent, sanitised; null for an email of plain text only.")
    status: DeliveryStatus = plain("What became of it so far.")
    status_at: datetime = plain("Since when.")
    attempts: int = plain("How often it was attempted.")
    reply: str | None = plain("What was said last about it by a mail server, if anything.")
    may_repeat: bool = plain("Whether it may have arrived more than once: the outcome of an attempt was unknown.")
    timeline: list[DeliveryStep] = batched(
        lambda row: row["id"],
        timelines,
        "What became of it, step by step, the oldest first. The last step is what the delivery itself says. At most"
        f" the last {MOST_STEPS}.",
        then=lambda _, steps, __: steps[-MOST_STEPS:],
        at_most=MOST_STEPS,
    )
