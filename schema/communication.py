"""Communications: what was sent to whom, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from models import (
    Choice,
    CommunicationKind,
    DeliveryStatus,
    Permission,
    RecipientField,
    RecipientReason,
    Suppression,
)
from schema.access import needs
from schema.attachment import Attachment, attachments
from schema.field import derived, plain, referred
from schema.history import updated_at
from schema.node import Node
from schema.stored import stored

if TYPE_CHECKING:
    from schema.actor import Actor
    from schema.customer import Customer
    from schema.sales_document import SalesDocument

_READ = needs(Permission.COMMUNICATIONS_READ)


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
    resend_of: Annotated[Communication, strawberry.lazy("schema.communication")] | None = referred(
        "resend_of_id", models.Communication, "The communication that was sent again by this one, if any."
    )


@strawberry.type(description="One recipient of a communication, and what became of their email.", directives=[_READ])
class Delivery(Node):
    """One recipient of a communication."""

    revision: int = plain("Counts the changes.")
    created_at: datetime = plain("When it was queued.")
    updated_at: datetime = updated_at()
    communication: Communication = referred("communication_id", models.Communication, "What was sent.")
    name: str = plain("What the recipient was called then; empty for somebody without a name.")
    email: str = plain("The address that was written to.")
    role: str | None = plain("What the recipient's role was called then; null for none.")
    field: RecipientField = plain("Whether they stood in To or in Cc.")
    chosen: Choice = plain("Who chose them.")
    reasons: list[RecipientReason] = stored("reasons", "Why the rules would have included them, or not, at that time.")
    message_id: str = plain("The Message-ID of the email, without its brackets (RFC 5322).")
    subject: str = derived(lambda row: row["subject_line"], "The subject as sent.")
    status: DeliveryStatus = plain("What became of it so far.")
    status_at: datetime = plain("Since when.")
    attempts: int = plain("How often it was attempted.")
    reply: str | None = plain("What was said last about it by a mail server, if anything.")
    may_repeat: bool = plain("Whether it may have arrived more than once: the outcome of an attempt was unknown.")
