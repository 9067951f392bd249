"""Sessions and API keys as requests come with them: found by the digest of their token, in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from models.database import current
from models.table import Row

_SESSION = """
SELECT s.id AS session_id, s.last_used_at, s.expires_at, u.id, u.name, u.email, u.active, r.permissions
FROM session s JOIN "user" u ON u.id = s.user_id LEFT JOIN user_role r ON r.id = u.role_id WHERE s.{column} = ?"""

_API_KEY = """
SELECT k.id, k.name, k.permissions, k.expires_at, k.revoked_at, u.active, r.permissions AS maker_permissions
FROM api_key k JOIN "user" u ON u.id = k.created_by LEFT JOIN user_role r ON r.id = u.role_id WHERE k.{column} = ?"""


async def by_token(token_hash: str) -> Row | None:
    """The session with its user (id, name, email, active) and the permissions of the user's role."""
    return _with_permissions(await current().fetch(_SESSION.format(column="token_hash"), token_hash))


async def by_id(session_id: str) -> Row | None:
    """As `by_token`, found by the session's id."""
    return _with_permissions(await current().fetch(_SESSION.format(column="id"), session_id))


async def by_ids(session_ids: Sequence[str]) -> dict[str, Row]:
    """As `by_id`, for many at once: those that are there, by id. One statement."""
    return await _all(_SESSION, "s.id", "session_id", session_ids)


async def api_keys_by_ids(key_ids: Sequence[str]) -> dict[str, Row]:
    """As `api_key_by_id`, for many at once: those that are there, by id. One statement."""
    found = await _all(_API_KEY, "k.id", "id", key_ids)
    return {key_id: _within_maker(row) for key_id, row in found.items()}


async def _all(select: str, column: str, key: str, ids: Sequence[str]) -> dict[str, Row]:
    if not ids:
        return {}
    bound = current()
    rows = await bound.fetch(f"{select.partition(' WHERE ')[0]} WHERE {bound.member(column)}", bound.array(list(ids)))
    return {row[key]: row for found in rows if (row := _with_permissions([found])) is not None}


async def api_key_by_token(token_hash: str) -> Row | None:
    """The API key with its permissions, and whether its maker is `active`. What the maker may not do, it may not."""
    return await _api_key("token_hash", token_hash)


async def api_key_by_id(key_id: str) -> Row | None:
    """As `api_key_by_token`, found by the key's id."""
    return await _api_key("id", key_id)


async def _api_key(column: str, value: str) -> Row | None:
    row = _with_permissions(await current().fetch(_API_KEY.format(column=column), value))
    return None if row is None else _within_maker(row)


def _within_maker(row: Row) -> Row:
    maker = json.loads(row["maker_permissions"] or "[]")
    return {**row, "permissions": [name for name in row["permissions"] if name in maker]}


def _with_permissions(rows: list[Row]) -> Row | None:
    if not rows:
        return None
    return {**rows[0], "permissions": json.loads(rows[0]["permissions"] or "[]")}


async def create(session_id: str, user_id: str, token_hash: str, at: datetime, expires_at: datetime) -> None:
    """Begin a session, in the transaction that records it. Sessions that are over go."""
    await current().fetch("DELETE FROM session WHERE expires_at <= ?", at)
    await current().fetch(
        "INSERT INTO session (id, user_id, token_hash, created_at, last_used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        session_id,
        user_id,
        token_hash,
        at,
        at,
        expires_at,
    )


def touch(session_id: str, at: datetime) -> None:
    """Have it noted that the session was used, in a write transaction of its own for which nobody waits."""
    current().later.do(f"use of {session_id}", partial(_touch, session_id, at))


async def _touch(session_id: str, at: datetime) -> None:
    async with current().write() as transaction:
        sql = "UPDATE session SET last_used_at = ? WHERE id = ? AND last_used_at < ?"
        await transaction.fetch(sql, at, session_id, at)


async def delete(session_id: str) -> bool:
    """End a session, in the transaction that records it; whether it was there."""
    return bool(await current().fetch("DELETE FROM session WHERE id = ? RETURNING id", session_id))


async def delete_of_user(user_id: str, *, keep: str | None = None) -> int:
    """End the user's sessions but `keep`, in the transaction that records it; how many there were."""
    sql = "DELETE FROM session WHERE user_id = ? AND id <> ? RETURNING id"
    return len(await current().fetch(sql, user_id, keep or ""))
