"""An index over the open invoices, which reminders look through."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000016"
VERSION = "1.38.0"
DESCRIPTION = "Reminders"

_STATEMENTS = (
    """CREATE INDEX IF NOT EXISTS sales_document_open_invoice
    ON "sales_document" (id) WHERE kind = 'INVOICE' AND status = 'POSTED' AND balance > 0""",
)


async def forwards() -> MigrationManager:
    """Create the index. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
