"""Documents: queries and mutations. A file is received before its transaction begins."""

from __future__ import annotations

import hashlib
from typing import Any

import strawberry

import models
from audit import Change
from models import Busy, ErrorCode, Fault, Permission, Row
from models.identifier import check_id
from models.rows import by_ids
from resolvers.mutation import Sent, actor_of, answered, mutation, mutation_field, recorded
from resolvers.single import single
from schema.access import needs
from schema.context import Info
from schema.document import Document
from schema.document_mutations import (
    DeleteDocumentInput,
    DeleteDocumentPayload,
    RenameDocumentInput,
    RenameDocumentPayload,
    UploadDocumentInput,
    UploadDocumentPayload,
)
from schema.field import given
from services import documents
from services.documents import changing as service
from services.documents.receiving import Received, received

_WRITE = needs(Permission.DOCUMENTS_WRITE)

# The sweep would have to come between publishing and recording as often as this.
_ATTEMPTS = 3


@strawberry.type
class DocumentQuery:
    """Reading documents."""

    document: Document | None = single(
        models.Document, "One document; null when there is none with this ID.", needs(Permission.DOCUMENTS_READ)
    )


async def _upload(root: Any, info: Info, **arguments: Any) -> Row:
    sent = given(arguments["input"])

    async def run() -> Row:
        actor_of(info.context)
        await _check_customer(sent["customer_id"])
        async with received(documents.current(), sent["file"], sent.get("name")) as file:
            return await _record(info, sent, file)

    return await answered(info, run)


async def _check_customer(identifier: str) -> None:
    """Before a large file is read; the transaction looks again."""
    check_id(identifier, models.Customer.prefix, "customer_id")
    if await by_ids(models.Customer)([identifier]) == [None]:
        raise Fault(ErrorCode.NOT_FOUND, "There is no customer with this ID.", ("customer_id",))


async def _record(info: Info, sent: Sent, file: Received) -> Row:
    async def create(change: Change, _sent: Sent) -> Sent:
        return {"document": (await service.create(change, sent["customer_id"], file))["id"]}

    # A repeated request is one with the same operations and the same bytes.
    told_by = hashlib.sha256(f"{sent['file'].request_digest} {file.sha256}".encode()).hexdigest()
    for _ in range(_ATTEMPTS):
        await file.publish()
        try:
            return await recorded(create, {}, info, told_by)
        except service.BytesGone:
            continue
    raise Busy


async def _rename(change: Change, sent: Sent) -> Sent:
    row = await service.rename(change, sent["id"], sent.get("expected_revision"), sent["name"])
    return {"document": row["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await service.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


@strawberry.type
class DocumentMutation:
    """Changing documents."""

    upload_document = mutation_field(
        _upload,
        UploadDocumentInput,
        UploadDocumentPayload,
        "Upload a file: a multipart request with a single file and the header Counterfoil-Upload.",
        _WRITE,
    )
    rename_document = mutation(_rename, RenameDocumentInput, RenameDocumentPayload, "Rename a document.", _WRITE)
    delete_document = mutation(_delete, DeleteDocumentInput, DeleteDocumentPayload, "Delete a document.", _WRITE)
