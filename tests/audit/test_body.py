"""Long texts are found by whom they are about and by digest."""

from __future__ import annotations

import pytest

from audit.body import bodies
from audit.event import body_digest
from models import Database, Note
from tests.audit.rows import new

pytestmark = pytest.mark.anyio


async def test_only_the_wanted_texts_are_read(database: Database) -> None:
    first, second = await new(Note, body="same"), await new(Note, body="same")
    await new(Note, body="other", customer_id=first["customer_id"])
    wanted = (first["customer_id"], body_digest("same"))
    assert await bodies(database, [wanted, wanted]) == {wanted: "same"}
    # Each half of this pair is wanted, the pair is not.
    crossed = (second["customer_id"], body_digest("other"))
    assert await bodies(database, [wanted, crossed]) == {wanted: "same"}


async def test_without_wanted_texts_nothing_is_asked(database: Database) -> None:
    statements: list[str] = []
    database.statements.append(statements.append)
    assert await bodies(database, []) == {}
    database.statements.clear()
    assert statements == []


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_texts_are_found_without_reading_all_of_them(database: Database) -> None:
    statements: list[str] = []
    database.statements.append(statements.append)
    await bodies(database, [("cus_1", "digest")])
    database.statements.clear()
    plan = await database.fetch(f"EXPLAIN QUERY PLAN {statements[0]}", "[]", "[]")
    assert any("SEARCH event_body USING INDEX" in step["detail"] for step in plan)
