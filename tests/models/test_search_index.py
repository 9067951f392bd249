"""The index behind searches: made for databases of earlier versions, and for tables that were changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from audit import guard
from counterfoil import migrating
from models import Contact, Customer, Database, bind, connect, ddl, search, search_index
from models.listing import fetch_page, request_page
from models.listings import CONTACTS
from models.table import columns, decode_row
from tests.audit.intruder import intruder
from tests.audit.rows import deleted, new

pytestmark = pytest.mark.anyio

CREATED = "'2026-11-01 10:00:00+00:00'"
METHODS = """'[{"id":"mth_1","kind":"OTHER","label":null,"preferred":true,"value":"030 12-34"}]'"""
A_CUSTOMER = (
    "INSERT INTO customer (id, revision, created_at, name, name_key, kind, methods, active, search_key)"
    f" VALUES ('cus_1', 3, {CREATED}, 'Müller & Søn', 'müller & søn', 'COMPANY', {METHODS}, true, 'müller')"
)
A_CONTACT = (
    'INSERT INTO contact (id, revision, created_at, customer_id, first_name, "primary", methods, email_key, active,'
    " name_key, search_key, origin_system, origin_external_id)"
    f" VALUES ('con_1', 2, {CREATED}, 'cus_1', 'Zoë', true, '[]', '', true, 'zoë', 'zoë', 'NETSUITE', 'C-77')"
)


async def found(database: Database, text: str) -> list[str]:
    """The ids of the contacts that a search finds."""
    condition = search.matches(text)
    assert condition is not None
    page = request_page(CONTACTS, conditions=[condition])
    return [row["id"] for row in (await fetch_page(database, await search.narrow(database, page))).rows]


async def migrated_at_first(url: str) -> None:
    """A database of the first version with its guards."""
    for app in migrating.APPS:
        await migrating.is_empty(url)  # Piccolo migrates the database that was used last
        manager = ForwardsMigrationManager(app_name=app)
        folder = manager.get_app_config(app_name=app).resolved_migrations_folder_path
        first = min(manager.get_migration_ids(manager.get_migration_modules(folder)))
        await ForwardsMigrationManager(app_name=app, migration_id=first).run()
    async with intruder(url) as run:
        for statement in guard.install_statements("sqlite" if url.startswith("sqlite:") else "postgres"):
            if re.search(r'(ON|TABLE) "(customer|contact)"|REPLACE FUNCTION counterfoil_guard', statement):
                await run(statement)


async def test_rows_of_an_earlier_version_are_folded_and_found(empty_database_url: str) -> None:
    await migrated_at_first(empty_database_url)
    async with intruder(empty_database_url, as_recorder=True) as run:
        await run(A_CUSTOMER)
        await run(A_CONTACT)
    await migrating.migrate(empty_database_url)
    database = connect(empty_database_url)
    await database.start()
    bind(database)
    try:
        rows: dict[Any, Any] = {
            table: decode_row(table, (await database.fetch(f'SELECT * FROM "{table._meta.tablename}"'))[0])
            for table in (Customer, Contact)
        }
        for table, row in rows.items():
            assert {name: row[name] for name in table.derived} == table.derive(row)
        assert (rows[Customer]["search_key"], rows[Customer]["revision"]) == ("muller & son 030 12-34 0301234", 3)
        assert (rows[Contact]["search_key"], rows[Contact]["revision"]) == ("zoe c-77", 2)
        assert await found(database, "zoe") == ["con_1"]
        assert (await guard.missing(database), await search_index.missing(database)) == ([], [])
        assert await search_index.stale(database) == []
    finally:
        await database.stop()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_rebuilt_table_is_found_in_again_after_migrating(database: Database, database_url: str) -> None:
    abel, baker, _ = [await new(Contact, last_name=name) for name in ("Abel", "Baker", "Castillo")]
    await deleted(Contact, abel)
    [create] = await database.fetch("SELECT sql FROM sqlite_master WHERE name = 'contact'")
    migrating._use(database_url)
    await ddl.rebuild_table("contact", create["sql"].replace('"contact"', '"contact_new"'), columns(Contact))
    # The copied rows have other numbers, and what the index knows is of the old ones.
    assert await search_index.stale(database) == ["contact_search"]
    assert len(await search_index.missing(database)) == 3
    await migrating.migrate(database_url)
    assert (await search_index.missing(database), await search_index.stale(database)) == ([], [])
    assert await found(database, "baker") == [baker["id"]]
    assert await found(database, "abel") == []
    await new(Contact, last_name="Dupont")
    assert len(await found(database, "dupont")) == 1


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_rows_are_found_after_the_file_was_compacted(database: Database, database_url: str) -> None:
    first, second, third = [await new(Contact, last_name=name) for name in ("Abel", "Baker", "Castillo")]
    async with intruder(database_url) as run:
        await run("VACUUM")
    assert await search_index.stale(database) == []
    for row, name in ((first, "abel"), (second, "baker"), (third, "castillo")):
        assert await found(database, name) == [row["id"]]
