"""The event, its details and the long texts that they name."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "The event"

_STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS "event" (
    seq {big_primary},
    at TIMESTAMPTZ NOT NULL,
    action TEXT NOT NULL,
    category TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id {key},
    subject_type TEXT NOT NULL,
    subject_id {key} NOT NULL,
    revision INTEGER NOT NULL,
    customer_id {key},
    sales_document_id {key},
    request_id TEXT NOT NULL,
    leaf TEXT NOT NULL,
    leaf_hash TEXT NOT NULL,
    CHECK (seq >= 1),
    CHECK (actor_kind IN ('USER', 'CONTACT', 'ACCOUNTING', 'SYSTEM', 'DATABASE')),
    CHECK (actor_kind NOT IN ('USER', 'CONTACT', 'ACCOUNTING') OR actor_id IS NOT NULL),
    CHECK (actor_kind <> 'DATABASE' OR actor_id IS NULL))""",
    'CREATE INDEX IF NOT EXISTS event_at ON "event" (at)',
    'CREATE INDEX IF NOT EXISTS event_customer_id ON "event" (customer_id, seq)',
    'CREATE INDEX IF NOT EXISTS event_subject_id ON "event" (subject_id, seq)',
    'CREATE INDEX IF NOT EXISTS event_actor_id ON "event" (actor_id, seq)',
    'CREATE INDEX IF NOT EXISTS event_category ON "event" (category, seq)',
    'CREATE INDEX IF NOT EXISTS event_action ON "event" (action, seq)',
    """CREATE TABLE IF NOT EXISTS "event_detail" (
    id {identity},
    seq BIGINT NOT NULL REFERENCES "event" (seq) ON DELETE RESTRICT ON UPDATE NO ACTION,
    about {key} NOT NULL,
    disclosures TEXT NOT NULL)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS event_detail_about_unique ON "event_detail" (seq, about)',
    'CREATE INDEX IF NOT EXISTS event_detail_about ON "event_detail" (about, seq)',
    """CREATE TABLE IF NOT EXISTS "event_body" (
    about {key} NOT NULL,
    digest {key} NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (about, digest))""",
)


async def forwards() -> MigrationManager:
    """Create the tables. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
