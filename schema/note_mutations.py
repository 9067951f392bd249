"""Inputs and payloads of mutations of notes."""

from __future__ import annotations

import strawberry

import models
from schema.access import PARENT
from schema.field import optional, required
from schema.note import Note
from schema.payload import Payload, changed, deleted_id


@strawberry.input(description="A new note.")
class CreateNoteInput:
    """A new note."""

    subject_id: strawberry.ID = required(
        "The customer, the contact or the sales document that it is about; the last needs SALES_DOCUMENTS_READ."
    )
    body: str = required("The text: 1 to 20,000 characters; line breaks are kept.")
    pinned: bool | None = optional("Whether it stands before the others; if omitted, no.")


@strawberry.input(description="A change of a note. What is omitted stays.")
class UpdateNoteInput:
    """A change of a note."""

    id: strawberry.ID = required("Which note.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    body: str | None = optional("The text; cannot be null.")
    pinned: bool | None = optional("Whether it stands before the others; cannot be null.")


@strawberry.input(description="The end of a note. Its texts stay in history.")
class DeleteNoteInput:
    """The end of a note."""

    id: strawberry.ID = required("Which note.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What createNote answers.", directives=[PARENT])
class CreateNotePayload(Payload):
    """What createNote answers."""

    note: Note | None = changed("note", models.Note)


@strawberry.type(description="What updateNote answers.", directives=[PARENT])
class UpdateNotePayload(Payload):
    """What updateNote answers."""

    note: Note | None = changed("note", models.Note)


@strawberry.type(description="What deleteNote answers.", directives=[PARENT])
class DeleteNotePayload(Payload):
    """What deleteNote answers."""

    deleted_id: strawberry.ID | None = deleted_id()
