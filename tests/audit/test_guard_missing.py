"""The guard notices when somebody has taken a part of it away."""

from __future__ import annotations

from typing import Any

import pytest

from audit import guard
from models import Database
from tests.audit.intruder import Run, intruder

pytestmark = pytest.mark.anyio

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])
on_postgres = pytest.mark.parametrize("dialect", ["postgres"])


async def install(run: Run, dialect: str) -> None:
    """Put all guards in place."""
    for statement in guard.install_statements(dialect):
        await run(statement)


async def test_each_guard_is_missed_when_it_is_gone(database: Database, database_url: str) -> None:
    assert await guard.missing(database) == []
    places: dict[str, Any] = (
        dict.fromkeys(guard.sqlite_triggers(), "")
        if database.dialect == "sqlite"
        else {name: f' ON "{table}"' for name, (table, _, _) in guard.postgres_triggers().items()}
    )
    async with intruder(database_url) as run:
        for number, (name, place) in enumerate(places.items(), 1):
            await run(f"DROP TRIGGER {name}{place}")
            assert await guard.missing(database) == list(places)[:number]
        await install(run, database.dialect)
    assert await guard.missing(database) == []


@on_sqlite
async def test_a_trigger_that_says_something_else_is_missed(database: Database, database_url: str) -> None:
    async with intruder(database_url) as run:
        for name, create in guard.sqlite_triggers().items():
            await run(f"DROP TRIGGER {name}")
            await run(create.replace(" WHEN ", " WHEN 0 AND (").replace(" BEGIN ", ") BEGIN "))
            assert await guard.missing(database) == [name]
            await run(f"DROP TRIGGER {name}")
            await run(create)
            assert await guard.missing(database) == []


def recreated(when: str) -> str:
    """Statements that make another trigger of the same name."""
    create = f"CREATE TRIGGER guard_customer {when} EXECUTE FUNCTION counterfoil_guard()"
    always = "ALTER TABLE customer ENABLE ALWAYS TRIGGER guard_customer"
    return f"DROP TRIGGER guard_customer ON customer; {create}; {always}"


@on_postgres
@pytest.mark.parametrize(
    "weaken",
    [
        "ALTER TABLE customer DISABLE TRIGGER guard_customer",
        "ALTER TABLE customer ENABLE TRIGGER guard_customer",
        "ALTER TABLE customer ENABLE REPLICA TRIGGER guard_customer",
        "ALTER TRIGGER guard_customer ON customer RENAME TO other",
        recreated("BEFORE INSERT OR UPDATE OR DELETE ON customer"),
        recreated("BEFORE INSERT OR UPDATE OF name OR DELETE OR TRUNCATE ON customer"),
        recreated("AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON customer"),
        recreated("BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON customer WHEN (false)"),
        recreated("BEFORE INSERT OR UPDATE OR DELETE ON customer FOR EACH ROW"),
    ],
)
async def test_a_weakened_trigger_is_missed(database: Database, database_url: str, weaken: str) -> None:
    async with intruder(database_url) as run:
        for statement in weaken.split(";"):
            await run(statement)
        assert await guard.missing(database) == ["guard_customer"]
        await run("DROP TRIGGER IF EXISTS other ON customer")
        await install(run, "postgres")
    assert await guard.missing(database) == []


@on_postgres
@pytest.mark.parametrize("function", guard.postgres_functions())
async def test_an_emptied_trigger_function_is_missed(database: Database, database_url: str, function: str) -> None:
    async with intruder(database_url) as run:
        await run(
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        expected = [name for name, (_, _, called) in guard.postgres_triggers().items() if called == function]
        assert await guard.missing(database) == expected
        await install(run, "postgres")
    assert await guard.missing(database) == []
