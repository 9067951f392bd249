"""How many sockets and event streams one client may keep open."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack


class Full(Exception):
    """The client has as many open as it may have. The message says so."""


class Places:
    """So many for each client, known by its address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str | None] = Counter()

    def take(self, client: str | None) -> ExitStack:
        """Take one, until what is returned is closed. Full when the client has all of its own."""
        if self._taken[client] >= self._most:
            raise Full(f"{self._most} open sockets and event streams for each client are allowed: close others first.")
        self._taken[client] += 1
        place = ExitStack()
        place.callback(self._give_back, client)
        return place

    def _give_back(self, client: str | None) -> None:
        self._taken[client] -= 1
        if not self._taken[client]:
            del self._taken[client]
