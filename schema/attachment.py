"""What communications attached: files as they were then, also when the customer's document is gone."""

from __future__ import annotations

from typing import Any

import strawberry

import models
from models import Permission, Row, download, signing_key
from models.communication import ATTACHMENTS
from schema.access import PARENT, needs
from schema.context import Context
from schema.document import Document
from schema.field import batched, derived, plain, referred
from schema.stored import stored_json


def _download_url(row: Row, secret: str, context: Context) -> Any:
    return download.attachment_address(row, context.grantee_id or "", secret)


@strawberry.type(description="A file that a communication attached. Its bytes never change.", directives=[PARENT])
class Attachment:
    """A file that a communication attached."""

    name: str = plain("What the file was called then.")
    media_type: str = plain("What it is: a media type such as application/pdf.")
    size: int = plain("How many bytes it has.")
    sha256: str = plain("The SHA-256 of its bytes, in hexadecimal.")
    document: Document | None = referred(
        "document_id",
        models.Document,
        "The customer's document that it is; null when it was deleted since, or when the file was made for the email.",
        access=needs(Permission.DOCUMENTS_READ),
    )
    download_url: str = batched(
        lambda _row: signing_key.DOWNLOADS,
        signing_key.by_names,
        "Where to download it with GET: a path on this server. It works for five minutes and needs no other sign-in, "
        "as long as whoever asked for it is signed in and may read the communication, and documents if it is one.",
        then=_download_url,
    )


def attachments() -> Any:
    """The `attachments` field of a communication."""

    def value(row: Row) -> list[Row]:
        found = stored_json(row["attachments"])
        return [{**item, "communication_id": row["id"], "position": index} for index, item in enumerate(found)]

    return derived(value, "The files that were attached to each of its messages.", at_most=ATTACHMENTS)
