"""A file on its way here, as this package sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class Incoming(Protocol):
    """A file whose bytes pass by once. `filename` is what its sender calls it."""

    @property
    def filename(self) -> str:
        """What the sender calls it."""

    def blocks(self, size: int) -> AsyncIterator[bytes]:
        """The bytes in blocks of `size`, the last one shorter. Fault when they were read already."""
