"""An upgrade fills derived columns that it adds, past the guard and without events, and leaves the guard in place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

import models
from audit import guard
from counterfoil import piccolo_conf
from counterfoil.migrating import applied, migrate
from models import Customer, ddl, likeness
from models.identifier import new_id
from models.table import column_list, decode_row

pytestmark = pytest.mark.anyio

FIRST = "2026-11-22T00:00:00:000001"
ROWS = 502
KEYS = ("email_key", "phone_key", "tax_key", "city_key", "match_key")


@pytest.fixture
async def old_url(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of the first version, guarded as it was, with customers."""
    monkeypatch.setenv("PICCOLO_CONF", "counterfoil.piccolo_conf")
    # Asking for the migrations also makes this the database that Piccolo migrates.
    assert await applied(empty_database_url) == []
    assert (await ForwardsMigrationManager(app_name="models", migration_id=FIRST).run()).success
    for statement in guards_of_customers():
        await ddl.migrating_engine().run_ddl(statement)
    database = models.connect(empty_database_url)
    await database.start()
    for number in range(ROWS):
        await insert(database, f"Bäckerei {number} GmbH")
    await database.stop()
    return empty_database_url


def guards_of_customers() -> list[str]:
    """The statements that guard nothing but customers; later tables do not exist yet."""
    if ddl.migrating_engine().engine_type == "sqlite":
        return [sql for name, sql in guard.sqlite_triggers().items() if name.startswith("guard_customer_")]
    named = ("REPLACE FUNCTION counterfoil_guard()", "TRIGGER guard_customer ")
    return [sql for sql in guard.install_statements("postgres") if any(name in f"{sql} " for name in named)]


async def insert(database: models.Database, name: str) -> None:
    method = {"id": "mth_1", "kind": "EMAIL", "value": "Office@Example.com", "label": None, "preferred": True}
    values: dict[str, Any] = {
        "id": new_id("cus"),
        "revision": 1,
        "created_at": models.clock.now(),
        "name": name,
        "name_key": models.text.key(name),
        "kind": "COMPANY",
        "methods": json.dumps([method]),
        "shipping_address": json.dumps({"lines": ["1 Quay"], "city": "Zürich"}),
        "active": True,
        "search_key": "",
    }
    async with database.write(recorder=True):
        places = ", ".join("?" for _ in values)
        await database.fetch(f"INSERT INTO customer ({', '.join(values)}) VALUES ({places})", *values.values())


async def test_rows_of_an_earlier_version_get_their_keys(old_url: str) -> None:
    new = await migrate(old_url)
    assert FIRST not in new
    database = models.connect(old_url)
    await database.start()
    try:
        found = await database.fetch(f"SELECT {column_list(Customer)} FROM customer")
        rows = [decode_row(Customer, row) for row in found]
        assert len(rows) == ROWS
        for row in rows:
            assert {name: row[name] for name in KEYS} == likeness.keys(row)
            assert (row["email_key"], row["city_key"]) == ("office@example.com", "zurich")
        assert await database.fetch("SELECT seq FROM event") == []
        assert await guard.missing(database) == []
    finally:
        await database.stop()


async def test_the_guard_stands_again_when_the_rows_are_filled(old_url: str) -> None:
    assert (await ForwardsMigrationManager(app_name="models").run()).success
    with pytest.raises(Exception, match=r"counterfoil_recorder|changes only through the recorder"):
        await ddl.migrating_engine().run_ddl("UPDATE customer SET name = 'Past the guard'")
    assert piccolo_conf.DB is ddl.migrating_engine()
