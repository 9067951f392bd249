"""Tax ids, the keys that duplicates share, and where merged customers went."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models import ddl
from models.customer import Customer

ID = "2026-11-22T00:00:00:000006"
VERSION = "1.38.0"
DESCRIPTION = "Duplicates and merges"

_RESTRICT = "ON DELETE RESTRICT ON UPDATE NO ACTION"

_CUSTOMER = {
    "tax_id": "TEXT",
    "email_key": "{key}",
    "phone_key": "{key}",
    "tax_key": "{key}",
    "city_key": "{key}",
    "match_key": "{key}",
    "merged_into_id": f'{{key}} REFERENCES "customer" (id) {_RESTRICT} CHECK (merged_into_id <> id)',
}

_STATEMENTS = (
    'CREATE INDEX IF NOT EXISTS customer_email_key ON "customer" (email_key, id)',
    'CREATE INDEX IF NOT EXISTS customer_phone_key ON "customer" (phone_key, id)',
    'CREATE INDEX IF NOT EXISTS customer_tax_key ON "customer" (tax_key, id)',
    'CREATE INDEX IF NOT EXISTS customer_city_key ON "customer" (city_key, match_key, id)',
    # Not of all: SQLite would look for those that were not merged in an index that has nearly all of them.
    """CREATE INDEX IF NOT EXISTS customer_merged_into_id
    ON "customer" (merged_into_id, name_key, id) WHERE merged_into_id IS NOT NULL""",
)


async def forwards() -> MigrationManager:
    """Add the columns and fill the derived ones. Piccolo calls this; repeating it after a crash is harmless."""
    manager = MigrationManager(migration_id=ID, app_name="models", description=DESCRIPTION, wrap_in_transaction=False)

    async def create() -> None:
        await ddl.add_columns("customer", _CUSTOMER)
        await ddl.derive_again(Customer)
        await ddl.execute(_STATEMENTS)

    manager.add_raw(create)
    return manager
