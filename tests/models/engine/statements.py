"""What the tests of the engine do again and again."""

from __future__ import annotations

from models.engine import Database

INSERT = "INSERT INTO item (id, n) VALUES (?, 1)"
# The errors with which the databases refuse a write outside a transaction.
READ_ONLY = "readonly database|read-only transaction"


async def add(database: Database, id: str) -> None:
    """Insert the item `id` in a transaction of its own."""
    async with database.write() as transaction:
        await transaction.fetch(INSERT, id)


async def ids(database: Database) -> list[str]:
    """The ids of all items, in order."""
    return [row["id"] for row in await database.fetch("SELECT id FROM item ORDER BY id")]
