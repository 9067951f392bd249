"""Taking a file in: streamed into the storage while it is counted, hashed and recognised, never all in memory."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models import ErrorCode, Fault
from services.documents.incoming import Incoming
from services.documents.media_type import Recogniser
from services.documents.name import clean
from services.documents.storage import UPLOADS, Storage, content_path

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A file that has arrived whole, and is allowed. No row names it yet."""

    name: str
    size: int
    sha256: str
    media_type: str
    storage: Storage
    upload_path: str

    async def publish(self) -> None:
        """Put the bytes where rows expect them: written anew, so that for an hour no sweep takes them away."""
        await self.storage.copy(self.upload_path, content_path(self.sha256))


@asynccontextmanager
async def received(storage: Storage, incoming: Incoming, name: str | None) -> AsyncIterator[Received]:
    """The file, under `name` or what its sender calls it, until the end of the block: then only published bytes stay.

    Fault INVALID at `name` or `file`, LIMIT_REACHED at `file` when it is too large: nothing of it stays then either.
    """
    kept_name = clean(incoming.filename if name is None else name)
    path = f"{UPLOADS}/{secrets.token_hex(16)}"
    digest, recogniser, size = hashlib.sha256(), Recogniser(), 0
    try:
        async with storage.writing(path) as writer:
            async for block in incoming.blocks(_BLOCK):
                size += len(block)
                if size > storage.max_upload:
                    most = f"Send a file of at most {storage.max_upload:,} bytes: this one is larger."
                    raise Fault(ErrorCode.LIMIT_REACHED, most, ("file",))
                await asyncio.to_thread(_see, block, digest, recogniser)
                await writer.write(block)
            if not size:
                raise Fault.invalid("Send a file with something in it: this one is empty.", "file")
            media_type = await asyncio.to_thread(recogniser.media_type, kept_name)
        yield Received(kept_name, size, digest.hexdigest(), media_type, storage, path)
    finally:
        await storage.delete(path)


def _see(block: bytes, digest: hashlib._Hash, recogniser: Recogniser) -> None:
    digest.update(block)
    recogniser.see(block)
