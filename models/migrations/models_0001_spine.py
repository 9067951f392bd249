"""Customers, locations, contacts, roles, notes, users and how they get in."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "The spine"

_ROW = """id {key} NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMPTZ NOT NULL"""
_RESTRICT = "ON DELETE RESTRICT ON UPDATE NO ACTION"
_SYSTEMS = "('QUICKBOOKS_ONLINE', 'QUICKBOOKS_DESKTOP', 'NETSUITE')"
_ORIGIN = f"""origin_system TEXT CHECK (origin_system IN {_SYSTEMS}),
    origin_external_id {{key}},
    CHECK ((origin_system IS NULL) = (origin_external_id IS NULL))"""

_STATEMENTS = (
    f"""CREATE TABLE IF NOT EXISTS "user_role" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    built_in TEXT,
    permissions TEXT NOT NULL)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS user_role_name_key_unique ON "user_role" (name_key)',
    'CREATE UNIQUE INDEX IF NOT EXISTS user_role_built_in_unique ON "user_role" (built_in)',
    f"""CREATE TABLE IF NOT EXISTS "user" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    email TEXT NOT NULL,
    email_key {{key}} NOT NULL,
    password_hash TEXT,
    role_id {{key}} REFERENCES "user_role" (id) {_RESTRICT},
    active BOOLEAN NOT NULL)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS user_email_key_unique ON "user" (email_key)',
    'CREATE INDEX IF NOT EXISTS user_name_key ON "user" (name_key, id)',
    'CREATE INDEX IF NOT EXISTS user_role_id ON "user" (role_id)',
    f"""CREATE TABLE IF NOT EXISTS "api_key" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    created_by {{key}} NOT NULL REFERENCES "user" (id) {_RESTRICT},
    permissions TEXT NOT NULL,
    token_hash {{key}} NOT NULL,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS api_key_token_hash_unique ON "api_key" (token_hash)',
    'CREATE INDEX IF NOT EXISTS api_key_name_key ON "api_key" (name_key, id)',
    'CREATE INDEX IF NOT EXISTS api_key_created_by ON "api_key" (created_by)',
    f"""CREATE TABLE IF NOT EXISTS "contact_role" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    well_known TEXT,
    invoice_presentment BOOLEAN NOT NULL,
    communication BOOLEAN NOT NULL,
    designated_by TEXT NOT NULL CHECK (designated_by IN ('DEFAULT', 'ACCOUNTING', 'USER')))""",
    'CREATE UNIQUE INDEX IF NOT EXISTS contact_role_name_key_unique ON "contact_role" (name_key)',
    'CREATE UNIQUE INDEX IF NOT EXISTS contact_role_well_known_unique ON "contact_role" (well_known)',
    f"""CREATE TABLE IF NOT EXISTS "customer" (
    {_ROW},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('COMPANY', 'PERSON')),
    methods TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    website TEXT,
    billing_address TEXT,
    shipping_address TEXT,
    active BOOLEAN NOT NULL,
    accounting TEXT,
    search_key {{key}} NOT NULL,
    {_ORIGIN})""",
    'CREATE INDEX IF NOT EXISTS customer_name_key ON "customer" (name_key, id)',
    'CREATE INDEX IF NOT EXISTS customer_created_at ON "customer" (created_at, id)',
    """CREATE UNIQUE INDEX IF NOT EXISTS customer_origin_external_id_unique
    ON "customer" (origin_system, origin_external_id)""",
    f"""CREATE TABLE IF NOT EXISTS "location" (
    {_ROW},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    address TEXT)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS location_name_key_unique ON "location" (customer_id, name_key)',
    f"""CREATE TABLE IF NOT EXISTS "contact" (
    {_ROW},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    location_id {{key}} REFERENCES "location" (id) {_RESTRICT},
    role_id {{key}} REFERENCES "contact_role" (id) {_RESTRICT},
    first_name TEXT,
    last_name TEXT,
    title TEXT,
    priority INTEGER,
    "primary" BOOLEAN NOT NULL,
    methods TEXT NOT NULL,
    email TEXT,
    email_key {{key}} NOT NULL,
    phone TEXT,
    preferred_method TEXT CHECK (preferred_method IN ('EMAIL', 'PHONE', 'MOBILE', 'FAX', 'OTHER')),
    address TEXT,
    active BOOLEAN NOT NULL,
    name_key {{key}} NOT NULL,
    search_key {{key}} NOT NULL,
    {_ORIGIN},
    CHECK (active OR NOT "primary"))""",
    'CREATE UNIQUE INDEX IF NOT EXISTS contact_primary_unique ON "contact" (customer_id) WHERE "primary"',
    """CREATE UNIQUE INDEX IF NOT EXISTS contact_origin_external_id_unique
    ON "contact" (customer_id, origin_system, origin_external_id)""",
    'CREATE INDEX IF NOT EXISTS contact_customer_id ON "contact" (customer_id, name_key, id)',
    'CREATE INDEX IF NOT EXISTS contact_location_id ON "contact" (location_id, name_key, id)',
    'CREATE INDEX IF NOT EXISTS contact_role_id ON "contact" (role_id, name_key, id)',
    'CREATE INDEX IF NOT EXISTS contact_name_key ON "contact" (name_key, id)',
    'CREATE INDEX IF NOT EXISTS contact_email_key ON "contact" (email_key, id)',
    'CREATE INDEX IF NOT EXISTS contact_created_at ON "contact" (created_at, id)',
    f"""CREATE TABLE IF NOT EXISTS "note" (
    {_ROW},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    contact_id {{key}} REFERENCES "contact" (id) {_RESTRICT},
    body TEXT NOT NULL,
    pinned BOOLEAN NOT NULL,
    author_kind TEXT NOT NULL,
    author_id TEXT,
    author_name TEXT NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS note_customer_id ON "note" (customer_id, pinned, created_at, id)',
    'CREATE INDEX IF NOT EXISTS note_contact_id ON "note" (contact_id, pinned, created_at, id)',
    f"""CREATE TABLE IF NOT EXISTS "session" (
    id {{key}} PRIMARY KEY,
    user_id {{key}} NOT NULL REFERENCES "user" (id) {_RESTRICT},
    token_hash {{key}} NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS session_token_hash_unique ON "session" (token_hash)',
    'CREATE INDEX IF NOT EXISTS session_user_id ON "session" (user_id, created_at)',
    'CREATE INDEX IF NOT EXISTS session_expires_at ON "session" (expires_at)',
    """CREATE TABLE IF NOT EXISTS "throttle" (
    key {key} PRIMARY KEY,
    failures INTEGER NOT NULL,
    blocked_until TIMESTAMPTZ NOT NULL,
    announced BOOLEAN NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS throttle_blocked_until ON "throttle" (blocked_until)',
    """CREATE TABLE IF NOT EXISTS "idempotency_key" (
    id {key} PRIMARY KEY,
    body_hash TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS idempotency_key_created_at ON "idempotency_key" (created_at)',
)


async def forwards() -> MigrationManager:
    """Create the tables. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
