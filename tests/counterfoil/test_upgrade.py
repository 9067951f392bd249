"""A database of an earlier version keeps its history: what was added since has its default in the fold, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.columns import Boolean, Text

import models
from audit.drift import drift
from audit.fold import fold
from audit.verification import verify_events
from counterfoil.migrating import migrate
from models import Customer, Row, SubjectType
from models.engine import Database
from models.table import Audited, Json, columns
from tests.audit.rows import by_ada

pytestmark = pytest.mark.anyio

SPINE = "2026-11-22T00:00:00:000001"


class Before(Audited, tablename="customer"):
    """Customers as the first version has them."""

    prefix = Customer.prefix
    subject = SubjectType.CUSTOMER
    derived = Customer.derived

    name = Text()
    name_key = Text()
    kind = Text()
    methods = Json()
    email = Text(null=True)
    phone = Text(null=True)
    website = Text(null=True)
    billing_address = Json(null=True)
    shipping_address = Json(null=True)
    active = Boolean()
    origin_system = Text(null=True)
    origin_external_id = Text(null=True)
    accounting = Json(null=True)
    search_key = Text()

    customer_of = Customer.customer_of

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """As today, where there was no more to derive from."""
        return {
            name: value for name, value in Customer.derive({"tax_id": None, **row}).items() if name in columns(Before)
        }


async def test_history_from_before_the_hierarchy_folds_to_the_rows_of_today(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("counterfoil.migrating.APPS", ())
        patch.setattr("counterfoil.migrating._install_guards", nothing)
        patch.setattr("counterfoil.migrating._install_search", nothing)
        await migrate(empty_database_url)
    for app, last in (("models", SPINE), ("audit", "all")):
        assert (await ForwardsMigrationManager(app_name=app, migration_id=last).run()).success
    database = models.connect(empty_database_url)
    rows = [await with_rows(database) for _ in range(2)]
    assert len(await migrate(empty_database_url)) >= 1
    await database.start()
    models.bind(database)
    try:
        assert await drift(database) == []
        assert await verify_events(database) == []
        state = (await fold(database, [rows[1]["id"]]))[Customer, rows[1]["id"]]
        assert state.revision == 2
        assert (state.values["payment_responsibility"], state.values["parent_id"]) == ("BUYER", None)
        await by_ada(lambda change: change.get(Customer, rows[0]["id"], 2))
    finally:
        await database.stop()


async def nothing(url: str) -> None:
    """Guards and indexes of tables that are not there yet cannot be put in place."""


async def with_rows(database: Database) -> dict[str, Any]:
    """A customer that an earlier version made and changed."""
    await database.start()
    models.bind(database)
    try:
        fields = {"name": "Krume", "kind": "COMPANY", "methods": [], "active": True}
        row, _ = await by_ada(lambda change: change.insert(Before, fields))
        row, _ = await by_ada(lambda change: change.update(Before, row, {"website": "https://krume.example.com"}))
    finally:
        await database.stop()
    return row
