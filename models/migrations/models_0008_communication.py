"""Templates, communications with their deliveries, the outbox, and what contacts and settings say about emails."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000011"
VERSION = "1.38.0"
DESCRIPTION = "Communications"

_ROW = """id {key} NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMPTZ NOT NULL"""
_RESTRICT = "ON DELETE RESTRICT ON UPDATE NO ACTION"
_STATUSES = "'QUEUED', 'UNKNOWN', 'DEFERRED', 'SENT', 'DELIVERED', 'BOUNCED', 'FAILED', 'SUPPRESSED'"

_TEMPLATES = (
    f"""CREATE TABLE IF NOT EXISTS "template" (
    {_ROW},
    kind {{key}} NOT NULL,
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    standard BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    subject_source TEXT NOT NULL,
    text_source TEXT NOT NULL,
    html_source TEXT)""",
    'CREATE UNIQUE INDEX IF NOT EXISTS template_name_key_unique ON "template" (kind, name_key)',
    'CREATE UNIQUE INDEX IF NOT EXISTS template_kind_unique ON "template" (kind) WHERE standard',
)

_COMMUNICATIONS = (
    f"""CREATE TABLE IF NOT EXISTS "communication" (
    {_ROW},
    kind {{key}} NOT NULL,
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    sales_document_id {{key}} REFERENCES "sales_document" (id) {_RESTRICT},
    template_id {{key}},
    template_name TEXT,
    subject_line TEXT NOT NULL,
    sent_by TEXT NOT NULL,
    separate BOOLEAN NOT NULL,
    attachments TEXT NOT NULL,
    suppressed {{key}},
    resend_of_id {{key}} REFERENCES "communication" (id) {_RESTRICT},
    reminder_step INTEGER,
    statement_month {{key}},
    about_sales BOOLEAN NOT NULL,
    CHECK ((template_id IS NULL) = (template_name IS NULL)),
    CHECK (about_sales OR sales_document_id IS NULL),
    CHECK (reminder_step IS NULL OR sales_document_id IS NOT NULL))""",
    """CREATE UNIQUE INDEX IF NOT EXISTS communication_reminder_step_unique
    ON "communication" (sales_document_id, reminder_step) WHERE reminder_step IS NOT NULL""",
    """CREATE UNIQUE INDEX IF NOT EXISTS communication_statement_month_unique
    ON "communication" (customer_id, statement_month) WHERE statement_month IS NOT NULL""",
    'CREATE INDEX IF NOT EXISTS communication_created_at ON "communication" (created_at, id)',
    'CREATE INDEX IF NOT EXISTS communication_customer_id ON "communication" (customer_id, created_at, id)',
    """CREATE INDEX IF NOT EXISTS communication_sales_document_id
    ON "communication" (sales_document_id, created_at, id) WHERE sales_document_id IS NOT NULL""",
    """CREATE INDEX IF NOT EXISTS communication_resend_of_id
    ON "communication" (resend_of_id) WHERE resend_of_id IS NOT NULL""",
    f"""CREATE TABLE IF NOT EXISTS "delivery" (
    {_ROW},
    communication_id {{key}} NOT NULL REFERENCES "communication" (id) {_RESTRICT},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    sales_document_id {{key}} REFERENCES "sales_document" (id) {_RESTRICT},
    contact_id {{key}},
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key {{key}} NOT NULL,
    role TEXT,
    field {{key}} NOT NULL CHECK (field IN ('TO', 'CC')),
    chosen {{key}} NOT NULL CHECK (chosen IN ('RULE', 'MANUAL')),
    reasons TEXT NOT NULL,
    message_id {{key}} NOT NULL,
    subject_line TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT,
    status {{key}} NOT NULL CHECK (status IN ({_STATUSES})),
    status_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    reply TEXT,
    may_repeat BOOLEAN NOT NULL,
    about_sales BOOLEAN NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS delivery_communication_id ON "delivery" (communication_id, created_at, id)',
    'CREATE INDEX IF NOT EXISTS delivery_message_id ON "delivery" (message_id)',
    'CREATE INDEX IF NOT EXISTS delivery_contact_id ON "delivery" (contact_id, communication_id)',
    'CREATE INDEX IF NOT EXISTS delivery_status ON "delivery" (status, communication_id)',
    'CREATE INDEX IF NOT EXISTS delivery_email_key ON "delivery" (email_key, communication_id)',
)

_OPERATIONAL = (
    f"""CREATE TABLE IF NOT EXISTS "outbox_message" (
    message_id {{key}} NOT NULL PRIMARY KEY,
    communication_id {{key}} NOT NULL REFERENCES "communication" (id) {_RESTRICT},
    due_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    lease {{key}},
    leased_until TIMESTAMPTZ,
    CHECK ((lease IS NULL) = (leased_until IS NULL)))""",
    'CREATE INDEX IF NOT EXISTS outbox_message_due_at ON "outbox_message" (due_at, message_id)',
    'CREATE INDEX IF NOT EXISTS outbox_message_communication_id ON "outbox_message" (communication_id)',
    f"""CREATE TABLE IF NOT EXISTS "communication_content" (
    id {{key}} NOT NULL PRIMARY KEY,
    communication_id {{key}} NOT NULL REFERENCES "communication" (id) {_RESTRICT},
    sha256 {{key}} NOT NULL,
    size BIGINT NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS communication_content_sha256 ON "communication_content" (sha256)',
    """CREATE TABLE IF NOT EXISTS "password_link" (
    id {key} NOT NULL PRIMARY KEY,
    contact_id {key} NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS password_link_contact_id ON "password_link" (contact_id)',
    """CREATE TABLE IF NOT EXISTS "delivery_report" (
    id {key} NOT NULL PRIMARY KEY,
    received_at TIMESTAMPTZ NOT NULL)""",
)

_SWITCHES = (
    '{{"CONTRACT":true,"CREDIT_NOTE":true,"ESTIMATE":true,"INVOICE":true,"PROJECT":true,"TASK":true,"TICKET":true}}'
)
_MODULES = '{{"CONTRACTS":true,"ESTIMATES":true,"INVOICES":true,"PROJECTS":true,"PROPOSALS":true,"SUPPORT":true}}'
_COLUMNS = {
    "contact": {
        "notifications": "TEXT",
        "portal_permissions": "TEXT",
        "email_problem": "TEXT",
        "password_hash": "TEXT",
        "password_set_at": "TIMESTAMPTZ",
    },
    "settings": {
        "notifications": f"TEXT NOT NULL DEFAULT '{_SWITCHES}'",
        "portal_permissions": f"TEXT NOT NULL DEFAULT '{_MODULES}'",
        "portal_access": "TEXT NOT NULL DEFAULT 'ALL_CONTACTS'",
        "separate_messages": "BOOLEAN NOT NULL DEFAULT true",
        "company": "TEXT",
        "reply_to": "TEXT",
    },
}


async def forwards() -> MigrationManager:
    """Create the tables and columns. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_TEMPLATES + _COMMUNICATIONS + _OPERATIONAL)
        for table, columns in _COLUMNS.items():
            await ddl.add_columns(table, columns)

    manager.add_raw(create)
    return manager
