"""SQLite tells nobody of commits, but it can be asked, and the answer costs some microseconds."""

from __future__ import annotations

from collections.abc import Callable

from models.engine.watch import Watch

# Seconds between two questions. Commits of this process are known at once.
ASK_EVERY = 0.25


class SqliteWatch(Watch):
    """Asks for `PRAGMA data_version`, which changes with every commit of another process."""

    def __init__(self, commits: list[Callable[[], None]], version: Callable[[], int | None]) -> None:
        super().__init__(commits)
        self._version = version
        self._seen: int | None = None

    async def changed(self) -> None:
        """See Watch."""
        while not await self._woken_within(ASK_EVERY):
            seen, self._seen = self._seen, self._version()
            if self._seen is None or self._seen != seen:
                return
