"""The newest events, read once for all feeds of this process: a feed takes them from here, or pages through the past.

`seq` is dense and in commit order, so a feed is nothing but a position: what follows it is here, or in the database.
Nothing is queued for a feed, however slow its reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from itertools import islice

import structlog

from audit.action import Category
from audit.table import Event
from models import database
from models.engine import Database
from models.out_of_reach import patiently
from models.table import Row, read_list

_log = structlog.get_logger("counterfoil.feed")

# So many events are kept for feeds that are nearly up to date.
KEPT = 1000
_READ_AT_ONCE = 500
# So many feeds at once page through the past: the others who read need connections, too.
_PAGING = 3

COLUMNS = read_list(Event, "t")
_NEWER = f"SELECT {COLUMNS} FROM event t WHERE t.seq > ? ORDER BY t.seq LIMIT {_READ_AT_ONCE}"
_LAST = "SELECT seq FROM event ORDER BY seq DESC LIMIT 1"


class Tail:
    """The newest events of one database; it reads as long as somebody follows.

    `last` is the newest event's number, `access` that of the newest one about who may do what. It goes on after short
    failures of the database; Unavailable to all who follow when one lasts. `paging` are turns at the past.
    """

    def __init__(self, bound: Database) -> None:
        self.database = bound
        self.last = 0
        self.access = 0
        self.followers = 0
        self.paging = asyncio.Semaphore(_PAGING)
        self._rows: deque[Row] = deque(maxlen=KEPT)
        self._news = asyncio.Event()
        self._begun: asyncio.Future[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Tail]:
        """While it is followed it reads. When it cannot, all who follow get the error."""
        if self._reading is None or self._reading.done():
            if self._reading is not None and not self._reading.cancelled():
                # Those who followed it have the error, or go on with the next reader: asyncio need not report it.
                self._reading.exception()
            self._begun = asyncio.get_running_loop().create_future()
            # A context of its own: it reads for all, not for the request that happened to be the first.
            self._reading = asyncio.create_task(self._read(self._begun), context=Context())
        self.followers += 1
        try:
            if self._begun is not None:
                await asyncio.shield(self._begun)
            yield self
        finally:
            self.followers -= 1
            reading = self._reading
            if not self.followers and reading is not None:
                self._reading = None
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    def newer(self, seq: int) -> list[Row] | None:
        """The events after `seq`, oldest first; None when the first of them are not kept any more."""
        missing = self.last - seq
        if missing > len(self._rows):
            return None
        return list(islice(self._rows, len(self._rows) - missing, None)) if missing > 0 else []

    async def newest(self) -> int:
        """The number of the newest event, from the database; 0 when there is none. Unavailable."""
        rows = await patiently(lambda: self.database.fetch(_LAST))
        return int(rows[0]["seq"]) if rows else 0

    def take(self, rows: list[Row]) -> None:
        """Keep the events that follow the last one, and tell those who wait."""
        self._rows.extend(rows)
        self.last = rows[-1]["seq"]
        self.access = max((row["seq"] for row in rows if row["category"] == Category.ACCESS.value), default=self.access)
        self._tell()

    async def wait(self, seq: int, seconds: float) -> None:
        """Wait for an event after `seq`, so long at most. Raises what made reading impossible."""
        if self.last <= seq:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return
        self.check()

    def check(self) -> None:
        """Raise what made reading impossible, if something did."""
        if self._reading is not None and self._reading.done():
            self._reading.result()

    async def _read(self, begun: asyncio.Future[None]) -> None:
        try:
            async with self.database.watched() as watch:
                self._rows.clear()
                self.last = self.access = await self.newest()
                begun.set_result(None)
                while True:
                    await self._take()
                    await watch.changed()
        except Exception as error:
            if not begun.done():
                begun.set_exception(error)
            raise
        finally:
            if not begun.done():
                begun.cancel()
            self._tell()

    async def _take(self) -> None:
        while rows := await patiently(lambda: self.database.fetch(_NEWER, self.last), _failed):
            self.take(rows)

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _failed(error: BaseException) -> None:
    # Once for all who follow, and for all attempts.
    _log.warning("the live history cannot be read: trying again", error=type(error).__name__)


_tails: list[Tail] = []


def tail() -> Tail:
    """The tail of this process's database."""
    bound = database.current()
    if not _tails or _tails[0].database is not bound:
        _tails[:] = [Tail(bound)]
    return _tails[0]
