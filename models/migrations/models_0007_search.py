"""The index of searches, and search keys as they are folded for it."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl, search_index
from models.contact import Contact
from models.customer import Customer

ID = "2026-11-22T00:00:00:000008"
VERSION = "1.38.0"
DESCRIPTION = "The search index"


async def forwards() -> MigrationManager:
    """Make the search keys and the index over them. Piccolo calls this; repeating it after a crash is harmless."""
    # The rows change in transactions of their own.
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION, wrap_in_transaction=False)

    async def create() -> None:
        engine = ddl.migrating_engine()
        for table in (Customer, Contact):
            await ddl.derive_again(table)
        async with engine.transaction():
            for statement in search_index.install_statements(engine.engine_type):
                await engine.run_ddl(statement)

    manager.add_raw(create)
    return manager
