"""Finding contacts by what others say about them."""

from __future__ import annotations

from collections.abc import Sequence

from models.database import current


async def contacts_written_to(delivery_ids: Sequence[str]) -> list[str]:
    """The ids of all contacts whose preferred email address is one that these deliveries went to. One statement."""
    bound = current()
    addresses = f"SELECT d.email_key FROM delivery d WHERE {bound.member('d.id')}"
    sql = f"SELECT id FROM contact WHERE email_key IN ({addresses}) ORDER BY id"
    return [row["id"] for row in await bound.fetch(sql, bound.array(list(delivery_ids)))]
