"""The session check of what is measured beside the product: the same statement, and the same permission."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.readers import Reader
from models import clock
from services.viewer import IDLE


@dataclass(frozen=True)
class Visitor:
    """Who sends a request, with the names of their permissions."""

    id: str
    name: str
    permissions: frozenset[str]


async def visitor(reader: Reader, authorization: str) -> Visitor | None:
    """Who sends the bearer token; None when nobody with a live session does."""
    token_hash = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    rows = await reader.fetch(reader.statements.session, token_hash)
    if not rows or not _alive(rows[0]):
        return None
    return Visitor(rows[0]["id"], rows[0]["name"], frozenset(json.loads(rows[0]["permissions"] or "[]")))


def moment(value: datetime | str) -> datetime:
    """A time as the plain driver brings it: SQLite's has none and brings text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _alive(row: Mapping[str, Any]) -> bool:
    now = clock.now()
    return bool(row["active"]) and now < moment(row["expires_at"]) and now < moment(row["last_used_at"]) + IDLE
