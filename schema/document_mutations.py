"""Inputs and payloads of mutations of documents."""

from __future__ import annotations

import strawberry

import models
from schema.access import PARENT
from schema.document import Document
from schema.field import optional, required
from schema.payload import Payload, changed, deleted_id
from schema.scalars import Upload


@strawberry.input(description="A new document.")
class UploadDocumentInput:
    """A new document."""

    customer_id: strawberry.ID = required("The customer in whose profile it will stand.")
    file: Upload = required("The file: the variable is null, and a part of the multipart request stands for it.")
    name: str | None = optional(
        "What to call it, with an extension that fits the content: 1 to 255 bytes of UTF-8 without / and \\. "
        "If omitted or null, what the part of the request calls it."
    )


@strawberry.input(description="Another name for a document.")
class RenameDocumentInput:
    """Another name for a document."""

    id: strawberry.ID = required("Which document.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str = required("What to call it, with an extension that fits the content.")


@strawberry.input(description="The end of a document. Its name, size and checksum stay in history, its bytes do not.")
class DeleteDocumentInput:
    """The end of a document."""

    id: strawberry.ID = required("Which document.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What uploadDocument answers.", directives=[PARENT])
class UploadDocumentPayload(Payload):
    """What uploadDocument answers."""

    document: Document | None = changed("document", models.Document)


@strawberry.type(description="What renameDocument answers.", directives=[PARENT])
class RenameDocumentPayload(Payload):
    """What renameDocument answers."""

    document: Document | None = changed("document", models.Document)


@strawberry.type(description="What deleteDocument answers.", directives=[PARENT])
class DeleteDocumentPayload(Payload):
    """What deleteDocument answers."""

    deleted_id: strawberry.ID | None = deleted_id()
