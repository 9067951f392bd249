"""What stands in an input for a file: its bytes pass by once, and are never all in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from models import Fault


class IncomingFile:
    """A file that a request carries. `filename` is what its sender calls it; `request_digest` tells the rest of the
    request from others.
    """

    def __init__(self, filename: str, pieces: AsyncIterator[bytes], request_digest: str = "") -> None:
        self.filename = filename
        self.request_digest = request_digest
        self._pieces: AsyncIterator[bytes] | None = pieces

    async def blocks(self, size: int) -> AsyncIterator[bytes]:
        """The bytes in blocks of `size`, the last one shorter. Fault when they were read already."""
        pieces, self._pieces = self._pieces, None
        if pieces is None:
            raise Fault.invalid("This file was used by another field: send it again in a request of its own.", "file")
        waiting = bytearray()
        async for piece in pieces:
            waiting += piece
            while len(waiting) >= size:
                yield bytes(waiting[:size])
                del waiting[:size]
        if waiting:
            yield bytes(waiting)
