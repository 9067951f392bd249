"""What was forced past the recorder is found, and history is brought up to it."""

from __future__ import annotations

import sqlite3
from typing import Any

import asyncpg
import pytest

from audit.drift import REASON, Drift, adopt, drift
from audit.verification import verify_events
from models import (
    Audited,
    Contact,
    ContactRole,
    Customer,
    Database,
    ErrorCode,
    Fault,
    Note,
    Preferences,
    ReminderWorkflow,
    Row,
    Settings,
    User,
)
from models.preference_values import COMPANY, step_of
from models.registry import AUDITED
from models.switch import NAMES
from tests.audit.intruder import literal, unguarded
from tests.audit.rows import by_ada, defaults, deleted, disclosed, email, events, new, updated

pytestmark = pytest.mark.anyio

ON = dict.fromkeys(NAMES["notifications"], True)


async def healed(database: Database) -> list[int]:
    """Adopt all drift; nothing is left, and history is in order."""
    seqs = await adopt(database, await drift(database))
    assert await drift(database) == []
    assert await verify_events(database) == []
    return seqs


async def row_of(database: Database, table: type[Audited], identifier: str) -> Row:
    """The live row."""
    [row] = await database.fetch(f'SELECT * FROM "{table._meta.tablename}" WHERE id = ?', identifier)
    return row


async def test_nothing_is_found_where_nothing_was_forced(database: Database) -> None:
    await new(Contact)
    assert await drift(database) == []
    assert await adopt(database, []) == []


async def test_a_forced_update_is_found_and_adopted(database: Database, database_url: str) -> None:
    row = await new(Contact, title="Buyer", priority=3)
    async with unguarded(database_url) as run:
        await run("UPDATE contact SET title = 'Chief', priority = NULL, methods = '[]'")
    [found] = await drift(database)
    assert found == Drift(
        table=Contact,
        id=row["id"],
        kind="updated",
        before=row,
        after={**row, "title": "Chief", "priority": None},
        fields=("title", "priority", "search_key"),
        revision=1,
    )
    [seq] = await adopt(database, [found])
    event = (await events(database))[-1]
    assert (event["seq"], event["action"], event["revision"]) == (seq, "contact.updated", 2)
    assert (event["actor_kind"], event["actor_id"], event["customer_id"]) == ("DATABASE", None, row["customer_id"])
    details = await disclosed(database, seq)
    assert details["database"] == {"actor.name": "Direct database access"}
    assert details[row["id"]] == {
        "title": {"before": "Buyer", "after": "Chief"},
        "priority": {"before": 3, "after": None},
        "subject.label": row["last_name"],
        "reason": REASON,
    }
    live = await row_of(database, Contact, row["id"])
    assert (live["revision"], live["search_key"]) == (2, f"{row['last_name']} Chief".casefold())
    assert await drift(database) == []


async def test_clients_notice_what_was_adopted(database: Database, database_url: str) -> None:
    row = await new(Customer)
    async with unguarded(database_url) as run:
        await run("UPDATE customer SET website = 'https://evil.example'")
    await healed(database)
    with pytest.raises(Fault) as caught:
        await by_ada(lambda change: change.get(Customer, row["id"], row["revision"]))
    assert caught.value.code is ErrorCode.CONFLICT


# Of these there can be no second row with an id of its own: the database refuses it by itself.
ONE_ROW = (Settings, Preferences)


@pytest.mark.parametrize(
    "table", [table for table in AUDITED if table not in ONE_ROW], ids=lambda table: table.subject.value
)
async def test_a_forced_insert_is_found_and_adopted(
    database: Database, database_url: str, table: type[Audited]
) -> None:
    row = await new(table)
    wrong = {name: not row[name] if isinstance(row[name], bool) else "forced" for name in table.derived}
    forced = {**row, **defaults(table), **wrong, "id": "forced", "revision": 4}
    names = ", ".join(f'"{name}"' for name in forced)
    values = ", ".join(map(literal, forced.values()))
    async with unguarded(database_url) as run:
        await run(f'INSERT INTO "{table._meta.tablename}" ({names}) VALUES ({values})')
    found = await drift(database)
    assert [(drift.table, drift.id, drift.kind, drift.before, drift.revision) for drift in found] == [
        (table, "forced", "created", None, 0)
    ]
    assert found[0].after is not None
    [seq] = await healed(database)
    event = (await events(database))[-1]
    assert (event["seq"], event["action"]) == (seq, f"{table.subject.value}.created")
    assert event["revision"] == (await row_of(database, table, "forced"))["revision"] == 4
    told = (await disclosed(database, seq))[table.about(forced)]
    assert {name: told[name] for name in wrong} == {name: {"before": None, "after": wrong[name]} for name in wrong}


UNREADABLE: list[tuple[type[Audited], str, Any]] = [
    (Preferences, "card", {}),
    (Preferences, "card", {"enabled": 1, "surcharge_basis_points": 0}),
    (Preferences, "ach", {"enabled": True, "discount_basis_points": 10_001}),
    (Preferences, "ach", {"enabled": True, "discount_basis_points": "1"}),
    (Settings, "card", {"enabled": True, "surcharge_basis_points": -1}),
    (Settings, "online_payments", [1]),
    (Settings, "online_payments", {"enabled": False, "disabled_until": "soon"}),
    (Settings, "online_payments", {"enabled": True, "disabled_until": "2026-03-12"}),
    (Settings, "notifications", {}),
    (Settings, "notifications", {**ON, "INVOICE": "yes"}),
    (Settings, "notifications", {**ON, "REMINDER": True}),
    (Settings, "portal_permissions", ["INVOICES"]),
    (Settings, "company", {"name": "Lakeside"}),
    (Settings, "company", {**dict.fromkeys(COMPANY), "name": 7}),
    (Settings, "company", {**dict.fromkeys(COMPANY), "name": "Lakeside", "address": "Berlin"}),
    (Contact, "notifications", {}),
    (Contact, "notifications", {"REMINDER": True}),
    (Contact, "portal_permissions", {"INVOICES": 1}),
    (Contact, "email_problem", {"address": "eva@example.com"}),
    (ReminderWorkflow, "steps", {}),
    (ReminderWorkflow, "steps", ["7"]),
    (ReminderWorkflow, "steps", [{"days": 7}]),
    (ReminderWorkflow, "steps", [{**step_of(7), "attach_invoice": 1}]),
]


@pytest.mark.forces_drift
async def test_what_the_product_could_not_read_is_not_adopted(database: Database, database_url: str) -> None:
    rows = {table: await new(table) for table in dict.fromkeys(table for table, _, _ in UNREADABLE)}
    async with unguarded(database_url) as run:
        for table, column, forced in UNREADABLE:
            change = f'UPDATE "{table._meta.tablename}" SET {column} = {{}} WHERE id = {literal(rows[table]["id"])}'
            await run(change.format(literal(forced)))
            with pytest.raises(ValueError, match=f"{rows[table]['id']} holds what the product cannot read"):
                await drift(database)
            await run(change.format(literal(rows[table][column])))
    assert await drift(database) == []


async def test_what_a_forced_change_entails_is_adopted_with_it(database: Database, database_url: str) -> None:
    problem = {"address": "eva@example.com", "at": "2030-01-01T10:00:00+00:00", "reply": None, "delivery_id": "dlv_1"}
    rows = [await new(Contact, methods=[email("eva@example.com")], email_problem=problem) for _ in range(2)]
    async with unguarded(database_url) as run:
        forced = literal([email("other@example.com")])
        await run(f"UPDATE contact SET methods = {forced} WHERE id = '{rows[0]['id']}'")
        await run(f"UPDATE contact SET title = 'Buyer' WHERE id = '{rows[1]['id']}'")
    seqs = await healed(database)
    changed = [(await row_of(database, Contact, row["id"]))["email_problem"] is None for row in rows]
    assert (len(seqs), changed) == (2, [True, False])


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_rows_are_locked_for_adoption_in_the_order_of_everybody(database: Database, database_url: str) -> None:
    settings = await new(Settings)
    async with unguarded(database_url) as run:
        await run("UPDATE settings SET customer_portal = NOT customer_portal")
    found = await drift(database)
    assert [each.id for each in found] == [settings["id"]]
    seen: list[str] = []
    database.statements.append(seen.append)
    await adopt(database, found)
    locked = [sql.split('"')[1] for sql in seen if sql.endswith("FOR UPDATE")]
    assert locked[0] == "settings"
    assert sorted(locked) == sorted(table._meta.tablename for table in AUDITED)


@pytest.mark.parametrize("table", AUDITED, ids=lambda table: table.subject.value)
async def test_a_forced_deletion_is_found_and_adopted(
    database: Database, database_url: str, table: type[Audited]
) -> None:
    row = await new(table, **dict.fromkeys(table.secret, "secret"))
    async with unguarded(database_url) as run:
        await run(f'DELETE FROM "{table._meta.tablename}"')
    [found] = await drift(database)
    assert (found.kind, found.after, found.revision) == ("deleted", None, 1)
    assert found.before == {name: value for name, value in row.items() if name not in table.secret}
    [seq] = await healed(database)
    event = (await events(database))[-1]
    assert (event["action"], event["revision"]) == (f"{table.subject.value}.deleted", 1)
    details = (await disclosed(database, seq))[table.about(row)]
    assert details["subject.label"] == table.label(row)
    assert all(details[name] == {"secret": True} for name in table.secret)


async def test_a_row_that_was_deleted_and_forced_back_gets_a_higher_revision(
    database: Database, database_url: str
) -> None:
    row = await new(ContactRole)
    for number in range(3):
        await updated(ContactRole, row, communication=number % 2 == 0)
    await deleted(ContactRole, row)
    async with unguarded(database_url) as run:
        names = ", ".join(row)
        await run(f"INSERT INTO contact_role ({names}) VALUES ({', '.join(map(literal, row.values()))})")
    [found] = await drift(database)
    assert (found.kind, found.before, found.revision) == ("created", None, 4)
    await healed(database)
    assert (await row_of(database, ContactRole, row["id"]))["revision"] == 5
    assert (await events(database))[-1]["revision"] == 5


@pytest.mark.parametrize(("forced", "adopted"), [(1, 3), (2, 3), (3, 3), (9, 9)])
async def test_the_revision_is_above_all_that_were_known(
    database: Database, database_url: str, forced: int, adopted: int
) -> None:
    row, _ = await updated(Customer, await new(Customer), active=False)
    async with unguarded(database_url) as run:
        await run(f"UPDATE customer SET website = 'https://evil.example', revision = {forced}")
    await healed(database)
    assert (await row_of(database, Customer, row["id"]))["revision"] == adopted
    assert (await events(database))[-1]["revision"] == adopted


@pytest.mark.parametrize(("forced", "adopted"), [(1, 3), (9, 9)])
async def test_a_forced_revision_alone_is_drift(
    database: Database, database_url: str, forced: int, adopted: int
) -> None:
    row, _ = await updated(Customer, await new(Customer), active=False)
    async with unguarded(database_url) as run:
        await run(f"UPDATE customer SET revision = {forced}")
    [found] = await drift(database)
    assert found.fields == ("revision",)
    [seq] = await healed(database)
    assert (await row_of(database, Customer, row["id"]))["revision"] == adopted
    assert (await disclosed(database, seq))[row["id"]].keys() == {"subject.label", "customer.label", "reason"}


async def test_a_forced_derived_column_is_put_right_and_told(database: Database, database_url: str) -> None:
    user = await new(User, name="Ada", email="ada@example.com")
    async with unguarded(database_url) as run:
        await run("""UPDATE "user" SET email_key = 'mallory@example.com'""")
    [found] = await drift(database)
    assert (found.kind, found.fields) == ("updated", ("email_key",))
    [seq] = await healed(database)
    live = await row_of(database, User, user["id"])
    assert (live["email_key"], live["revision"]) == ("ada@example.com", 2)
    assert (await disclosed(database, seq))[user["id"]] == {
        "email_key": {"before": "ada@example.com", "after": "mallory@example.com"},
        "subject.label": "Ada",
        "reason": REASON,
    }


async def test_a_derived_column_that_cannot_be_put_right_is_found_again(database: Database, database_url: str) -> None:
    purchasing, sales = await new(ContactRole, name="Purchasing"), await new(ContactRole, name="Sales")
    customer = await new(Customer)
    async with unguarded(database_url) as run:
        await run("UPDATE contact_role SET name = 'PURCHASING', name_key = 'x' WHERE name = 'Sales'")
        await run("UPDATE customer SET website = 'https://evil.example'")
    found = await drift(database)
    assert {drift.id for drift in found} == {sales["id"], customer["id"]}
    assert len(await adopt(database, found)) == 2
    [left] = await drift(database)
    assert (left.id, left.fields) == (sales["id"], ("name_key",))
    assert await adopt(database, [left]) == []
    await updated(ContactRole, purchasing, name="Buying")
    await healed(database)


async def test_a_forced_long_text_is_kept_from_before_and_after(database: Database, database_url: str) -> None:
    note, _ = await updated(Note, await new(Note, body="first"), body="second")
    async with unguarded(database_url) as run:
        await run("UPDATE note SET body = 'forced'")
    [found] = await drift(database)
    assert found.before is not None
    assert (found.before["body"], found.fields) == ("second", ("body",))
    await healed(database)
    bodies = await database.fetch("SELECT about, body FROM event_body ORDER BY body")
    assert [(row["about"], row["body"]) for row in bodies] == [
        (note["customer_id"], text) for text in ("first", "forced", "second")
    ]


async def test_a_secret_forced_on_who_never_had_one_is_found(database: Database, database_url: str) -> None:
    user = await new(User)
    async with unguarded(database_url) as run:
        await run("""UPDATE "user" SET password_hash = 'forced'""")
    [found] = await drift(database)
    assert found.fields == ("password_hash",)
    [seq] = await healed(database)
    assert (await disclosed(database, seq))[user["id"]]["password_hash"] == {"secret": True}


async def test_a_forced_reference_tells_the_names(database: Database, database_url: str) -> None:
    buyer, chief = await new(ContactRole, name="Buyer"), await new(ContactRole, name="Chief")
    contact = await new(Contact, role_id=buyer["id"])
    async with unguarded(database_url) as run:
        await run(f"UPDATE contact SET role_id = '{chief['id']}'")
    [seq] = await healed(database)
    assert (await disclosed(database, seq))[contact["id"]]["role_id"] == {
        "before": buyer["id"],
        "beforeText": "Buyer",
        "after": chief["id"],
        "afterText": "Chief",
    }


async def test_many_rows_are_adopted_in_batches(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.drift.BATCH", 3)
    rows = [await new(Customer) for _ in range(8)]
    async with unguarded(database_url) as run:
        await run("UPDATE customer SET website = 'https://evil.example'")
    found = await drift(database)
    assert [drift.id for drift in found] == sorted(row["id"] for row in rows)
    assert await healed(database) == list(range(9, 17))
    assert len({event["request_id"] for event in (await events(database))[8:]}) == 3


async def test_what_has_been_put_right_meanwhile_is_not_adopted(database: Database, database_url: str) -> None:
    row = await new(Customer)
    async with unguarded(database_url) as run:
        await run("UPDATE customer SET website = 'https://evil.example'")
        found = await drift(database)
        await run("UPDATE customer SET website = NULL")
    assert await adopt(database, found) == []
    assert (await row_of(database, Customer, row["id"]))["revision"] == 1


async def test_a_customer_and_all_it_has_is_forced_away(database: Database, database_url: str) -> None:
    contact = await new(Contact, methods=[email("ada@example.com")])
    customer = await row_of(database, Customer, contact["customer_id"])
    await new(Note, customer_id=customer["id"], contact_id=contact["id"])
    async with unguarded(database_url) as run:
        for table in ("note", "contact", "customer"):
            await run(f"DELETE FROM {table}")
    seqs = await healed(database)
    labels = [(await disclosed(database, seq))[customer["id"]]["customer.label"] for seq in seqs]
    assert labels == [customer["name"]] * 3


async def test_ids_that_are_none_are_adopted_too(database: Database, database_url: str) -> None:
    async with unguarded(database_url) as run:
        for identifier in ("cus", "x_1", "con_1", "ünïcode_ß", "_", "\U0001f600", "\uffff"):
            await run(
                "INSERT INTO customer (id, revision, created_at, name, name_key, kind, methods, active, search_key)"
                f" VALUES ('{identifier}', 1, '2026-01-01 00:00:00+00:00', 'A', 'a', 'PERSON', '[]', true, 'a')"
            )
        await run(
            "INSERT INTO note (id, revision, created_at, customer_id, body, pinned, author_kind, author_name)"
            " VALUES ('n', 1, '2026-01-01 00:00:00+00:00', 'x_1', 'text', false, 'USER', 'Somebody')"
        )
    assert len(await healed(database)) == 8


@pytest.mark.parametrize("identifier", [None, ""])
async def test_no_row_can_be_forced_that_has_no_id(
    database: Database, database_url: str, identifier: str | None
) -> None:
    # SQLite would let a text primary key be null, and who looks for ids in order would never come by such a row.
    await new(Customer)
    async with unguarded(database_url) as run:
        with pytest.raises((sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)):
            await run(f"UPDATE customer SET id = {literal(identifier)}")


async def test_a_row_that_cannot_be_read_is_named(database: Database, database_url: str) -> None:
    row = await new(Customer)
    async with unguarded(database_url) as run:
        for junk in ("no JSON", "{}", '[{"kind": 1}]', "[1]"):
            await run(f"UPDATE customer SET methods = '{junk}'")
            if junk != "{}":
                with pytest.raises(ValueError, match=row["id"]):
                    await drift(database)
        await run("UPDATE customer SET methods = '[]'")


@pytest.mark.forces_drift
async def test_columns_whose_details_were_removed_are_not_compared(database: Database, database_url: str) -> None:
    row = await new(Customer, website="https://a.example")
    gone = await new(Customer)
    async with unguarded(database_url) as run:
        await run(f"DELETE FROM event_detail WHERE about IN ('{row['id']}', '{gone['id']}')")
        await run(f"UPDATE customer SET website = 'https://b.example' WHERE id = '{row['id']}'")
    assert await drift(database) == []
    await updated(Customer, row, kind="PERSON")
    async with unguarded(database_url) as run:
        await run(f"UPDATE customer SET kind = 'COMPANY' WHERE id = '{row['id']}'")
        await run(f"DELETE FROM customer WHERE id = '{gone['id']}'")
    found = {drift.id: drift for drift in await drift(database)}
    assert (found[row["id"]].fields, found[row["id"]].before) == (
        ("kind",),
        {"id": row["id"], "revision": 2, "kind": "PERSON"},
    )
    seqs = await adopt(database, list(found.values()))
    assert len(seqs) == 2
    assert await drift(database) == []
    assert (await disclosed(database, seqs[0]))[row["id"]].keys() == {
        "kind",
        "subject.label",
        "customer.label",
        "reason",
    }
    assert (await disclosed(database, seqs[1]))[gone["id"]]["subject.label"] == gone["id"]


@pytest.mark.forces_drift
async def test_a_long_text_that_was_removed_is_not_compared(database: Database, database_url: str) -> None:
    await new(Note)
    async with unguarded(database_url) as run:
        await run("DELETE FROM event_body")
        await run("UPDATE note SET body = 'forced'")
    assert await drift(database) == []
