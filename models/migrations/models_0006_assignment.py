"""Purposes and assignments, and who is the same person elsewhere."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000007"
VERSION = "1.38.0"
DESCRIPTION = "Purposes and assignments"

_ROW = """id {key} NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMPTZ NOT NULL"""
_RESTRICT = "ON DELETE RESTRICT ON UPDATE NO ACTION"

_STATEMENTS = (
    f"""CREATE TABLE IF NOT EXISTS "purpose" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    well_known TEXT,
    single BOOLEAN NOT NULL)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS purpose_name_key_unique ON "purpose" (name_key)',
    'CREATE UNIQUE INDEX IF NOT EXISTS purpose_well_known_unique ON "purpose" (well_known)',
    f"""CREATE TABLE IF NOT EXISTS "assignment" (
    {_ROW},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    contact_id {{key}} NOT NULL REFERENCES "contact" (id) {_RESTRICT},
    purpose_id {{key}} NOT NULL REFERENCES "purpose" (id) {_RESTRICT},
    reference_type TEXT,
    reference_id TEXT,
    reference_label TEXT,
    reference_key {{key}} NOT NULL,
    CHECK ((reference_type IS NULL) = (reference_id IS NULL)),
    CHECK ((reference_label IS NULL) = (reference_id IS NULL)))""",
    """CREATE UNIQUE INDEX IF NOT EXISTS assignment_reference_key_unique
    ON "assignment" (contact_id, purpose_id, reference_key)""",
    'CREATE INDEX IF NOT EXISTS assignment_contact_id ON "assignment" (contact_id, created_at, id)',
    'CREATE INDEX IF NOT EXISTS assignment_customer_id ON "assignment" (customer_id, created_at, id)',
    'CREATE INDEX IF NOT EXISTS assignment_purpose_id ON "assignment" (purpose_id, contact_id)',
)

_AFTER = (
    'CREATE INDEX IF NOT EXISTS contact_person_id ON "contact" (person_id)',
    'CREATE INDEX IF NOT EXISTS contact_origin_external_id ON "contact" (origin_external_id, origin_system)',
)


async def forwards() -> MigrationManager:
    """Create the tables. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)
        await ddl.add_columns("contact", {"person_id": "{key}"})
        await ddl.execute(_AFTER)

    manager.add_raw(create)
    return manager
