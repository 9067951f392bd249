"""What an email would say, and to whom, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from models import Choice, Permission, RecipientField, RecipientReason, Suppression
from models.communication import ATTACHMENTS
from schema.access import PARENT, needs
from schema.document import Document
from schema.errors import UserError
from schema.field import plain, referred

if TYPE_CHECKING:
    from schema.contact import Contact


@strawberry.type(description="Somebody who would get an email, and what they would read.", directives=[PARENT])
class PreviewedDelivery:
    """Somebody who would get an email."""

    contact: Annotated[Contact, strawberry.lazy("schema.contact")] | None = referred(
        "contact_id", models.Contact, "Who it is.", access=needs(Permission.CUSTOMERS_READ)
    )
    name: str = plain("What they are called; empty for somebody without a name.")
    email: str = plain("The address that would be written to.")
    role: str | None = plain("What their role is called; null for none.")
    field: RecipientField = plain("Whether they would stand in To or in Cc.")
    chosen: Choice = plain("Who chose them.")
    reasons: list[RecipientReason] = plain("Why the rules would include them, or not.")
    subject: str = plain("The subject.")
    text: str = plain("The plain text.")
    html: str | None = plain("The HTML, sanitised; null for an email of plain text only.")


@strawberry.type(description="A file that would be attached.", directives=[PARENT])
class PreviewedAttachment:
    """A file that would be attached."""

    name: str = plain("What it is called.")
    media_type: str = plain("What it is: a media type such as application/pdf.")
    size: int = plain("How many bytes it has.")
    sha256: str = plain("The SHA-256 of its bytes, in hexadecimal.")
    document: Document | None = referred(
        "document_id",
        models.Document,
        "The customer's document that it is; null for a file that is made for the email.",
        access=needs(Permission.DOCUMENTS_READ),
    )


@strawberry.type(
    description="What sendCommunication would send for the same input now. When it would fail, `errors` say why, and"
    " there are no deliveries.",
    directives=[PARENT],
)
class CommunicationPreview:
    """What would be sent."""

    deliveries: list[PreviewedDelivery] = plain("Who would get it, and what they would read.")
    attachments: list[PreviewedAttachment] = plain(
        f"The files that would be attached to each message; at most {ATTACHMENTS}."
    )
    separate: bool | None = plain("Whether each would get a message of their own; null with errors.")
    template_name: str | None = plain("The template's name; null for a text of one's own, and with errors.")
    suppressed: Suppression | None = plain("Why nothing would be sent to anybody, and the log would say so.")
    warnings: list[str] = plain("What to know before sending, for people.")
    errors: list[UserError] = plain("Why sending it would change nothing; empty when it would work.")
