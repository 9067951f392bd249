"""Reading the long texts that events name by digest."""

from __future__ import annotations

from collections.abc import Iterable

from models.engine import Database


async def bodies(database: Database, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The texts by (about, digest), in one statement; those that have been removed are absent."""
    pairs = set(wanted)
    if not pairs:
        return {}
    # Both conditions, because the primary key begins with `about`.
    rows = await database.fetch(
        f"SELECT about, digest, body FROM event_body WHERE {database.member('about')} AND {database.member('digest')}",
        database.array(sorted({about for about, _ in pairs})),
        database.array(sorted({digest for _, digest in pairs})),
    )
    return {pair: row["body"] for row in rows if (pair := (row["about"], row["digest"])) in pairs}
