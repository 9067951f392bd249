"""How many sockets and event streams one client may keep open."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

from counterfoil.door.address import block_of
from counterfoil.door.refusing import Refused


class Places:
    """So many for each client, known by its address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str | None] = Counter()

    def take(self, client: str | None) -> ExitStack:
        """Take one, until what is returned is closed. Refused with 429 when the client has all of its own."""
        client = block_of(client)
        if self._taken[client] >= self._most:
            told = f"At most {self._most} sockets and event streams of a client are open at once."
            raise Refused(429, told, "TOO_MANY_SOCKETS", Retry_After="1")
        self._taken[client] += 1
        place = ExitStack()
        place.callback(self._give_back, client)
        return place

    def _give_back(self, client: str | None) -> None:
        self._taken[client] -= 1
        if not self._taken[client]:
            del self._taken[client]
