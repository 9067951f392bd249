"""Documents, and the key that signs the addresses from which they are downloaded."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "Documents"

_STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS "document" (
    id {key} NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    customer_id {key} NOT NULL REFERENCES "customer" (id) ON DELETE RESTRICT ON UPDATE NO ACTION,
    name TEXT NOT NULL,
    name_key {key} NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 {key} NOT NULL CHECK (length(sha256) = 64),
    media_type TEXT NOT NULL,
    uploader_kind TEXT NOT NULL,
    uploader_id TEXT,
    uploader_name TEXT NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS document_customer_id ON "document" (customer_id, name_key, id)',
    'CREATE INDEX IF NOT EXISTS document_customer_id_created_at ON "document" (customer_id, created_at, id)',
    'CREATE INDEX IF NOT EXISTS document_sha256 ON "document" (sha256)',
    """CREATE TABLE IF NOT EXISTS "signing_key" (
    id {key} NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL)""",
)


async def forwards() -> MigrationManager:
    """Create the tables. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
