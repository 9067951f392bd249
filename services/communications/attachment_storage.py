"""Keeping files that Counterfoil makes itself, such as an invoice's PDF, so that communications can attach them."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from services.communications.draft import Attachment
from services.documents.storage import UPLOADS, Storage, content_path


async def keep(storage: Storage, name: str, media_type: str, data: bytes) -> Attachment:
    """The file as an attachment, its bytes published under their checksum. Outside of transactions.

    It may be called again with the same bytes. They are written anew each time, so that for an hour no sweep takes them
    away: until then a communication has to name them. ValueError when there are no bytes.
    """
    if not data:
        raise ValueError("an attachment has something in it")
    sha256 = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
    path = f"{UPLOADS}/{secrets.token_hex(16)}"
    try:
        async with storage.writing(path) as writer:
            await writer.write(data)
        # Beside the name until they are whole, and copied: nobody finds half of the bytes under their checksum.
        await storage.copy(path, content_path(sha256))
    finally:
        await storage.delete(path)
    return Attachment(name, media_type, len(data), sha256)
