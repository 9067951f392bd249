"""What goes in comes out, the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from models.engine import Database
from models.engine.postgres import numbered

pytestmark = pytest.mark.anyio

NOON = datetime(2024, 2, 29, 12, 0, 0, 0, UTC)


async def insert_times(database: Database, times: list[datetime]) -> None:
    async with database.write() as transaction:
        for number, at in enumerate(times):
            await transaction.fetch("INSERT INTO item (id, n, at) VALUES (?, ?, ?)", f"{number:02}", number, at)


async def test_values_come_back_as_they_were(database: Database) -> None:
    row = {"id": "naïve ' \" ? 🧾", "n": -(2**31), "at": NOON.replace(microsecond=1), "ok": True, "data": b"\x00\xff"}
    async with database.write() as transaction:
        written = await transaction.fetch("INSERT INTO item VALUES (?, ?, ?, ?, ?) RETURNING *", *row.values())
    rows = await database.fetch("SELECT * FROM item")
    assert rows == written == [row]
    assert rows[0]["ok"] is True
    assert rows[0]["at"].tzinfo is UTC


async def test_no_value_comes_back_as_none(database: Database) -> None:
    async with database.write() as transaction:
        await transaction.fetch("INSERT INTO item VALUES (?, ?, ?, ?, ?)", "a", 0, None, None, None)
    assert await database.fetch("SELECT * FROM item") == [{"id": "a", "n": 0, "at": None, "ok": None, "data": None}]


async def test_booleans_are_told_from_numbers_and_can_be_asked_for(database: Database) -> None:
    async with database.write() as transaction:
        for number, ok in enumerate([True, False, None]):
            await transaction.fetch("INSERT INTO item (id, n, ok) VALUES (?, ?, ?)", str(number), number, ok)
    assert [row["ok"] for row in await database.fetch("SELECT ok FROM item ORDER BY id")] == [True, False, None]
    assert await database.fetch("SELECT id FROM item WHERE ok = ?", True) == [{"id": "0"}]
    assert await database.fetch("SELECT id FROM item WHERE NOT ok") == [{"id": "1"}]


async def test_times_sort_and_compare_as_times_whatever_their_zone_and_fraction(database: Database) -> None:
    times = [
        NOON - timedelta(microseconds=1),
        NOON.astimezone(timezone(timedelta(hours=-11))),
        NOON + timedelta(microseconds=1),
        (NOON + timedelta(microseconds=10)).astimezone(timezone(timedelta(hours=5, minutes=45))),
        NOON + timedelta(seconds=1),
    ]
    await insert_times(database, times)
    rows = await database.fetch("SELECT n, at FROM item ORDER BY at")
    assert [row["n"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["at"] for row in rows] == times
    assert {row["at"].utcoffset() for row in rows} == {timedelta(0)}
    later = await database.fetch("SELECT n FROM item WHERE at > ? ORDER BY at", times[1])
    assert [row["n"] for row in later] == [2, 3, 4]
    assert await database.fetch("SELECT n FROM item WHERE at = ?", NOON) == [{"n": 1}]


async def test_columns_keep_their_types_through_subqueries(database: Database) -> None:
    await insert_times(database, [NOON])
    sql = "WITH both_of AS (SELECT at, ok FROM item UNION ALL SELECT at, ok FROM item) SELECT at FROM both_of"
    assert await database.fetch(sql) == [{"at": NOON}, {"at": NOON}]


async def test_membership_in_a_set_of_values(database: Database) -> None:
    await insert_times(database, [NOON] * 5)
    by_id = f"SELECT n FROM item WHERE {database.member('id')} ORDER BY n"
    assert await database.fetch(by_id, database.array(["01", "03", "99", "'\"é"])) == [{"n": 1}, {"n": 3}]
    assert await database.fetch(by_id, database.array([])) == []
    by_number = f"SELECT id FROM item WHERE {database.member('n')} AND id <> ?"
    assert await database.fetch(by_number, database.array([2, 4]), "04") == [{"id": "02"}]


async def test_every_statement_is_observed_with_its_own_text(database: Database) -> None:
    seen: list[str] = []
    database.statements.append(seen.append)
    async with database.write() as transaction:
        await transaction.fetch("INSERT INTO item (id, n) VALUES (?, ?)", "a", 1)
        await database.fetch("SELECT 1 AS one WHERE ? = 'a'", "a")
    await database.fetch("SELECT n FROM item WHERE id = ?", "a")
    assert seen == [
        "INSERT INTO item (id, n) VALUES (?, ?)",
        "SELECT 1 AS one WHERE ? = 'a'",
        "SELECT n FROM item WHERE id = ?",
    ]


def test_question_marks_become_numbers_except_in_strings_names_and_comments() -> None:
    sql = "SELECT '?''?', \"a?\", ? -- what?\n FROM t /* ?\n? */ WHERE b = ? AND c = '' AND d = ?"
    assert numbered(sql) == "SELECT '?''?', \"a?\", $1 -- what?\n FROM t /* ?\n? */ WHERE b = $2 AND c = '' AND d = $3"
