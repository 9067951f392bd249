"""Removing bytes that nothing names: what broke off, what was refused, what was deleted and never sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from audit import SYSTEM, Change, Request, transact
from models import clock, contents
from services.documents.changing import PATIENCE, lock_name
from services.documents.storage import CONTENTS, Storage, Stored

# What has arrived may wait so long for its row; what is arriving may pause so long.
CONTENTS_KEPT = timedelta(hours=1)
UPLOADS_KEPT = timedelta(hours=24)

_AT_ONCE = 500


@dataclass
class Swept:
    """How many objects were removed, and how many bytes they had."""

    uploads: int = 0
    contents: int = 0
    bytes: int = 0


async def sweep(storage: Storage) -> Swept:
    """Remove what nobody needs. Any number of processes may do so at once, while others upload."""
    swept = Swept()
    async for stored in storage.abandoned(clock.now() - UPLOADS_KEPT):
        await storage.discard(stored)
        swept.uploads += 1
        swept.bytes += stored.size
    waiting: list[Stored] = []
    async for stored in storage.list(CONTENTS):
        if _is_old(stored):
            waiting.append(stored)
        if len(waiting) == _AT_ONCE:
            await _sweep_contents(storage, waiting, swept)
            waiting = []
    await _sweep_contents(storage, waiting, swept)
    return swept


async def _sweep_contents(storage: Storage, candidates: list[Stored], swept: Swept) -> None:
    if not candidates:
        return
    # Most are named: only the others cost a transaction each.
    named = await contents.are_named([_sha256(stored) for stored in candidates])
    for stored, is_named in zip(candidates, named, strict=True):
        if not is_named and await _remove(storage, stored):
            swept.contents += 1
            swept.bytes += stored.size


async def _remove(storage: Storage, stored: Stored) -> bool:
    async def work(change: Change) -> bool:
        await change.lock(lock_name(_sha256(stored)))
        if await contents.are_named([_sha256(stored)]) == [True]:
            return False
        async with asyncio.timeout(PATIENCE):
            now = await storage.find(stored.path)
        if now is None or not _is_old(now):
            return False
        # With no limit but the storage's own, which ends the request: one that is only given up could still happen
        # once the lock is gone.
        await storage.delete(stored.path)
        return True

    return (await transact(SYSTEM, Request.new("Sweep"), work))[0]


def _is_old(stored: Stored) -> bool:
    return stored.modified < clock.now() - CONTENTS_KEPT


def _sha256(stored: Stored) -> str:
    return stored.path.rpartition("/")[2]
