"""What is about to be sent: everything that is decided before it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models import Choice, CommunicationKind, RecipientField, RecipientReason, Row, Suppression


@dataclass(frozen=True)
class Message:
    """What one email says. `html` is sanitised; None for an email of plain text only."""

    subject_line: str
    text: str
    html: str | None = None


@dataclass(frozen=True)
class Addressee:
    """One recipient: the contact's row, the address that is written to, the name of the contact's role, and why.

    `reasons` are those of models.recipient.decide, also when somebody chose the contact by hand.
    """

    contact: Row
    email: str
    role: str | None
    reasons: Sequence[RecipientReason]
    message: Message
    chosen: Choice = Choice.RULE
    field: RecipientField = RecipientField.TO


@dataclass(frozen=True)
class Attachment:
    """A file whose bytes are in the document storage. `document_id` is the customer's document that it is, if any."""

    name: str
    media_type: str
    size: int
    sha256: str
    document_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A communication before it is recorded. `separate` gives each addressee a message of their own; else all have the
    same message. With `suppressed` nobody gets anything, and the log says why. `template` is None for own text.
    """

    kind: CommunicationKind
    customer_id: str
    sales_document_id: str | None = None
    template: Row | None
    subject_line: str
    addressees: Sequence[Addressee]
    separate: bool
    attachments: Sequence[Attachment] = ()
    suppressed: Suppression | None = None
    resend_of_id: str | None = None
    reminder_step: int | None = None
    statement_month: str | None = None
