"""The hierarchy of customers, their payment terms, and preferences with what they are inherited from."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000003"
VERSION = "1.38.0"
DESCRIPTION = "Hierarchy and preferences"

_ROW = """id {key} NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMPTZ NOT NULL"""
_RESTRICT = "ON DELETE RESTRICT ON UPDATE NO ACTION"
_POLICY = "CHECK (contact_policy IN ('NOT_REQUIRED', 'REQUIRED', 'REQUIRED_WITH_PASSWORD'))"

_CUSTOMER = {
    "parent_id": f'{{key}} REFERENCES "customer" (id) {_RESTRICT} CHECK (parent_id <> id)',
    "payment_responsibility": "TEXT NOT NULL DEFAULT 'BUYER'"
    " CHECK (payment_responsibility IN ('BUYER', 'IMMEDIATE_PARENT', 'TOP_LEVEL_PARENT'))",
    "payment_terms": "TEXT",
    "currency": "TEXT",
}

_STATEMENTS = (
    'CREATE INDEX IF NOT EXISTS customer_parent_id ON "customer" (parent_id, name_key, id)',
    f"""CREATE TABLE IF NOT EXISTS "reminder_workflow" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    steps TEXT NOT NULL)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS reminder_workflow_name_key_unique ON "reminder_workflow" (name_key)',
    f"""CREATE TABLE IF NOT EXISTS "settings" (
    {_ROW},
    reminder_workflow_id {{key}} REFERENCES "reminder_workflow" (id) {_RESTRICT},
    monthly_statement BOOLEAN NOT NULL,
    online_payments TEXT NOT NULL,
    customer_portal BOOLEAN NOT NULL,
    card TEXT NOT NULL,
    ach TEXT NOT NULL,
    contact_policy TEXT NOT NULL {_POLICY},
    CONSTRAINT settings_one_row CHECK (id = 'set_00000000000000000000000000'))""",
    f"""CREATE TABLE IF NOT EXISTS "preferences" (
    {_ROW},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    reminder_workflow_id {{key}} REFERENCES "reminder_workflow" (id) {_RESTRICT},
    reminders BOOLEAN CHECK (NOT reminders),
    monthly_statement BOOLEAN,
    online_payments TEXT,
    customer_portal BOOLEAN,
    card TEXT,
    ach TEXT,
    contact_policy TEXT {_POLICY},
    CHECK (reminders IS NULL OR reminder_workflow_id IS NULL),
    CONSTRAINT preferences_of_customer CHECK (substr(id, 5) = substr(customer_id, 5)))""",
    'CREATE UNIQUE INDEX IF NOT EXISTS preferences_customer_id_unique ON "preferences" (customer_id)',
    'CREATE INDEX IF NOT EXISTS preferences_reminder_workflow_id ON "preferences" (reminder_workflow_id)',
)


async def forwards() -> MigrationManager:
    """Add the columns, create the tables. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.add_columns("customer", _CUSTOMER)
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
