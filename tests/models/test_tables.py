"""The tables in the database are those that Python knows, column by column."""

from __future__ import annotations

import pytest
from piccolo.columns import BigInt, Boolean, Column, Integer, Timestamptz
from piccolo.table import Table

from audit.table import Event, EventBody, EventDetail
from models import Database, search_index
from models.registry import AUDITED, BY_PREFIX, OPERATIONAL
from models.table import Audited, columns, references

pytestmark = pytest.mark.anyio

TABLES: tuple[type[Table], ...] = (*AUDITED, *OPERATIONAL, Event, EventDetail, EventBody)


async def described(database: Database, table: str) -> dict[str, tuple[str, bool]]:
    """Column → (type in capitals, may be null)."""
    if database.dialect == "sqlite":
        rows = await database.fetch(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')")
        return {row["name"]: (row["type"].upper(), not row["notnull"] and not row["pk"]) for row in rows}
    rows = await database.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = ?",
        table,
    )
    return {row["column_name"]: (row["data_type"].upper(), row["is_nullable"] == "YES") for row in rows}


def expected_types(column: Column) -> set[str]:
    if isinstance(column, BigInt):
        return {"BIGINT", "INTEGER"}
    if isinstance(column, Integer):
        return {"INTEGER"}
    if isinstance(column, Boolean):
        return {"BOOLEAN"}
    if isinstance(column, Timestamptz):
        return {"TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"}
    return {"TEXT"}


async def test_the_database_has_the_columns_that_the_table_declares(database: Database) -> None:
    for table in TABLES:
        found = await described(database, table._meta.tablename)
        assert set(found) == set(columns(table)), table
        for column in table._meta.columns:
            kind, nullable = found[column._meta.name]
            assert kind in expected_types(column), (table, column._meta.name)
            assert nullable == column._meta.null, (table, column._meta.name)


async def test_every_table_of_the_database_is_audited_or_operational_or_history_or_derived(database: Database) -> None:
    if database.dialect == "sqlite":
        rows = await database.fetch(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'migration'"
        )
    else:
        rows = await database.fetch(
            "SELECT table_name AS name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_name <> 'migration'"
        )
    known = {table._meta.tablename for table in TABLES}
    # They hold nothing that the other tables do not: made anew at any time.
    known |= set(search_index.derived_tables()) if database.dialect == "sqlite" else set()
    assert {row["name"] for row in rows} == known


async def test_foreign_keys_restrict(database: Database) -> None:
    for table in AUDITED:
        name = table._meta.tablename
        if database.dialect == "sqlite":
            rows = await database.fetch(
                'SELECT "from" AS name, "table" AS target, on_delete, on_update FROM pragma_foreign_key_list(?)', name
            )
            found = {row["name"]: (row["target"], row["on_delete"], row["on_update"]) for row in rows}
            wanted = ("RESTRICT", "NO ACTION")
        else:
            rows = await database.fetch(
                "SELECT a.attname AS name, f.relname AS target, c.confdeltype::text AS d, c.confupdtype::text AS u,"
                " c.condeferrable AS deferrable FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
                " JOIN pg_class f ON f.oid = c.confrelid"
                " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]"
                " WHERE c.contype = 'f' AND t.relname = ?",
                name,
            )
            assert not any(row["deferrable"] for row in rows)
            found = {row["name"]: (row["target"], row["d"], row["u"]) for row in rows}
            wanted = ("r", "a")
        assert found == {column: (target._meta.tablename, *wanted) for column, target in references(table).items()}


def test_prefixes_are_unique_and_derived_columns_exist() -> None:
    assert len(BY_PREFIX) == len(AUDITED)
    for table in AUDITED:
        assert issubclass(table, Audited)
        assert table.derived | table.secret | table.long <= set(columns(table))
        assert not table.derived & (table.secret | table.long)
