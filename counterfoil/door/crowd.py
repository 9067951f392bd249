"""How many operations one client may have running at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from counterfoil.door.address import block_of
from counterfoil.door.refusing import Refused
from schema.context import Context


class Crowd:
    """The operations that run in this process, by who asks: the actor, or the address of somebody not signed in."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[str | None] = Counter()

    @contextmanager
    def joined(self, context: Context) -> Iterator[None]:
        """Run one more operation inside the block. Refused with 429 (RFC 6585, 4) when there are too many."""
        who = context.actor.id if context.actor is not None else block_of(context.request.client_address)
        if self._running[who] >= self._most:
            raise Refused(
                429, f"At most {self._most} operations of a client run at once.", "TOO_MANY_OPERATIONS", Retry_After="1"
            )
        self._running[who] += 1
        try:
            yield
        finally:
            self._running[who] -= 1
            if not self._running[who]:
                del self._running[who]
