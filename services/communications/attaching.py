"""Attaching files: the customer's documents, and what was made for the email. Their bytes must be there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from audit import Change
from models import Busy, Document, ErrorCode, Fault, Row
from models.communication import ATTACHMENTS
from models.identifier import check_id
from models.rows import by_ids
from services.communications.draft import Attachment
from services.documents.changing import PATIENCE, lock_name
from services.documents.storage import Storage, content_path

# Bytes grow by more than a third on their way through mail servers, most of which take 25 MB.
MOST_BYTES = 18 * 1024 * 1024

Field = tuple[str | int, ...]


async def from_documents(
    customer_id: str, document_ids: Sequence[str], field: Field = ("document_ids",)
) -> list[Attachment]:
    """The customer's documents, in this order. Fault at their item: NOT_FOUND, INVALID for another customer's and for
    the same one twice; LIMIT_REACHED.
    """
    if len(document_ids) > ATTACHMENTS:
        raise Fault(ErrorCode.LIMIT_REACHED, f"Attach at most {ATTACHMENTS} documents.", field)
    for index, identifier in enumerate(document_ids):
        check_id(identifier, Document.prefix, *field, index)
        if identifier in document_ids[:index]:
            raise Fault.invalid("This document is attached twice: name it once.", *field, index)
    rows = await by_ids(Document)(document_ids)
    return [_of(row, customer_id, (*field, index)) for index, row in enumerate(rows)]


def _of(row: Row | None, customer_id: str, field: Field) -> Attachment:
    if row is None:
        raise Fault(ErrorCode.NOT_FOUND, "There is no document with this ID.", field)
    if row["customer_id"] != customer_id:
        raise Fault.invalid("This document belongs to another customer.", *field)
    return Attachment(row["name"], row["media_type"], row["size"], row["sha256"], row["id"])


def check_limits(attachments: Sequence[Attachment], field: Field) -> None:
    """Fault LIMIT_REACHED for more files or bytes than mail servers take."""
    if len(attachments) > ATTACHMENTS:
        raise Fault(ErrorCode.LIMIT_REACHED, f"Attach at most {ATTACHMENTS} files.", field)
    size = sum(attachment.size for attachment in attachments)
    if size > MOST_BYTES:
        told = f"Attach at most {MOST_BYTES:,} bytes in all, or mail servers refuse it: these are {size:,}."
        raise Fault(ErrorCode.LIMIT_REACHED, told, field)


async def check_bytes(storage: Storage, attachments: Sequence[Attachment], fields: Sequence[Field]) -> None:
    """Fault NOT_FOUND at the field of the first whose bytes are not there. Outside of transactions.

    What is a document's, or was sent before, stays as long as the row that names it.
    """
    for attachment, field in zip(attachments, fields, strict=True):
        if not await _is_there(storage, attachment):
            raise Fault(
                ErrorCode.NOT_FOUND, f"The bytes of {attachment.name} are missing in the document storage.", field
            )


async def hold(change: Change, storage: Storage, attachments: Sequence[Attachment]) -> None:
    """Keep the sweep from the bytes of files that were made for the email and that no row names yet. Busy when it came
    before: an hour has passed since they were made.
    """
    for attachment in sorted(attachments, key=lambda attachment: attachment.sha256):
        if attachment.document_id is None:
            await change.lock(lock_name(attachment.sha256))
            try:
                async with asyncio.timeout(PATIENCE):
                    is_there = await _is_there(storage, attachment)
            except TimeoutError as error:
                raise Busy from error
            if not is_there:
                raise Busy


async def _is_there(storage: Storage, attachment: Attachment) -> bool:
    found = await storage.find(content_path(attachment.sha256))
    return found is not None and found.size == attachment.size
