"""The recorder: each change leaves its event, in the same transaction, and there is no other way to write."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import methodcaller
from typing import Any

import asyncpg
import pytest

import audit
from models import (
    ApiKey,
    Assignment,
    Busy,
    Communication,
    Contact,
    ContactRole,
    Customer,
    Database,
    Document,
    ErrorCode,
    Fault,
    Location,
    Note,
    Payment,
    Preferences,
    SalesDocument,
    Settings,
    User,
    clock,
)
from models.identifier import new_id
from models.registry import AUDITED
from models.table import Audited
from tests.audit.rows import ADA, by_ada, deleted, disclosed, events, insert, new, updated

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)

# SQLite's readers do not even have the function that the triggers ask.
READ_ONLY = "readonly database|read-only transaction|no such function: counterfoil_recorder"
NOT_RECORDED = "changes only through the recorder"


# A change of a row, where there is no name.
CHANGES: dict[type[Audited], dict[str, Any]] = {
    SalesDocument: {"due_on": "2026-03-31"},
    Payment: {"reference": "No. 77"},
    Contact: {"last_name": "Something else"},
    Note: {"body": "Something else"},
    Document: {"name": "Something else.txt"},
    Assignment: {"reference_label": "Something else"},
    Settings: {"customer_portal": False},
    Preferences: {"customer_portal": False},
    Communication: {"subject_line": "Something else"},
}


async def refusal(work: Callable[[audit.Change], Awaitable[object]]) -> Fault:
    """The fault with which Ada's work ends."""
    with pytest.raises(Fault) as caught:
        await by_ada(work)
    return caught.value


async def state(database: Database) -> tuple[Any, ...]:
    """All that there is: rows and history."""
    names = [f'"{table._meta.tablename}"' for table in AUDITED] + ["event", "event_detail", "event_body"]
    return tuple([await database.fetch(f"SELECT * FROM {name} ORDER BY 1") for name in names])


async def test_creating_changing_and_deleting_leave_an_event_each(database: Database) -> None:
    for table in AUDITED:
        row = await new(table)
        after, seqs = await updated(table, row, **CHANGES.get(table, {"name": "Something else"}))
        await deleted(table, row)
        told = [event for event in await events(database) if event["subject_id"] == row["id"]]
        subject = table.subject.value
        assert [event["action"] for event in told] == [
            f"{subject}.created",
            f"{subject}.updated",
            f"{subject}.deleted",
        ], table
        assert [event["revision"] for event in told] == [1, 2, 2], table
        assert [told[1]["seq"]] == seqs, table
        assert after["revision"] == 2, table
        assert {(event["actor_kind"], event["actor_id"]) for event in told} == {("USER", ADA.id)}, table


async def test_an_update_without_a_difference_leaves_nothing(database: Database) -> None:
    row = await new(Customer, website="https://example.com")
    before = await state(database)
    after, seqs = await updated(Customer, row, website="https://example.com", methods=[], name=row["name"])
    assert after == row
    assert seqs == []
    assert await state(database) == before


async def test_an_update_tells_only_what_differs(database: Database) -> None:
    row = await new(Customer, website="https://a.example")
    _, [seq] = await updated(Customer, row, website="https://b.example", name=row["name"])
    assert await disclosed(database, seq) == {
        row["id"]: {
            "website": {"before": "https://a.example", "after": "https://b.example"},
            "subject.label": row["name"],
            "customer.label": row["name"],
        },
        ADA.id: {"actor.name": ADA.name},
    }


async def test_a_deletion_tells_all_that_the_row_had(database: Database) -> None:
    row = await new(ContactRole, name="Purchasing")
    [seq] = await deleted(ContactRole, row)
    details = (await disclosed(database, seq))[row["id"]]
    assert details.pop("subject.label") == "Purchasing"
    assert {name: change["before"] for name, change in details.items()} == {
        "created_at": row["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "name": "Purchasing",
        "invoice_presentment": True,
        "communication": False,
        "designated_by": "USER",
    }
    assert all(change["after"] is None for change in details.values())


async def test_a_stale_revision_is_a_conflict_and_tells_the_current_one(database: Database) -> None:
    row = await new(Customer)
    await updated(Customer, row, active=False)
    before = await state(database)
    fault = await refusal(lambda change: change.get(Customer, row["id"], 1))
    assert (fault.code, fault.field, fault.current_revision) == (ErrorCode.CONFLICT, ("expected_revision",), 2)
    assert await state(database) == before


async def test_the_current_revision_is_no_conflict(database: Database) -> None:
    row = await new(Customer)
    found, _ = await by_ada(lambda change: change.get(Customer, row["id"], 1))
    assert found == row


async def test_an_unknown_id_is_not_found(database: Database) -> None:
    fault = await refusal(lambda change: change.get(Contact, new_id("con")))
    assert (fault.code, fault.field) == (ErrorCode.NOT_FOUND, ("id",))
    fault = await refusal(lambda change: change.refer(ContactRole, new_id("rol"), ("role_id",)))
    assert (fault.code, fault.field) == (ErrorCode.NOT_FOUND, ("role_id",))


NO_CONTACTS = ["", "con", "con_", "con_1", "cus_01kwef3q8seemv6gzaf2w8kdhe", "con_\x00", "evt_1"]


async def test_an_id_of_another_form_or_type_is_invalid(database: Database) -> None:
    for identifier in NO_CONTACTS:
        fault = await refusal(methodcaller("get", Contact, identifier))
        assert (fault.code, fault.field) == (ErrorCode.INVALID, ("id",)), identifier
        fault = await refusal(methodcaller("refer", Contact, identifier, ("contact_id",)))
        assert (fault.code, fault.field) == (ErrorCode.INVALID, ("contact_id",)), identifier


async def test_a_name_that_another_row_has_is_taken(database: Database) -> None:
    await new(ContactRole, name="Purchasing")
    other = await new(ContactRole)
    before = await state(database)
    fault = await refusal(lambda change: insert(change, ContactRole, name="PURCHASING "))
    assert (fault.code, fault.field) == (ErrorCode.TAKEN, ("name",))
    with pytest.raises(Fault) as caught:
        await updated(ContactRole, other, name="purchasing")
    assert caught.value.code is ErrorCode.TAKEN
    assert await state(database) == before


async def test_a_location_name_is_taken_at_its_customer_only(database: Database) -> None:
    first = await new(Location, name="Berlin")
    await new(Location, name="Berlin")
    fault = await refusal(lambda change: insert(change, Location, name="BERLIN", customer_id=first["customer_id"]))
    assert (fault.code, fault.field) == (ErrorCode.TAKEN, ("name",))


async def test_secrets_never_reach_history(database: Database) -> None:
    user = await new(User, password_hash="$argon2id$secret-one")
    await updated(User, user, password_hash="$argon2id$secret-two")
    key = await new(ApiKey, token_hash="secret-three")
    [seq] = await deleted(ApiKey, key)
    assert (await disclosed(database, 2))[user["id"]] == {
        "password_hash": {"secret": True},
        "subject.label": user["name"],
    }
    assert (await disclosed(database, seq))[key["id"]]["token_hash"] == {"secret": True}
    told = [await disclosed(database, event["seq"]) for event in await events(database)]
    assert "secret-" not in json.dumps([told, await events(database)], default=str)
    assert await database.fetch("SELECT * FROM event_body") == []


async def test_long_texts_are_stored_once_for_each_person(database: Database) -> None:
    note = await new(Note, body="first")
    for text in ("second", "first", "second"):
        await updated(Note, note, body=text)
    other = await new(Note, body="first")
    bodies = await database.fetch("SELECT about, body FROM event_body ORDER BY about, body")
    assert [(row["about"], row["body"]) for row in bodies] == [
        (note["customer_id"], "first"),
        (note["customer_id"], "second"),
        (other["customer_id"], "first"),
    ]
    assert (await disclosed(database, 3))[note["customer_id"]]["body"] == {
        "beforeDigest": hashlib.sha256(b"first").hexdigest(),
        "afterDigest": hashlib.sha256(b"second").hexdigest(),
    }


async def test_the_text_of_a_note_is_about_its_contact_or_else_its_customer(database: Database) -> None:
    contact = await new(Contact)
    await new(Note, body="about the contact", customer_id=contact["customer_id"], contact_id=contact["id"])
    await new(Note, body="about the customer", customer_id=contact["customer_id"])
    bodies = await database.fetch("SELECT about, body FROM event_body")
    assert {row["body"]: row["about"] for row in bodies} == {
        "about the contact": contact["id"],
        "about the customer": contact["customer_id"],
    }


async def test_labels_are_names_as_they_were_then(database: Database) -> None:
    customer = await new(Customer, name="Old Ltd")
    contact = await new(Contact, customer_id=customer["id"], last_name="Young")
    await updated(Customer, customer, name="New Ltd")
    await updated(Contact, contact, last_name="Elder")
    told = [await disclosed(database, seq) for seq in range(1, 5)]
    assert [details[customer["id"]]["customer.label"] for details in told] == [
        "Old Ltd",
        "Old Ltd",
        "New Ltd",
        "New Ltd",
    ]
    assert [told[seq][contact["id"]]["subject.label"] for seq in (1, 3)] == ["Young", "Elder"]
    assert told[2][customer["id"]]["subject.label"] == "New Ltd"


async def test_a_changed_reference_tells_the_names_of_what_it_pointed_to(database: Database) -> None:
    buyer, chief = await new(ContactRole, name="Buyer"), await new(ContactRole, name="Chief")
    contact = await new(Contact, role_id=buyer["id"])

    async def promote(change: audit.Change) -> None:
        await change.update(Contact, await change.get(Contact, contact["id"]), {"role_id": chief["id"]})
        await change.delete(ContactRole, await change.get(ContactRole, buyer["id"]))

    _, (seq, _) = await by_ada(promote)
    assert (await disclosed(database, seq))[contact["id"]]["role_id"] == {
        "before": buyer["id"],
        "beforeText": "Buyer",
        "after": chief["id"],
        "afterText": "Chief",
    }
    _, [seq] = await updated(Contact, contact, role_id=None)
    change = (await disclosed(database, seq))[contact["id"]]["role_id"]
    assert change == {"before": chief["id"], "beforeText": "Chief", "after": None}


async def test_a_change_of_many_rows_is_one_statement_and_an_event_each(database: Database) -> None:
    roles = [await new(ContactRole, communication=number == 0) for number in range(4)]
    statements: list[str] = []

    async def work(change: audit.Change) -> list[Any]:
        rows = await change.every(ContactRole, [role["id"] for role in roles])
        database.statements.append(statements.append)
        return await change.update_all(ContactRole, list(rows.values()), {"communication": True})

    after, seqs = await by_ada(work)
    database.statements.clear()
    assert sum(statement.startswith("UPDATE") for statement in statements) == 1
    assert [row["id"] for row in after] == sorted(role["id"] for role in roles[1:])
    assert seqs == [5, 6, 7]


async def test_columns_that_others_derive_from_are_not_changed_for_many_rows_at_once(database: Database) -> None:
    async def work(change: audit.Change) -> None:
        await change.update_all(ContactRole, [await insert(change, ContactRole)], {"name": "Other"})

    with pytest.raises(TypeError, match="derive from name"):
        await by_ada(work)
    assert await events(database) == []


async def test_a_column_that_does_not_exist_is_an_error(database: Database) -> None:
    row = await new(Customer)
    with pytest.raises(TypeError, match=r"no columns .*nmae"):
        await new(Customer, nmae="Other")
    with pytest.raises(KeyError, match="nmae"):
        await updated(Customer, row, nmae="Other")
    assert len(await events(database)) == 1


async def test_an_error_leaves_neither_row_nor_event(database: Database) -> None:
    row = await new(Customer)
    before = await state(database)

    async def work(change: audit.Change) -> None:
        await insert(change, Note)
        await change.update(Customer, await change.get(Customer, row["id"]), {"name": "Other"})
        raise LookupError

    with pytest.raises(LookupError):
        await by_ada(work)
    assert await state(database) == before
    assert (await updated(Customer, row, name="Works again"))[1] == [2]


async def test_an_event_that_changes_no_row_can_be_left(database: Database) -> None:
    user = await new(User)

    async def work(change: audit.Change) -> None:
        change.mention(User, user, audit.Action.USER_SIGNED_IN)

    _, [seq] = await by_ada(work)
    event = (await events(database))[-1]
    assert (event["action"], event["category"], event["revision"]) == ("user.signed_in", "access", 1)
    assert (await disclosed(database, seq))[user["id"]] == {"subject.label": user["name"]}


async def test_the_clients_address_is_about_the_actor(database: Database) -> None:
    async with audit.record(ADA, audit.Request("req_1", "192.0.2.1")) as change:
        await insert(change, Customer)
    assert change.seqs == [1]
    assert (await disclosed(database, 1))[str(ADA.id)] == {"actor.name": ADA.name, "client.address": "192.0.2.1"}
    assert (await events(database))[0]["request_id"] == "req_1"


async def test_an_actor_without_an_id_is_told_by_its_kind(database: Database) -> None:
    async with audit.record(audit.SYSTEM, audit.Request.new()) as change:
        await insert(change, Customer)
    [event] = await events(database)
    assert (event["actor_kind"], event["actor_id"]) == ("SYSTEM", None)
    assert (await disclosed(database, 1))["system"] == {"actor.name": "Counterfoil"}


async def test_time_never_runs_back_though_the_clock_does(database: Database) -> None:
    for minutes in (0, 0, -60, 1):
        with clock.set_to(lambda minutes=minutes: NOW + timedelta(minutes=minutes)):  # type: ignore[misc]
            await by_ada(lambda change: insert(change, Contact))
    microsecond = timedelta(microseconds=1)
    assert [event["at"] for event in await events(database)] == [
        *(NOW + number * microsecond for number in range(6)),
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=1) + microsecond,
    ]


async def test_a_write_through_piccolo_fails(database: Database) -> None:
    row = await new(Customer)
    errors = (sqlite3.OperationalError, asyncpg.ReadOnlySQLTransactionError)
    with pytest.raises(errors, match=READ_ONLY):
        await Customer.update({Customer.name: "Other"}).where(Customer.id == row["id"])
    with pytest.raises(errors, match=READ_ONLY):
        await Customer.delete(force=True)
    with pytest.raises(errors, match=READ_ONLY):
        await Customer.insert(Customer(**{**row, "id": "cus_x", "methods": "[]"}))


@pytest.mark.parametrize("sql", ["UPDATE customer SET active = active", "DELETE FROM customer", "DELETE FROM event"])
async def test_raw_sql_outside_a_transaction_fails(database: Database, sql: str) -> None:
    await new(Customer)
    with pytest.raises((sqlite3.OperationalError, asyncpg.ReadOnlySQLTransactionError), match=READ_ONLY):
        await database.fetch(sql)


async def test_an_operational_transaction_cannot_write_audited_tables(database: Database) -> None:
    for table in AUDITED:
        await new(table)
        name = f'"{table._meta.tablename}"'
        for sql in (
            f"DELETE FROM {name}",
            f"UPDATE {name} SET revision = 7",
            f"INSERT INTO {name} SELECT * FROM {name}",
        ):
            with pytest.raises((sqlite3.IntegrityError, asyncpg.RestrictViolationError), match=NOT_RECORDED):
                async with database.write() as transaction:
                    await transaction.fetch(sql)
    with pytest.raises((sqlite3.IntegrityError, asyncpg.RestrictViolationError), match=NOT_RECORDED):
        async with database.write() as transaction:
            await transaction.fetch("INSERT INTO event_body VALUES ('a', 'b', 'c')")


async def test_the_recorders_permission_ends_with_its_transaction(database: Database) -> None:
    for _ in range(12):  # on PostgreSQL every connection of the pool has been the recorder's then
        await new(Customer)
    for _ in range(12):
        with pytest.raises((sqlite3.IntegrityError, asyncpg.RestrictViolationError), match=NOT_RECORDED):
            async with database.write() as transaction:
                await transaction.fetch("DELETE FROM customer")


async def test_a_task_of_its_own_inside_a_recorded_transaction_is_an_error(database: Database) -> None:
    async def work(change: audit.Change) -> None:
        await asyncio.gather(insert(change, Customer), insert(change, Customer))

    with pytest.raises(RuntimeError, match="belongs to the task"):
        await by_ada(work)
    assert await events(database) == []
    assert (await new(Customer))["revision"] == 1


async def test_a_recorded_transaction_inside_another_is_an_error(database: Database) -> None:
    async def work(change: audit.Change) -> None:
        await new(Customer)

    with pytest.raises(RuntimeError, match="cannot be nested"):
        await by_ada(work)
    assert await events(database) == []


async def test_a_change_cannot_be_used_after_its_transaction(database: Database) -> None:
    async with audit.record(ADA, audit.Request.new()) as change:
        row = await insert(change, Customer)
    with pytest.raises(RuntimeError, match="not open"):
        await change.update(Customer, row, {"active": False})


async def test_a_deadlock_is_tried_three_times(database: Database) -> None:
    tries: list[int] = []

    async def work(change: audit.Change) -> None:
        await insert(change, Customer)
        tries.append(1)
        if len(tries) != 3:
            raise asyncpg.DeadlockDetectedError

    _, seqs = await by_ada(work)
    assert seqs == [1]
    with pytest.raises(Busy):
        await by_ada(work)
    assert len(tries) == 6
    assert len(await events(database)) == 1


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_two_who_lock_rows_in_opposite_order_both_succeed(database: Database) -> None:
    rows = [await new(Customer), await new(Customer)]
    both = asyncio.Barrier(2)

    async def change_all(order: list[Any]) -> None:
        tries = count(1)

        async def work(change: audit.Change) -> None:
            must_meet = next(tries) == 1
            for row in order:
                current = await change.get(Customer, row["id"])
                await change.update(Customer, current, {"website": f"https://{current['revision']}.example"})
                if must_meet:
                    await both.wait()
                    must_meet = False

        await by_ada(work)

    await asyncio.gather(change_all(rows), change_all(rows[::-1]))
    found = await database.fetch("SELECT revision FROM customer")
    assert [row["revision"] for row in found] == [3, 3]


async def test_a_row_that_was_changed_since_it_was_read_cannot_be_written_again(database: Database) -> None:
    contact = await new(Contact)

    async def twice(change: audit.Change) -> None:
        row = await change.get(Contact, contact["id"])
        await change.update(Contact, row, {"title": "Buyer"})
        await change.update(Contact, row, {"title": "Controller"})

    with pytest.raises(RuntimeError, match="not as it was read"):
        await by_ada(twice)
    [row] = await database.fetch("SELECT title, revision FROM contact")
    assert row == {"title": contact["title"], "revision": 1}
