"""What mutations with an Idempotency-Key answered, for 24 hours."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from models.database import current
from models.engine.program import Statement
from models.table import encode

KEPT = timedelta(hours=24)


async def find(identifier: str, at: datetime) -> tuple[str, Any] | None:
    """What tells an earlier request, and the result that answered it, if that is not too old."""
    rows = await current().fetch(
        "SELECT body_hash, result FROM idempotency_key WHERE id = ? AND created_at > ?", identifier, at - KEPT
    )
    return (rows[0]["body_hash"], json.loads(rows[0]["result"])) if rows else None


async def forget(at: datetime) -> None:
    """Remove what is too old."""
    await current().fetch("DELETE FROM idempotency_key WHERE created_at <= ?", at - KEPT)


def remember(identifier: str, body_hash: str, result: Any, at: datetime) -> Statement:
    """The statement that keeps an answer."""
    return (
        "INSERT INTO idempotency_key (id, body_hash, result, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (identifier, body_hash, encode(result), at),
    )
