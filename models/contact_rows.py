"""Finding contacts by what others say about them."""

from __future__ import annotations

from collections.abc import Sequence

from models import text
from models.database import current


async def contacts_written_to(delivery_ids: Sequence[str]) -> list[str]:
    """The ids of all contacts whose preferred email address is one that these deliveries went to. One statement."""
    bound = current()
    addresses = f"SELECT d.email_key FROM delivery d WHERE {bound.member('d.id')}"
    sql = f"SELECT id FROM contact WHERE email_key IN ({addresses}) ORDER BY id"
    return [row["id"] for row in await bound.fetch(sql, bound.array(list(delivery_ids)))]


async def still_written_to(contact_id: str | None, address: str) -> bool:
    """Whether the contact is active and prefers this email address, which stays so until the end of the write
    transaction that is open. One statement.
    """
    bound = current()
    locked = " FOR SHARE" if bound.dialect == "postgres" else ""
    sql = f"SELECT id FROM contact WHERE id = ? AND active AND email_key = ?{locked}"
    return bool(await bound.fetch(sql, contact_id, text.key(address)))
