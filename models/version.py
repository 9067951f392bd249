"""Which database this is."""

from __future__ import annotations

from models.engine import Database


async def version(database: Database) -> str:
    """Product and version, such as `SQLite 3.45.1`."""
    if database.dialect == "sqlite":
        return f"SQLite {(await database.fetch('SELECT sqlite_version() AS version'))[0]['version']}"
    return f"PostgreSQL {(await database.fetch('SHOW server_version'))[0]['server_version'].partition(' ')[0]}"
