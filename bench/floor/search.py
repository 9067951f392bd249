"""Searching contacts: an index finds few, and of many the page is sooner found along the list's own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench import cursor
from bench.floor.parts import by_id, connection
from bench.readers import Reader, Rows
from models import text

# Above so many hits the index is of no use: on PostgreSQL, on SQLite.
_FEW = 500
_SOME = 5_000


async def search(reader: Reader, body: Mapping[str, Any]) -> dict[str, Any]:
    """Contacts with all of the words, each of three letters or more, their customers and their roles."""
    size = body["first"]
    words = text.folded(body["search"]).split()
    found = await (_postgres if reader.statements.postgres else _sqlite)(reader, words, size)
    page = found[:size]
    customers = await _named(reader, reader.statements.customers_by_id, page, "customer_id")
    roles = await _named(reader, reader.statements.roles, page, "role_id")
    signature = cursor.search_signature(body["search"])
    cursors = [cursor.of_found_contact(signature, row) for row in page]
    nodes = [_node(row, customers, roles) for row in page]
    return {"contacts": connection(found, size, cursors, nodes)}


async def _sqlite(reader: Reader, words: Sequence[str], size: int) -> Rows:
    index = "SELECT rowid FROM contact_search WHERE contact_search MATCH ?"
    asked = " AND ".join('("' + word.replace('"', '""') + '")' for word in words)
    [counted] = await reader.fetch(f"SELECT count(*) AS n FROM ({index} LIMIT {_SOME + 1})", asked)
    like, patterns = _like(words)
    if counted["n"] > _SOME:
        return await reader.fetch(reader.statements.contacts(like, size), *patterns)
    return await reader.fetch(reader.statements.contacts(f"t.rowid IN ({index}) AND {like}", size), asked, *patterns)


async def _postgres(reader: Reader, words: Sequence[str], size: int) -> Rows:
    grams = "counterfoil_trigrams"
    index = " AND ".join(f"({grams}(t.search_key) @> {grams}(?))" for _ in words)
    like, patterns = _like(words)
    hits = await reader.fetch(reader.statements.contact_ids(f"{index} AND {like}", _FEW), *words, *patterns)
    if len(hits) > _FEW:
        return await reader.fetch(reader.statements.contacts(like, size), *patterns)
    ids = reader.array([row["id"] for row in hits])
    member = reader.statements.member("t.id")
    return await reader.fetch(reader.statements.contacts(f"{member} AND {like}", size), ids, *patterns)


def _like(words: Sequence[str]) -> tuple[str, list[str]]:
    escaped = (word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words)
    return " AND ".join("(t.search_key LIKE ? ESCAPE '\\')" for _ in words), [f"%{word}%" for word in escaped]


async def _named(reader: Reader, sql: str, page: Rows, column: str) -> dict[str, dict[str, Any]]:
    ids = dict.fromkeys(row[column] for row in page if row[column] is not None)
    return {row["id"]: {"id": row["id"], "name": row["name"]} for row in await by_id(reader, sql, list(ids))}


def _node(row: Mapping[str, Any], customers: Mapping[str, Any], roles: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "title": row["title"],
        "email": row["email"],
        "phone": row["phone"],
        "customer": customers[row["customer_id"]],
        "role": roles.get(row["role_id"]),
    }
