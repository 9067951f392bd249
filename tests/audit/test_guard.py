"""The guard in the database: whoever comes with a connection of their own is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import asyncpg
import pytest

from audit import guard
from audit.event import EVENT_COLUMNS
from models import Audited, Customer, Database, Note
from models.engine.url import sqlite_path
from models.registry import AUDITED
from models.table import columns
from tests.audit.intruder import REFUSAL, REFUSED, Run, intruder
from tests.audit.rows import deleted, events, new

pytestmark = pytest.mark.anyio

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])
on_postgres = pytest.mark.parametrize("dialect", ["postgres"])
each_table = pytest.mark.parametrize("table", AUDITED, ids=lambda table: table.subject.value)

# After `some_history` there are the events 1 to 5.
LAST = 5
DETAIL = "INSERT INTO event_detail (seq, about, disclosures)"
BODY = "INSERT INTO event_body (about, digest, body)"


def copied(seq: str) -> str:
    """An INSERT of the first event's copy with another seq."""
    return f"INSERT INTO event SELECT {', '.join([seq, *EVENT_COLUMNS[1:]])} FROM event WHERE seq = 1"


# Nobody can do these, whatever they pretend to be.
CHANGES_OF_HISTORY = [
    *(f"DELETE FROM {table}" for table in ("event", "event_detail", "event_body")),
    *(f"DELETE FROM {table} WHERE seq = {LAST}" for table in ("event", "event_detail")),
    "UPDATE event SET at = at",
    f"UPDATE event SET actor_id = 'usr_2' WHERE seq = {LAST}",
    "UPDATE event_detail SET disclosures = '[]'",
    f"UPDATE event_detail SET seq = {LAST}",
    "UPDATE event_body SET body = 'x'",
    "UPDATE event_body SET about = 'con_1'",
    *(copied(seq) for seq in ("1", str(LAST), str(LAST + 2), "0", "-1", "1000000")),
    *(f"{DETAIL} VALUES ({seq}, 'con_1', '[]')" for seq in (1, LAST - 1, LAST + 1)),
    f"{DETAIL} SELECT seq, about, disclosures FROM event_detail WHERE seq = {LAST}",
]

DETAIL_UPSERT = f"{DETAIL} SELECT seq, about, '[]' FROM event_detail WHERE true ON CONFLICT (seq, about) DO UPDATE SET"
BODY_UPSERT = f"{BODY} SELECT about, digest, 'x' FROM event_body WHERE true ON CONFLICT (about, digest) DO UPDATE SET"
UPSERTS = [
    f"{copied('seq')} ON CONFLICT (seq) DO UPDATE SET actor_id = 'usr_2'",
    f"{DETAIL_UPSERT} disclosures = excluded.disclosures",
    f"{BODY_UPSERT} body = excluded.body",
]

# SQLite removes the row in the way of a REPLACE without asking any DELETE trigger.
REPLACEMENTS = [
    "REPLACE INTO event SELECT * FROM event",
    f"REPLACE INTO event SELECT * FROM event WHERE seq = {LAST}",
    "REPLACE INTO event_detail SELECT * FROM event_detail WHERE seq = 1",
    f"REPLACE INTO event_detail SELECT * FROM event_detail WHERE seq = {LAST}",
    f"REPLACE INTO event_detail SELECT id, {LAST}, 'con_1', '[]' FROM event_detail WHERE seq = 1",
    f"REPLACE INTO event_detail (rowid, seq, about, disclosures) SELECT id, {LAST}, 'con_1', '[]' FROM event_detail",
    f"REPLACE INTO event_detail (seq, about, disclosures) SELECT seq, about, '[]' FROM event_detail WHERE seq = {LAST}",
    "REPLACE INTO event_body (about, digest, body) SELECT about, digest, 'x' FROM event_body",
    "REPLACE INTO event_body (rowid, about, digest, body) SELECT rowid, 'con_1', 'x', 'x' FROM event_body",
    "UPDATE OR REPLACE event_detail SET about = 'con_1', id = 1",
    "UPDATE OR REPLACE event SET seq = 1",
]

# On PostgreSQL as a superuser.
MERGE_DETAIL = "MERGE INTO event_detail d USING event e ON d.seq = e.seq"
FORCE = [
    *(f"TRUNCATE {table} CASCADE" for table in ("event", "event_detail", "event_body")),
    "MERGE INTO event e USING event o ON e.seq = o.seq WHEN MATCHED THEN UPDATE SET actor_id = 'usr_2'",
    "MERGE INTO event e USING event o ON e.seq = o.seq WHEN MATCHED THEN DELETE",
    "MERGE INTO event_body b USING event_body o ON b.about = o.about WHEN MATCHED THEN DELETE",
    f"{MERGE_DETAIL} WHEN MATCHED THEN UPDATE SET disclosures = '[]'",
    f"{MERGE_DETAIL} AND false WHEN NOT MATCHED THEN INSERT (seq, about, disclosures) VALUES (1, 'con_1', '[]')",
]


async def some_history() -> None:
    """Five events, three of them with long texts."""
    note = await new(Note)
    await new(Note, customer_id=note["customer_id"])
    await deleted(Note, note)
    await new(Customer)


async def refused(run: Run, sql: str, match: str = REFUSAL) -> None:
    """Assert that the guard refuses the statement."""
    with pytest.raises(REFUSED, match=match):
        await run(sql)


def writes(table: type[Audited], dialect: str) -> list[str]:
    """All kinds of writes to an audited table that has a row."""
    name = f'"{table._meta.tablename}"'
    others = ", ".join("'another'" if column == "id" else f'"{column}"' for column in columns(table))
    names = ", ".join(f'"{column}"' for column in columns(table))
    either = [
        f"INSERT INTO {name} ({names}) SELECT {others} FROM {name}",
        f"INSERT INTO {name} SELECT * FROM {name}",
        f"INSERT INTO {name} SELECT * FROM {name} WHERE true ON CONFLICT (id) DO UPDATE SET revision = 7",
        f"INSERT INTO {name} SELECT * FROM {name} WHERE true ON CONFLICT DO NOTHING",
        f"UPDATE {name} SET revision = revision + 1",
        f"UPDATE {name} SET id = 'another'",
        f"DELETE FROM {name}",
        f"DELETE FROM {name} WHERE revision = 1",
    ]
    if dialect == "sqlite":
        replacements = [f"REPLACE INTO {name} SELECT * FROM {name}", f"UPDATE OR REPLACE {name} SET revision = 7"]
        return either + replacements
    merge = f"MERGE INTO {name} t USING {name} o ON t.id = o.id WHEN MATCHED THEN"
    return [*either, f"TRUNCATE {name} CASCADE", f"{merge} UPDATE SET revision = 7", f"{merge} DELETE"]


async def test_any_write_to_an_audited_table_is_refused(database: Database, database_url: str, dialect: str) -> None:
    async with intruder(database_url) as run:
        for table in AUDITED:
            await new(table)
            for sql in writes(table, dialect):
                await refused(run, sql, f"{guard.NOT_RECORDED}|no such function")


@on_postgres
@each_table
async def test_a_superuser_in_a_replicas_role_is_refused_too(
    database: Database, database_url: str, table: type[Audited], dialect: str
) -> None:
    await new(table)
    async with intruder(database_url) as run:
        await run("SET session_replication_role = replica")
        for sql in writes(table, dialect):
            await refused(run, sql, guard.NOT_RECORDED)


@pytest.mark.parametrize("as_recorder", [False, True], ids=["plainly", "as recorder"])
async def test_history_is_neither_changed_nor_inserted_out_of_order(
    database: Database, database_url: str, as_recorder: bool
) -> None:
    await some_history()
    before = await events(database)
    assert len(before) == LAST
    async with intruder(database_url, as_recorder=as_recorder) as run:
        for sql in CHANGES_OF_HISTORY:
            await refused(run, sql)
        for sql in UPSERTS:
            await refused(run, sql)
    assert await events(database) == before


async def test_nobody_but_the_recorder_appends(database: Database, database_url: str) -> None:
    await some_history()
    async with intruder(database_url) as run:
        for sql in (
            copied(str(LAST + 1)),
            f"{DETAIL} VALUES ({LAST}, 'con_1', '[]')",
            f"{BODY} VALUES ('a', 'b', 'c')",
        ):
            await refused(run, sql, f"{guard.NOT_RECORDED}|no such function")


@on_sqlite
@pytest.mark.parametrize("as_recorder", [False, True], ids=["plainly", "as recorder"])
@pytest.mark.parametrize("recursive_triggers", ["OFF", "ON"])
async def test_insert_or_replace_by_any_unique_column_is_refused(
    database: Database, database_url: str, recursive_triggers: str, as_recorder: bool
) -> None:
    await some_history()
    async with intruder(database_url, as_recorder=as_recorder) as run:
        await run(f"PRAGMA recursive_triggers = {recursive_triggers}")
        for sql in REPLACEMENTS:
            await refused(run, sql)
            await refused(run, sql.replace("REPLACE INTO", "INSERT OR REPLACE INTO"))


@on_sqlite
async def test_turning_foreign_keys_off_opens_nothing(database: Database, database_url: str) -> None:
    await some_history()
    async with intruder(database_url, as_recorder=True) as run:
        await run("PRAGMA foreign_keys = OFF")
        await run("PRAGMA ignore_check_constraints = ON")
        for sql in CHANGES_OF_HISTORY:
            await refused(run, sql)


@on_postgres
@pytest.mark.parametrize("as_recorder", [False, True], ids=["plainly", "as recorder"])
@pytest.mark.parametrize("role", ["origin", "replica", "local"])
async def test_truncate_merge_and_another_role_are_refused(
    database: Database, database_url: str, role: str, as_recorder: bool
) -> None:
    await some_history()
    async with intruder(database_url, as_recorder=as_recorder) as run:
        await run(f"SET session_replication_role = {role}")
        for sql in [*FORCE, *UPSERTS, *CHANGES_OF_HISTORY]:
            await refused(run, sql)


@on_postgres
async def test_a_detail_cannot_be_added_after_its_transaction(database: Database, database_url: str) -> None:
    await some_history()
    async with intruder(database_url, as_recorder=True) as run:
        await refused(run, f"{DETAIL} VALUES ({LAST}, 'con_1', '[]')", guard.OUT_OF_ORDER)


@on_postgres
async def test_copy_is_refused(database: Database, database_url: str) -> None:
    await some_history()
    connection = await asyncpg.connect(database_url)
    try:
        for table in ("event", "event_detail", "event_body", *(table._meta.tablename for table in AUDITED)):
            names = await connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_identity = 'NO'", table
            )
            quoted = ", ".join(f'"{name[0]}"' for name in names)
            rows = await connection.fetch(f'SELECT {quoted} FROM "{table}"')
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.copy_records_to_table(
                    table, records=map(tuple, rows), columns=[name[0] for name in names]
                )
    finally:
        await connection.close()


@on_sqlite
async def test_whole_tables_are_not_emptied_past_the_triggers(database: Database, database_url: str) -> None:
    # Without triggers, SQLite empties a table without looking at its rows.
    await some_history()
    with closing(sqlite3.connect(sqlite_path(database_url))) as connection:
        connection.create_function("counterfoil_recorder", 0, lambda: 1)
        for table in ("event", "event_detail", "event_body"):
            with pytest.raises(sqlite3.IntegrityError, match=guard.APPEND_ONLY):
                connection.executescript(f"DELETE FROM {table}")
