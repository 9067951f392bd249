"""Whether every document, and every attachment of a communication, has its bytes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

from models import contents
from services.documents.storage import Storage, content_path

_AT_ONCE = 500


async def problems(storage: Storage, *, hashed: bool = False) -> AsyncIterator[str | None]:
    """For each content that documents or communications name, what is wrong with it, or None.

    With `hashed` all of it is read.
    """
    after = ""
    while rows := await contents.named(after, _AT_ONCE):
        for sha256, size in rows:
            yield await _problem(storage, sha256, size, hashed=hashed)
        after = rows[-1][0]


async def _problem(storage: Storage, sha256: str, size: int, *, hashed: bool) -> str | None:
    stored = await storage.find(content_path(sha256))
    if stored is None:
        return f"{sha256}: the bytes are missing"
    if stored.size != size:
        return f"{sha256}: {stored.size:,} bytes in place of {size:,}"
    if hashed:
        digest = hashlib.sha256()
        async for block in storage.read(stored.path, 0, stored.size):
            await asyncio.to_thread(digest.update, block)
        if digest.hexdigest() != sha256:
            return f"{sha256}: other bytes than were uploaded"
    return None
