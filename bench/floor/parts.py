"""What several answers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.history import Detail
from bench.readers import Reader, Rows


async def by_id(reader: Reader, sql: str, ids: list[str]) -> Rows:
    """The rows with these ids; no statement without any."""
    return await reader.fetch(sql, reader.array(ids)) if ids else []


def subject(row: Mapping[str, Any], detail: Detail) -> dict[str, Any]:
    """What an event is about."""
    return {"type": row["subject_type"].upper(), "id": row["subject_id"], "label": detail.subject_label}


def connection(found: Rows, size: int, cursors: list[str], nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """A page with the cursor of each node; of what was `found` the page is at most `size`."""
    edges = [{"cursor": place, "node": node} for place, node in zip(cursors, nodes, strict=True)]
    return {"edges": edges, "pageInfo": page_info(found, size, cursors[-1] if cursors else None)}


def page_info(found: Rows, size: int, end: str | None) -> dict[str, Any]:
    """Whether there are more, and where the page ends."""
    return {"hasNextPage": len(found) > size, "endCursor": end}
