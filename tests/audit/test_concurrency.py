"""Many writers at once: each acknowledged change is there exactly once, and in order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from itertools import pairwise

import pytest

import audit
from models import Contact, ContactRole, Customer, Database, Row
from tests.audit.rows import by_ada, events, insert, new
from tests.audit.writers import Writers

pytestmark = pytest.mark.anyio

WRITERS = 16
MUTATIONS = 2_000


async def check_order(database: Database) -> list[Row]:
    """The events: `seq` is dense, and `at` ascends."""
    rows = await events(database)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(earlier["at"] < later["at"] for earlier, later in pairwise(rows))
    return rows


async def test_2000_mutations_of_16_writers_are_there_exactly_once(database: Database) -> None:
    shared = await new(ContactRole)
    acknowledged: list[tuple[int, str]] = []

    async def create(change: audit.Change) -> str:
        return str((await insert(change, Customer))["id"])

    async def toggle(change: audit.Change) -> str:
        role = await change.get(ContactRole, shared["id"])
        await change.update(ContactRole, role, {"communication": not role["communication"]})
        return str(role["id"])

    async def writer(number: int) -> None:
        for turn in range(MUTATIONS // WRITERS):
            subject, seqs = await by_ada(toggle if (number + turn) % 4 == 0 else create)
            acknowledged.extend((seq, subject) for seq in seqs)

    await asyncio.gather(*map(writer, range(WRITERS)))
    rows = await check_order(database)
    assert sorted(acknowledged) == [(row["seq"], row["subject_id"]) for row in rows[1:]]
    assert len(acknowledged) == MUTATIONS
    # Each change of the shared row was made to the row as the one before had left it.
    revisions = [row["revision"] for row in rows if row["subject_id"] == shared["id"]]
    assert revisions == list(range(1, MUTATIONS // 4 + 2))
    [role] = await database.fetch("SELECT revision, communication FROM contact_role")
    assert role == {"revision": MUTATIONS // 4 + 1, "communication": bool(MUTATIONS // 4 % 2)}


async def test_another_process_writes_to_the_same_database(database: Database, database_url: str) -> None:
    async with Writers(database_url) as writers:
        theirs = asyncio.create_task(writers.run(100))
        ours: list[int] = []
        while not theirs.done():
            _, seqs = await by_ada(lambda change: insert(change, Contact))
            ours += seqs
            await asyncio.sleep(0)
        told = await theirs
    assert len(told) == 100
    assert len(ours) > 10
    rows = await check_order(database)
    assert sorted([*ours, *(seq for seqs in told for seq in seqs)]) == [row["seq"] for row in rows]


async def test_cancelled_writers_leave_whole_changes_or_none(database: Database) -> None:
    chance = random.Random(20261122)
    acknowledged: list[int] = []

    async def work(change: audit.Change) -> None:
        contact = await insert(change, Contact)
        await change.update(Contact, contact, {"title": "Chief"})

    async def writer() -> None:
        _, seqs = await by_ada(work)
        acknowledged.extend(seqs)

    tasks = [asyncio.create_task(writer()) for _ in range(500)]
    for task in chance.sample(tasks, 200):
        # Some before they begin, most in the middle of something.
        await asyncio.sleep(chance.choice([0, 0, 0.001, 0.003, 0.01]))
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    outcomes = Counter(type(result) for result in results)
    assert outcomes.keys() == {type(None), asyncio.CancelledError}
    assert 300 <= outcomes[type(None)] < 500
    rows = await check_order(database)
    assert set(acknowledged) <= {row["seq"] for row in rows}
    # Each transaction is there with its three events, or not at all.
    assert set(Counter(row["request_id"] for row in rows).values()) == {3}
    # The next writes work, on every connection.
    await asyncio.gather(*(new(Contact) for _ in range(20)))
    assert len(await check_order(database)) == len(rows) + 40
