"""The demo: 200 customers with two months of history, made through the recorder, the same each time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from models import BuiltInRole, Database, Row, UserRole, clock
from models.duplicates import Pair, pairs
from models.identifier import new_id
from services import demo, passwords
from services.demo import calendar
from services.demo.customers import profile
from services.demo.fiction import Fiction
from services.documents import Storage
from services.documents.checking import problems
from tests.audit.rows import events, new

pytestmark = pytest.mark.anyio

# A Wednesday, in the middle of the day.
NOW = datetime(2026, 6, 17, 11, 30, tzinfo=UTC)
PASSWORD = "correct horse battery staple 9"


async def rows(database: Database, table: str, columns: str) -> list[Row]:
    return await database.fetch(f'SELECT {columns} FROM "{table}"')


async def filled(database: Database) -> list[tuple[str, str]]:
    with clock.set_to(lambda: NOW):
        return await demo.fill(await passwords.hash_password(PASSWORD))


def id_time(identifier: str) -> datetime:
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    number = 0
    for character in identifier.rpartition("_")[2]:
        number = number * 32 + alphabet.index(character)
    return datetime.fromtimestamp((number >> 80) / 1000, UTC)


async def test_an_empty_database_is_filled_with_a_believable_office(database: Database, storage: Storage) -> None:
    accounts = await filled(database)
    assert {role for role, _ in accounts} >= {"Administrator", "AR manager", "AR clerk", "Order desk", "Auditor"}
    assert len(accounts) > len(BuiltInRole)
    customers = await rows(database, "customer", "id, kind, origin_system, created_at, name")
    assert len(customers) == demo.CUSTOMERS == len({row["name"] for row in customers})
    assert Counter(row["origin_system"] for row in customers) == {"QUICKBOOKS_ONLINE": 120, None: 80}
    assert 20 < sum(row["kind"] == "PERSON" for row in customers) < 60
    contacts = await rows(database, "contact", "active, email, phone, role_id, location_id")
    assert len(contacts) > 2 * demo.CUSTOMERS
    assert any(row["location_id"] for row in contacts)
    assert any(not row["active"] for row in contacts)
    assert len({row["role_id"] for row in contacts}) == 10
    assert all(row["email"].endswith("example.com") for row in contacts)
    assert await rows(database, "session", "id") == []
    documents = await rows(database, "sales_document", "kind, status, contact_id, contact_verified, balance")
    assert {(row["kind"], row["status"]) for row in documents} >= {
        ("QUOTE", "RELEASED"),
        ("ORDER", "DRAFT"),
        ("ORDER", "RELEASED"),
        ("ORDER", "POSTED"),
        ("INVOICE", "DRAFT"),
        ("INVOICE", "POSTED"),
        ("INVOICE", "PAID"),
    }
    assert any(row["contact_id"] is None for row in documents)
    assert any(row["contact_verified"] for row in documents)
    assert sum(row["parent_id"] is not None for row in await rows(database, "customer", "parent_id")) == 9
    assert len(await rows(database, "reminder_workflow", "id")) == 3
    again = [sorted(row["name"] for row in await both(database, pair)) for pair in (await pairs(100, None))[0]]
    assert sum(one.upper() == other.upper() for one, other in again) == 2
    deliveries = Counter(row["status"] for row in await rows(database, "delivery", "status"))
    assert deliveries.keys() == {"SENT", "DELIVERED", "BOUNCED"}
    assert deliveries["DELIVERED"] > 20
    assert await rows(database, "outbox_message", "message_id") == []
    assert any(row["email_problem"] for row in await rows(database, "contact", "email_problem"))
    assert len(await rows(database, "document", "id")) > 5
    assert not any([problem async for problem in problems(storage, hashed=True)])
    await check_history(database)
    check_times(await events(database), [row for row in customers if row["origin_system"] is None])


async def both(database: Database, pair: Pair) -> list[Row]:
    sql = "SELECT name FROM customer WHERE id IN (?, ?)"
    return await database.fetch(sql, pair.customer_id, pair.duplicate.customer_id)


async def check_history(database: Database) -> None:
    found = await events(database)
    actions = Counter(event["action"] for event in found)
    for action in ("contact.updated", "customer.updated", "note.created", "note.updated", "user.signed_in"):
        assert actions[action] > 30, action
    for action in ("sales_document.created", "sales_document.updated", "payment.created"):
        assert actions[action] > 30, action
    assert actions["preferences.created"] > 10
    for action in (
        "settings.updated",
        "note.deleted",
        "contact_role.updated",
        "user_role.created",
        "user.updated",
        "user.sign_in_failed",
    ):
        assert actions[action] > 0, action
    actors = Counter(event["actor_id"] for event in found if event["actor_kind"] == "USER")
    assert len(actors) == 7
    assert {event["actor_kind"] for event in found} == {"USER", "ACCOUNTING", "SYSTEM"}


def check_times(found: list[Row], entered_by_users: list[Row]) -> None:
    times = [event["at"] for event in found]
    assert times == sorted(set(times))
    assert timedelta(days=58) < NOW - times[0] < timedelta(days=62)
    assert timedelta(0) < NOW - times[-1] < timedelta(hours=3)
    assert all(at.weekday() < 5 and 8 <= at.hour < 18 for at in times)
    for row in entered_by_users:
        assert abs(id_time(row["id"]) - row["created_at"]) < timedelta(milliseconds=2)


async def test_a_database_with_a_history_is_left_alone(database: Database) -> None:
    await new(UserRole)
    with pytest.raises(demo.NotEmpty):
        await filled(database)
    assert len(await events(database)) == 1


def test_what_is_made_up_is_the_same_each_time() -> None:
    first, second = Fiction(), Fiction()
    assert [profile(first) for _ in range(60)] == [profile(second) for _ in range(60)]


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 6, 17, 11, 30, tzinfo=UTC), "2026-06-17"),
        (datetime(2026, 6, 17, 7, 59, tzinfo=UTC), "2026-06-16"),
        (datetime(2026, 6, 21, 12, 0, tzinfo=UTC), "2026-06-19"),
    ],
)
def test_the_office_works_on_working_days_that_have_begun(now: datetime, last: str) -> None:
    days = calendar.working_days(now)
    assert days[-1].isoformat() == last
    assert all(day.weekday() < 5 for day in days)
    assert 42 <= len(days) <= 45


def test_ids_are_as_old_as_the_clock_says() -> None:
    with clock.set_to(lambda: NOW):
        identifier = new_id("cus")
    assert id_time(identifier) == NOW
    assert abs(id_time(new_id("cus")) - datetime.now(UTC)) < timedelta(seconds=5)
