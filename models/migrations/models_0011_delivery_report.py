"""Reports about deliveries are found by their age, to be forgotten."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000014"
VERSION = "1.38.0"
DESCRIPTION = "The age of delivery reports"

_STATEMENTS = ('CREATE INDEX IF NOT EXISTS delivery_report_received_at ON "delivery_report" (received_at)',)


async def forwards() -> MigrationManager:
    """Create the index. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
