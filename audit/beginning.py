"""Whether anything has ever happened here."""

from __future__ import annotations

from models import current


async def has_begun() -> bool:
    """Whether history has an event."""
    return bool(await current().fetch("SELECT seq FROM event LIMIT 1"))
