"""Inputs and payloads of sending, and what would be sent."""

from __future__ import annotations

import strawberry

import models
from models import CommunicationKind, DeliveryStatus, RecipientField
from models.communication import ATTACHMENTS
from schema.access import PARENT
from schema.communication import Communication
from schema.field import optional, required
from schema.payload import Payload, changed


@strawberry.input(description="Somebody who is to get an email, whatever the rules say.")
class RecipientInput:
    """Somebody who is to get an email."""

    contact_id: strawberry.ID = required("An active contact of the customer.")
    field: RecipientField | None = optional(
        "Under which heading; To if omitted. In Cc only in a message that all recipients share."
    )
    email: str | None = optional("One of the contact's own email addresses; the preferred one if omitted.")


@strawberry.input(
    description="An email to a customer's contacts. Without `recipients` those get it whom the rules include: see"
    " `recipients`. Without `subject`, `text` and `html` a template says what stands in it."
)
class SendCommunicationInput:
    """An email to a customer's contacts."""

    kind: CommunicationKind = required(
        "What it is about. WELCOME and SET_PASSWORD have mutations of their own; workflows send WORKFLOW_REMINDER."
    )
    customer_id: strawberry.ID = required("To whose contacts.")
    sales_document_id: strawberry.ID | None = optional(
        "What it is about: a posted invoice for INVOICE, an open one for REMINDER, a quote or an order for ESTIMATE;"
        " none for STATEMENT. Needs SALES_DOCUMENTS_READ, too."
    )
    recipients: list[RecipientInput] | None = optional(
        "Who gets it, at most 100, whatever the rules say: history tells that they were chosen by hand."
    )
    template_id: strawberry.ID | None = optional("A template of the kind; its standard one if omitted.")
    subject: str | None = optional("A subject of your own: one line of at most 200 characters. `text` comes with it.")
    text: str | None = optional("A plain text of your own: at most 100,000 characters. It is sent as it is.")
    html: str | None = optional(
        "HTML of your own beside `text`: at most 300,000 characters, with the tags, attributes and structure that the"
        " HTML of templates may have."
    )
    document_ids: list[strawberry.ID] | None = optional(
        f"Documents of the customer to attach, at most {ATTACHMENTS}. Needs DOCUMENTS_READ, too."
    )
    attach_invoice: bool | None = optional("Whether the PDF of the sales document is attached.")
    attach_statement: bool | None = optional(
        "Whether the PDF of the customer's statement is attached. Needs SALES_DOCUMENTS_READ, too."
    )
    statement_month: str | None = optional(
        "The month of the statement, as YYYY-MM; if omitted the running one, as of today (UTC)."
    )
    separate: bool | None = optional(
        "Whether each recipient gets a message of their own; as the settings say if omitted, unless somebody is in Cc."
    )


@strawberry.type(description="What sendCommunication answers.", directives=[PARENT])
class SendCommunicationPayload(Payload):
    """What sendCommunication answers."""

    communication: Communication | None = changed("communication", models.Communication)


@strawberry.input(
    description="A communication to be sent again: with the same texts and attachments, as one of its own. Without"
    " `recipients` and `statuses` all get it again."
)
class ResendCommunicationInput:
    """A communication to be sent again."""

    id: strawberry.ID = required(
        "Which one. Welcome and set-password emails are not sent again, since their links work once."
    )
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    recipients: list[RecipientInput] | None = optional(
        "Who gets it: the same people, or other contacts of the customer. Who did not get it before gets the text of"
        " its first delivery, with that one's greeting."
    )
    statuses: list[DeliveryStatus] | None = optional(
        "Only those get it whose delivery has one of these statuses now; not with `recipients`. They get it at the"
        " address of then if they have it still, else at their preferred one."
    )


@strawberry.type(description="What resendCommunication answers.", directives=[PARENT])
class ResendCommunicationPayload(Payload):
    """What resendCommunication answers."""

    communication: Communication | None = changed("communication", models.Communication)
