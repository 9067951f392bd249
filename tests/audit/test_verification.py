"""History that somebody has tampered with is found out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit import event
from audit.verification import verify_events
from models import Database, Note, Row
from tests.audit.intruder import Run, literal, unguarded
from tests.audit.rows import events, new, updated

pytestmark = [pytest.mark.anyio, pytest.mark.forces_drift]


async def history(database: Database) -> list[Row]:
    """Four events; the third and fourth change the long text of a note."""
    note = await new(Note, body="first")
    for body in ("second", "third"):
        await updated(Note, note, body=body)
    assert await verify_events(database) == []
    return await events(database)


async def problems(database: Database, url: str, *statements: str) -> list[str]:
    """What is wrong after these statements."""
    await history(database)
    async with unguarded(url) as run:
        for statement in statements:
            await run(statement)
    return await verify_events(database)


async def rewrite(run: Run, row: Row, **values: Any) -> None:
    """Change columns of an event, and make its leaf and hash anew, as a careful forger would."""
    forged = {**row, **values}
    leaf = event.leaf_of(forged, json.loads(row["leaf"])["disclosures"])
    for name, value in {**values, "leaf": leaf, "leaf_hash": event.leaf_hash(leaf)}.items():
        await run(f"UPDATE event SET {name} = {literal(value)} WHERE seq = {row['seq']}")


WRONG_LEAF = "the leaf does not say what the columns say"
WRONG_HASH = "the hash is not that of the leaf"
UNNAMED = "a disclosure is not named by the leaf"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("actor_id = 'usr_2'", WRONG_LEAF),
        ("actor_id = NULL, actor_kind = 'SYSTEM'", WRONG_LEAF),
        ("action = 'note.deleted'", WRONG_LEAF),
        ("revision = 7", WRONG_LEAF),
        ("customer_id = NULL", WRONG_LEAF),
        ("sales_document_id = 'inv_1'", WRONG_LEAF),
        ("request_id = ''", WRONG_LEAF),
        ("leaf_hash = ''", WRONG_HASH),
    ],
)
async def test_a_changed_column_is_found(database: Database, database_url: str, change: str, fault: str) -> None:
    assert await problems(database, database_url, f"UPDATE event SET {change} WHERE seq = 3") == [f"event 3: {fault}"]


@pytest.mark.parametrize("leaf", ["", "{}", "[]", "null", "no JSON", '{"disclosures":[1,null]}', '{"disclosures":7}'])
async def test_a_forged_leaf_is_found(database: Database, database_url: str, leaf: str) -> None:
    forge = f"UPDATE event SET leaf = {literal(leaf)}, leaf_hash = '{event.leaf_hash(leaf)}' WHERE seq = 3"
    assert await problems(database, database_url, forge) == [f"event 3: {WRONG_LEAF}"]


async def test_a_leaf_that_says_the_same_in_other_words_is_found(database: Database, database_url: str) -> None:
    leaf = json.dumps(json.loads((await history(database))[2]["leaf"]))
    async with unguarded(database_url) as run:
        await run(f"UPDATE event SET leaf = {literal(leaf)} WHERE seq = 3")
    assert await verify_events(database) == [f"event 3: {WRONG_LEAF}", f"event 3: {WRONG_HASH}"]


async def test_a_changed_disclosure_is_found(database: Database, database_url: str) -> None:
    forged = json.dumps([event.disclosure(event.ACTOR_NAME, "Mallory")])
    change = f"UPDATE event_detail SET disclosures = {literal(forged)} WHERE seq = 3 AND about LIKE 'usr%'"
    assert await problems(database, database_url, change) == [
        f"event 3: {UNNAMED}",
        "1 disclosures are missing: they were erased, or removed by force",
    ]


async def test_an_added_disclosure_is_found(database: Database, database_url: str) -> None:
    forged = json.dumps([event.disclosure("name", "Mallory"), event.disclosure("reason", "None")])
    add = f"INSERT INTO event_detail (seq, about, disclosures) VALUES (3, 'con_1', {literal(forged)})"
    assert await problems(database, database_url, add) == [f"event 3: {UNNAMED}"] * 2


@pytest.mark.parametrize("disclosures", ["", "{}x", "7", "[7]", '["x"]', '["é"]', '["W10"]', '["WzEsMl0"]'])
async def test_a_detail_that_cannot_be_read_is_found(database: Database, database_url: str, disclosures: str) -> None:
    change = f"UPDATE event_detail SET disclosures = {literal(disclosures)} WHERE seq = 3 AND about LIKE 'usr%'"
    found = await problems(database, database_url, change)
    assert "event 3: a detail cannot be read" in found


async def test_removed_details_are_counted(database: Database, database_url: str) -> None:
    [found] = await problems(database, database_url, "DELETE FROM event_detail WHERE about LIKE 'usr%'")
    assert found == "4 disclosures are missing: they were erased, or removed by force"


async def test_a_changed_long_text_is_found(database: Database, database_url: str) -> None:
    found = await problems(database, database_url, "UPDATE event_body SET body = 'forged' WHERE body = 'second'")
    assert found == [f"event {seq}: a long text is not what its digest says" for seq in (3, 4)]


async def test_a_removed_long_text_is_counted(database: Database, database_url: str) -> None:
    [found] = await problems(database, database_url, "DELETE FROM event_body WHERE body = 'second'")
    assert found == "2 disclosures are missing: they were erased, or removed by force"


async def test_a_gap_is_found(database: Database, database_url: str) -> None:
    remove = ("DELETE FROM event_detail WHERE seq = 2", "DELETE FROM event WHERE seq = 2")
    assert await problems(database, database_url, *remove) == ["event 3: there is a gap before it"]


async def test_a_missing_beginning_is_found(database: Database, database_url: str) -> None:
    remove = ("DELETE FROM event_detail WHERE seq = 1", "DELETE FROM event WHERE seq = 1")
    assert await problems(database, database_url, *remove) == ["event 2: there is a gap before it"]


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_details_without_an_event_are_found(database: Database, database_url: str) -> None:
    # PostgreSQL's foreign key does not let them be.
    found = await problems(database, database_url, "PRAGMA foreign_keys = OFF", "DELETE FROM event WHERE seq = 4")
    assert found == ["event 4: there are details, but no event"]


async def test_time_that_does_not_ascend_is_found(database: Database, database_url: str) -> None:
    rows = await history(database)
    async with unguarded(database_url) as run:
        await rewrite(run, rows[2], at=rows[1]["at"])
    assert await verify_events(database) == ["event 3: it is not later than the one before it"]


async def test_an_event_that_was_forged_with_care_is_left_to_proofs(database: Database, database_url: str) -> None:
    # Its leaf fits; only somebody who has kept the old leaf's hash, or a proof over it, can tell.
    rows = await history(database)
    async with unguarded(database_url) as run:
        await rewrite(run, rows[2], actor_id="usr_2")
    assert await verify_events(database) == []
