"""Which bytes are named: by documents, and by communications that attach them. Several may name the same."""

from __future__ import annotations

from collections.abc import Sequence

from models.database import current

_NAMED = (
    "SELECT sha256, size FROM document WHERE {0} UNION ALL SELECT sha256, size FROM communication_content WHERE {0}"
)


async def named(after: str, most: int) -> list[tuple[str, int]]:
    """Checksums behind `after`, in their order, with their numbers of bytes: `most` of them at most."""
    behind = _NAMED.format("sha256 > ?")
    sql = f"SELECT sha256, max(size) AS size FROM ({behind}) n GROUP BY sha256 ORDER BY sha256 LIMIT ?"
    return [(row["sha256"], int(row["size"])) for row in await current().fetch(sql, after, after, most)]


async def are_named(checksums: Sequence[str]) -> list[bool]:
    """A loader: whether anything names the bytes with these checksums. One statement, in a transaction or outside."""
    bound = current()
    wanted = bound.array(list(checksums))
    found = await bound.fetch(_NAMED.format(bound.member("sha256")), wanted, wanted)
    known = {row["sha256"] for row in found}
    return [checksum in known for checksum in checksums]
