"""Which bytes documents name: several documents may have the same."""

from __future__ import annotations

from models.database import current


async def named(after: str, most: int) -> list[tuple[str, int]]:
    """Checksums behind `after`, in their order, with their numbers of bytes: `most` of them at most."""
    sql = "SELECT sha256, max(size) AS size FROM document WHERE sha256 > ? GROUP BY sha256 ORDER BY sha256 LIMIT ?"
    return [(row["sha256"], int(row["size"])) for row in await current().fetch(sql, after, most)]
