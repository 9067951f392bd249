"""Which deliveries of a message in the outbox are still to be sent, and leases found by their end."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl

ID = "2026-11-22T00:00:00:000013"
VERSION = "1.38.0"
DESCRIPTION = "The outbox"

_INDEX = """CREATE INDEX IF NOT EXISTS outbox_message_leased_until
    ON outbox_message (leased_until) WHERE leased_until IS NOT NULL"""


async def forwards() -> MigrationManager:
    """Add the column and the index. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION)

    async def create() -> None:
        await ddl.add_columns("outbox_message", {"waiting": "TEXT"})
        await ddl.execute([_INDEX])

    manager.add_raw(create)
    return manager
