"""What may happen to documents: uploaded, renamed, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

from audit import Change
from models import Busy, Customer, Document, ErrorCode, Fault, Row
from services.documents.media_type import renamed
from services.documents.name import clean
from services.documents.receiving import Received
from services.documents.storage import content_path

# Seconds for one question to the storage while a transaction waits; before the storage's own limit, which is an error.
PATIENCE = 6


class BytesGone(Exception):
    """Between arrival and transaction a sweep took the bytes away: publish them again."""


async def create(change: Change, customer_id: str, received: Received) -> Row:
    """Give the customer the document. Fault LIMIT_REACHED at `file` beyond the customer's quota.

    The lock on the checksum keeps the sweep away until the row is there; it is looked at the bytes only under it.
    """
    customer = await change.get(Customer, customer_id, field=("customer_id",))
    await change.lock(lock_name(received.sha256))
    await _check_quota(change, customer, received)
    if not await _has_bytes(received):
        raise BytesGone
    uploader = {
        "uploader_kind": change.actor.kind.value,
        "uploader_id": change.actor.id,
        "uploader_name": change.actor.name,
    }
    facts: dict[str, Any] = {
        "customer_id": customer["id"],
        "name": received.name,
        "size": received.size,
        "sha256": received.sha256,
        "media_type": received.media_type,
    }
    return await change.insert(Document, {**facts, **uploader})


async def rename(change: Change, identifier: str, expected_revision: int | None, name: str | None) -> Row:
    """Call the document otherwise. Its bytes stay what they are, so the name must fit them."""
    if name is None:
        raise Fault.invalid("Name is required: it cannot be null.", "name")
    row = await change.get(Document, identifier, expected_revision)
    kept = clean(name)
    return await change.update(Document, row, {"name": kept, "media_type": renamed(kept, row["media_type"])})


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a document. Name, size and checksum stay in history; the bytes go with the next sweep."""
    await change.delete(Document, await change.get(Document, identifier, expected_revision, to_delete=True))


def lock_name(sha256: str) -> str:
    """The named lock under which rows that name these bytes appear, and under which the bytes are removed."""
    return f"document:{sha256}"


async def _check_quota(change: Change, customer: Row, received: Received) -> None:
    quota = received.storage.quota
    left = quota - await change.total(Document, "size", customer_id=customer["id"])
    if received.size > left:
        told = f"A customer's documents may have {quota:,} bytes in all: {max(left, 0):,} are left. Delete others."
        raise Fault(ErrorCode.LIMIT_REACHED, told, ("file",))


async def _has_bytes(received: Received) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            found = await received.storage.find(content_path(received.sha256))
    except TimeoutError as error:
        raise Busy from error
    return found is not None and found.size == received.size
