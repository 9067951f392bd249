"""fold(history) = live tables, whatever is done through the recorder."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import audit
from audit import drift, fold, verification
from models import (
    ApiKey,
    Assignment,
    Audited,
    Communication,
    Contact,
    ContactRole,
    Customer,
    Database,
    Delivery,
    Document,
    Fault,
    Location,
    Note,
    Payment,
    Preferences,
    Purpose,
    ReminderWorkflow,
    Row,
    SalesDocument,
    Settings,
    Template,
    User,
    UserRole,
)
from models.preference_values import steps_of
from models.registry import AUDITED
from models.table import columns, references
from tests.audit.rows import by_ada, deleted, email, insert, new, updated

pytestmark = pytest.mark.anyio

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ADDRESSES = st.none() | st.fixed_dictionaries({"city": TEXT, "lines": st.lists(TEXT, max_size=2)})
METHODS = st.lists(TEXT.map(email), max_size=2)
CARDS = st.fixed_dictionaries({"enabled": st.booleans(), "surcharge_basis_points": st.integers(0, 10_000)})

# What may be written into some columns of each table.
VALUES: dict[type[Audited], dict[str, st.SearchStrategy[Any]]] = {
    UserRole: {"name": TEXT, "permissions": st.lists(TEXT, max_size=3)},
    User: {"name": TEXT, "password_hash": st.none() | TEXT, "active": st.booleans()},
    ApiKey: {"name": TEXT, "expires_at": st.none() | TIMES, "revoked_at": st.none() | TIMES},
    ContactRole: {"name": TEXT, "communication": st.booleans()},
    Customer: {"name": TEXT, "methods": METHODS, "billing_address": ADDRESSES, "accounting": ADDRESSES},
    Location: {"name": TEXT, "address": ADDRESSES},
    Contact: {
        "first_name": st.none() | TEXT,
        "priority": st.none() | st.integers(0, 9),
        "primary": st.booleans(),
        "methods": METHODS,
        "order_password_hash": st.none() | TEXT,
        "order_password_set_at": st.none() | TIMES,
        "order_password_set_by": ADDRESSES,
    },
    SalesDocument: {
        "number": TEXT,
        "status": st.sampled_from(["DRAFT", "POSTED", "PAID", "VOID"]),
        "amount": st.integers(0, 10**15),
        "balance": st.integers(0, 10**15),
        "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
        "posted_at": st.none() | TIMES,
    },
    Payment: {"amount": st.integers(0, 10**15), "reference": st.none() | TEXT},
    ReminderWorkflow: {"name": TEXT, "steps": st.lists(st.integers(-9, 9), max_size=3).map(steps_of)},
    Settings: {"monthly_statement": st.booleans(), "card": CARDS},
    Preferences: {"monthly_statement": st.none() | st.booleans(), "card": st.none() | CARDS},
    Purpose: {"name": TEXT, "single": st.booleans()},
    Assignment: {"reference_label": st.none()},
    Note: {"body": TEXT, "pinned": st.booleans()},
    Document: {"name": TEXT, "size": st.integers(1, 2**53)},
    Template: {"name": TEXT, "enabled": st.booleans(), "text_source": TEXT, "html_source": st.none() | TEXT},
    Communication: {"subject_line": TEXT, "attachments": METHODS, "suppressed": st.none() | TEXT},
    Delivery: {"text": TEXT, "html": st.none() | TEXT, "status_at": TIMES, "email": TEXT, "reasons": st.lists(TEXT)},
}


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, type[Audited], int, Row]:
    """Something to do to a row, chosen by a number, and values for some of its columns."""
    table = draw(st.sampled_from(AUDITED))
    values = draw(st.fixed_dictionaries({}, optional=VALUES[table]))
    return draw(st.sampled_from(["insert", "update", "delete"])), table, draw(st.integers(0, 99)), values


async def ids_of(database: Database, table: type[Any]) -> list[str]:
    """The ids of all rows."""
    return [row["id"] for row in await database.fetch(f'SELECT id FROM "{table._meta.tablename}" ORDER BY id')]


async def do(database: Database, verb: str, table: type[Audited], choice: int, values: Row) -> None:
    """Take one step; what a rule or a constraint refuses leaves nothing."""
    ids = await ids_of(database, table)
    for name, target in references(table).items():
        others = await ids_of(database, target)
        if others and (verb == "insert" or choice % 2):
            values[name] = others[choice % len(others)]

    async def work(change: audit.Change) -> None:
        if verb == "insert" or not ids:
            await insert(change, table, **values)
            return
        row = await change.get(table, ids[choice % len(ids)])
        if verb == "update":
            row = await change.update(table, row, values)
        if verb == "delete":
            await change.delete(table, row)

    try:
        await by_ada(work)
    except (Fault, sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError):
        return


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(steps(), min_size=1, max_size=12))
async def test_the_fold_of_any_history_is_the_live_tables(
    database: Database, script: list[tuple[str, type[Audited], int, Row]]
) -> None:
    for verb, table, choice, values in script:
        await do(database, verb, table, choice, dict(values))
    assert await drift.drift(database) == []
    assert await verification.verify_events(database) == []


async def test_the_fold_holds_every_recorded_column_and_the_revision(database: Database) -> None:
    rows = [(table, await new(table)) for table in AUDITED]
    states = await fold.fold(database, [row["id"] for _, row in rows])
    for table, row in rows:
        state = states[table, row["id"]]
        known = {"id", "revision", *state.values, *table.derived}
        unknown = {name for name in table.secret if row[name] is not None}
        assert (state.exists, state.revision) == (True, 1)
        assert known == set(columns(table)) - unknown
    customer = dict(rows)[Customer]
    assert states[Customer, customer["id"]].values["name"] == customer["name"]


async def test_a_deleted_row_is_remembered_with_its_last_revision(database: Database) -> None:
    row, _ = await updated(Customer, await new(Customer), active=False)
    await deleted(Customer, row)
    assert await fold.fold(database, [row["id"]]) == {(Customer, row["id"]): fold.State(False, 2, {})}


async def test_secrets_are_unknown_once_they_are_set(database: Database) -> None:
    user = await new(User)
    states = await fold.fold(database, [user["id"]])
    assert states[User, user["id"]].values["password_hash"] is None
    await updated(User, user, password_hash="x")
    states = await fold.fold(database, [user["id"]])
    assert "password_hash" not in states[User, user["id"]].values


async def test_ids_without_events_have_no_state(database: Database) -> None:
    assert await fold.fold(database, ["cus_1", ""]) == {}
    assert await fold.fold(database, []) == {}


async def test_events_that_change_no_row_do_not_matter(database: Database) -> None:
    user = await new(User)

    async def work(change: audit.Change) -> None:
        change.mention(User, user, audit.Action.USER_SIGNED_IN)

    await by_ada(work)
    assert (await fold.fold(database, [user["id"]]))[User, user["id"]].revision == 1


async def test_pages_and_batches_leave_nothing_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [await new(Note) for _ in range(5)]
    for number in range(7):
        await updated(Note, rows[2], body=f"Text {number}")
    whole = await fold.fold(database, [row["id"] for row in rows])
    for size in (1, 2, 3):
        monkeypatch.setattr(fold, "PAGE", size)
        monkeypatch.setattr(drift, "BATCH", size)
        monkeypatch.setattr(verification, "PAGE", size)
        assert await fold.fold(database, [row["id"] for row in rows]) == whole
        assert await drift.drift(database) == []
        assert await verification.verify_events(database) == []


async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(database: Database) -> None:
    counts = []
    for _ in range(2):
        statements: list[str] = []
        await asyncio.gather(*(new(Note) for _ in range(20)))
        database.statements.append(statements.append)
        assert await drift.drift(database) == []
        assert await verification.verify_events(database) == []
        database.statements.clear()
        counts.append(len(statements))
    assert counts[0] == counts[1] < 20 + len(AUDITED)


async def test_comparing_while_others_write_finds_nothing(database: Database) -> None:
    rows = [await new(Contact) for _ in range(8)]
    done = asyncio.Event()

    async def write(row: Row) -> None:
        number = 0
        while not done.is_set():
            number += 1
            await updated(Contact, row, title=f"Title {number}")
            await deleted(Note, await new(Note, customer_id=row["customer_id"]))

    async def compare() -> None:
        for _ in range(5):
            assert await drift.drift(database) == []
            assert await verification.verify_events(database) == []
        done.set()

    await asyncio.gather(compare(), *map(write, rows))
