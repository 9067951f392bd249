"""How often one client is refused something in a second: who sends what is refused as fast as it can waits for it.

A refusal takes up to some milliseconds of the event loop, which others want, too. Answers that are none come at once.
"""

from __future__ import annotations

import asyncio

from counterfoil.door.address import block_of

# Seconds: of refusals that come at once after a while without any; that one waits at most.
SAVED = 0.25
LONGEST = 5.0
# A refusal takes a turn for each so many bytes that were read for it, and at most so many turns.
BYTES = 1024
MOST_TURNS = 10
# Of the ASGI scope: how many bytes were read for a request, unpacked.
READ = "counterfoil.read"
# Seconds between two looks at who has been quiet.
_SWEEP = 1.0


class Pace:
    """So many refusals a second for each client, known by its block of addresses; further ones wait for their turn."""

    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second
        # When the next one of a client is due, on the event loop's clock.
        self._due: dict[str | None, float] = {}
        self._swept = 0.0

    async def kept(self, address: str | None, read: int) -> float:
        """Return when a client may have another refusal, of what so many bytes were read of: after so many seconds."""
        if seconds := self.owed(address, read):
            await asyncio.sleep(seconds)
        return seconds

    def owed(self, address: str | None, read: int) -> float:
        """Take the turns of a refusal, of what so many bytes were read of: in so many seconds the first comes."""
        turns = 1 + min(read // BYTES, MOST_TURNS - 1)
        return self.wait(address, asyncio.get_running_loop().time(), turns)

    def free(self, address: str | None, now: float) -> bool:
        """Whether it is the client's turn, which it takes then: who asks too early loses nothing by it."""
        if self._due.get(block_of(address), 0.0) > now:
            return False
        self.wait(address, now)
        return True

    def wait(self, address: str | None, now: float, turns: int = 1) -> float:
        """Take the next turns of the client at this address: in so many seconds the first of them comes."""
        client = block_of(address)
        due = max(self._due.get(client, 0.0), now - SAVED)
        if due - now >= LONGEST:
            return LONGEST
        if now - self._swept >= _SWEEP:
            self._swept = now
            self._due = {each: until for each, until in self._due.items() if until > now - SAVED}
        self._due[client] = due + turns * self._between
        return max(0.0, due - now)
