"""Notes: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Change
from models import Permission
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from schema.access import needs
from schema.note import Note
from schema.note_mutations import (
    CreateNoteInput,
    CreateNotePayload,
    DeleteNoteInput,
    DeleteNotePayload,
    UpdateNoteInput,
    UpdateNotePayload,
)
from services import notes as service

_WRITE = needs(Permission.NOTES_WRITE)


@strawberry.type
class NoteQuery:
    """Reading notes."""

    note: Note | None = single(
        models.Note,
        "One note; null when there is none with this ID, or when it is on a sales document and you may not see those.",
        needs(Permission.NOTES_READ),
    )


async def _create(change: Change, sent: Sent) -> Sent:
    return {"note": (await service.create(change, sent))["id"]}


async def _update(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"note": (await service.update(change, identifier, revision, sent))["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await service.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


@strawberry.type
class NoteMutation:
    """Changing notes."""

    create_note = mutation(_create, CreateNoteInput, CreateNotePayload, "Write a note.", _WRITE)
    update_note = mutation(_update, UpdateNoteInput, UpdateNotePayload, "Change, pin or unpin a note.", _WRITE)
    delete_note = mutation(_delete, DeleteNoteInput, DeleteNotePayload, "Delete a note.", _WRITE)
