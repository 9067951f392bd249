"""Sales documents, payments, notes on them, and the order passwords of contacts."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000005"
VERSION = "1.38.0"
DESCRIPTION = "Sales documents and the order desk"

_ROW = """id {key} NOT NULL PRIMARY KEY CHECK (id <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMPTZ NOT NULL"""
_RESTRICT = "ON DELETE RESTRICT ON UPDATE NO ACTION"
# Documents without a due date come after those with one.
_DUE_ON = "coalesce(due_on, '9999-12-31')"

_TABLES = (
    f"""CREATE TABLE IF NOT EXISTS "sales_document" (
    {_ROW},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    location_id {{key}} REFERENCES "location" (id) {_RESTRICT},
    contact_id {{key}} REFERENCES "contact" (id) {_RESTRICT},
    contact_verified BOOLEAN NOT NULL,
    kind {{key}} NOT NULL CHECK (kind IN ('QUOTE', 'ORDER', 'INVOICE')),
    number TEXT NOT NULL,
    number_key {{key}} NOT NULL,
    status {{key}} NOT NULL CHECK (status IN ('DRAFT', 'RELEASED', 'POSTED', 'PAID', 'VOID')),
    issued_on {{key}} NOT NULL,
    due_on {{key}},
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    balance BIGINT NOT NULL CHECK (balance BETWEEN 0 AND amount),
    released_at TIMESTAMPTZ,
    posted_at TIMESTAMPTZ,
    CHECK (contact_id IS NOT NULL OR NOT contact_verified),
    CHECK (kind <> 'QUOTE' OR (status IN ('DRAFT', 'RELEASED', 'VOID') AND balance = 0)),
    CHECK (kind <> 'ORDER' OR status <> 'PAID'),
    CHECK (kind <> 'INVOICE' OR status <> 'RELEASED'),
    CHECK (status NOT IN ('PAID', 'VOID') OR balance = 0))""",
    'CREATE UNIQUE INDEX IF NOT EXISTS sales_document_number_key_unique ON "sales_document" (kind, number_key)',
    f"""CREATE TABLE IF NOT EXISTS "payment" (
    {_ROW},
    sales_document_id {{key}} NOT NULL REFERENCES "sales_document" (id) {_RESTRICT},
    customer_id {{key}} NOT NULL REFERENCES "customer" (id) {_RESTRICT},
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    received_on {{key}} NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('CARD', 'ACH', 'CHECK', 'CASH', 'TRANSFER', 'OTHER')),
    reference TEXT)""",
)

_COLUMNS = {
    "contact": {
        "order_password_hash": "TEXT",
        "order_password_set_at": "TIMESTAMPTZ",
        "order_password_set_by": "TEXT",
    },
    "note": {"sales_document_id": f'{{key}} REFERENCES "sales_document" (id) {_RESTRICT}'},
}

_INDEXES = (
    *(
        f'CREATE INDEX IF NOT EXISTS sales_document_{name} ON "sales_document" ({keys})'
        for name, keys in (
            ("number_key", "number_key, id"),
            ("issued_on", "issued_on, id"),
            ("due_on", f"{_DUE_ON}, id"),
            ("balance", "balance, id"),
            ("customer_id", "customer_id, issued_on, id"),
            ("customer_number_key", "customer_id, number_key, id"),
            ("customer_due_on", f"customer_id, {_DUE_ON}, id"),
            ("customer_balance", "customer_id, balance, id"),
            ("contact_id", "contact_id, issued_on, id"),
            ("location_id", "location_id, issued_on, id"),
        )
    ),
    'CREATE INDEX IF NOT EXISTS payment_sales_document_id ON "payment" (sales_document_id, received_on, id)',
    'CREATE INDEX IF NOT EXISTS payment_customer_id ON "payment" (customer_id)',
    'CREATE INDEX IF NOT EXISTS note_sales_document_id ON "note" (sales_document_id, pinned, created_at, id)',
    """CREATE INDEX IF NOT EXISTS note_of_customer
    ON "note" (customer_id, pinned, created_at, id) WHERE sales_document_id IS NULL""",
)


async def forwards() -> MigrationManager:
    """Create the tables and columns. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_TABLES)
        for table, definitions in _COLUMNS.items():
            await ddl.add_columns(table, definitions)
        await ddl.execute(_INDEXES)

    manager.add_raw(create)
    return manager
