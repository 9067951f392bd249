"""Many rows and long texts in one transaction: one statement for all of them."""

from __future__ import annotations

import pytest

import audit
from models import Contact, Database, Note
from tests.audit.rows import by_ada, defaults, disclosed, events, insert, new

pytestmark = pytest.mark.anyio


async def contact_with_notes(count: int) -> str:
    """The id of a contact with so many notes, the last two alike."""
    contact = await new(Contact)
    references = {"customer_id": contact["customer_id"], "contact_id": contact["id"]}

    async def work(change: audit.Change) -> None:
        for number in range(count):
            await insert(change, Note, **references, body=f"text {min(number, count - 2)}")

    await by_ada(work)
    return str(contact["id"])


async def test_rows_are_deleted_by_one_statement_with_an_event_each(database: Database) -> None:
    identifier = await contact_with_notes(20)
    seen: list[str] = []

    async def work(change: audit.Change) -> None:
        notes = await change.where(Note, contact_id=identifier)
        database.statements.append(seen.append)
        await change.delete_all(Note, notes)
        database.statements.clear()
        assert await change.where(Note, contact_id=identifier) == []

    _, seqs = await by_ada(work)
    assert len([sql for sql in seen if "event" not in sql]) == 1
    deleted = [event for event in await events(database) if event["seq"] in seqs]
    assert [(event["action"], event["revision"]) for event in deleted] == [("note.deleted", 1)] * 20
    assert len({event["subject_id"] for event in deleted}) == 20
    assert any("body" in texts for texts in (await disclosed(database, seqs[0])).values())


async def test_without_rows_nothing_is_deleted(database: Database) -> None:
    before = await events(database)
    _, seqs = await by_ada(lambda change: change.delete_all(Note, []))
    assert (seqs, await events(database)) == ([], before)


async def test_a_stale_row_among_many_deletes_none(database: Database) -> None:
    identifier = await contact_with_notes(3)
    before = await events(database)

    async def work(change: audit.Change) -> None:
        notes = await change.where(Note, contact_id=identifier)
        await change.update(Note, notes[1], {"pinned": True})
        await change.delete_all(Note, notes)

    with pytest.raises(RuntimeError, match="not as it was read"):
        await by_ada(work)
    assert await events(database) == before


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_long_texts_are_stored_by_one_statement(database: Database) -> None:
    seen: list[str] = []
    database.statements.append(seen.append)
    await contact_with_notes(20)
    database.statements.clear()
    # The second transaction holds all notes; the first one, of the contact, none.
    assert len([sql for sql in seen if sql.lstrip().startswith("INSERT INTO event_body")]) == 1
    assert (await database.fetch("SELECT count(*) AS n FROM event_body"))[0]["n"] == 19


async def test_a_text_that_is_known_is_not_stored_again(database: Database) -> None:
    note = await new(Note, **{**defaults(Note), "body": "known"})
    for _ in range(2):
        await new(Note, customer_id=note["customer_id"], body="known")
    rows = await database.fetch("SELECT about, body FROM event_body")
    assert rows == [{"about": note["customer_id"], "body": "known"}]
