"""Keys that sign what leaves the product and comes back: made at random once, the same in all processes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from models import clock
from models.database import current

DOWNLOADS = "downloads"


async def by_names(names: Sequence[str]) -> list[str]:
    """A loader: the keys with these names. One that does not exist is made, in a write transaction of its own."""
    bound = current()
    found = await _find(names)
    missing = [name for name in names if name not in found]
    if missing:
        async with bound.write() as transaction:
            for name in missing:
                await transaction.fetch(
                    "INSERT INTO signing_key (id, secret, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    name,
                    secrets.token_hex(32),
                    clock.now(),
                )
        found = await _find(names)
    return [found[name] for name in names]


async def _find(names: Sequence[str]) -> dict[str, str]:
    bound = current()
    rows = await bound.fetch(f"SELECT id, secret FROM signing_key WHERE {bound.member('id')}", bound.array(list(names)))
    return {row["id"]: row["secret"] for row in rows}
