"""Two histories apart: the customer's view without its sales documents, and that of each sales document."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000010"
VERSION = "1.38.0"
DESCRIPTION = "Histories of sales documents"

_STATEMENTS = (
    """CREATE INDEX IF NOT EXISTS event_of_customer
    ON "event" (customer_id, seq) WHERE sales_document_id IS NULL""",
    """CREATE INDEX IF NOT EXISTS event_sales_document_id
    ON "event" (sales_document_id, seq) WHERE sales_document_id IS NOT NULL""",
)


async def forwards() -> MigrationManager:
    """Create the indexes. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
