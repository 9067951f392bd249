"""Following the history: every event once and in order, from any position, whoever writes."""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import pytest
from structlog.testing import capture_logs

import models
from audit import Action, ActorKind, Category
from audit.feed import PAGE, Following, beginning, follow
from audit.history import conditions
from audit.tail import KEPT, Tail, tail
from models import Contact, Customer, Note, Row
from models.out_of_reach import Unavailable
from tests.audit.rows import events, new, updated
from tests.audit.writers import Writers
from tests.client import Client

pytestmark = pytest.mark.anyio

T = TypeVar("T")
ALL = Following({})
# Far longer than anything here takes: only what is broken waits so long.
PATIENCE = 60


@asynccontextmanager
async def feed(position: int, following: Following = ALL) -> AsyncIterator[AsyncGenerator[list[Row], None]]:
    """What follows a position; nothing, now and then, when nothing comes."""
    async with tail().followed() as newest, aclosing(follow(newest, position, following, 0.05)) as batches:
        yield batches


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    """What is found at last."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.01)


async def collect(position: int, until: int, following: Following = ALL) -> list[int]:
    """The numbers of the events that a feed delivers, up to the event `until`."""
    seqs: list[int] = []
    async with asyncio.timeout(PATIENCE), feed(position, following) as batches:
        async for rows in batches:
            seqs += [row["seq"] for row in rows]
            if tail().last >= until and (not rows or seqs[-1] == until):
                break
    return seqs


async def test_a_feed_delivers_every_event_once_from_any_position(
    database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.feed.PAGE", 7)
    monkeypatch.setattr("audit.tail.KEPT", 5)
    for _ in range(10):
        await new(Customer)
    last = (await events(database))[-1]["seq"]
    assert last >= 10
    async with tail().followed() as newest:
        # As far back as the tail keeps events, and further.
        for _ in range(10):
            await new(Note)
        end = (await events(database))[-1]["seq"]
        for position in range(end + 1):
            assert await collect(position, end) == list(range(position + 1, end + 1))
        assert newest.followers == 1
    assert newest.followers == 0
    assert PAGE * 10 <= KEPT


async def test_a_feed_that_continues_none_begins_now_or_at_its_time(database: models.Database) -> None:
    assert await collect(0, 0) == []
    for _ in range(3):
        await new(Customer)
    first, second, third = [event["at"] for event in await events(database)]
    async with tail().followed() as newest:

        async def begins(**wanted: Any) -> int:
            return await beginning(newest, Following(wanted))

        assert await begins() == 3
        assert await begins(from_=first - timedelta(days=1)) == 0
        assert await begins(from_=second) == 1
        assert await begins(from_=third + timedelta(microseconds=1)) == 3


async def matching(database: models.Database, wanted: Mapping[str, Any]) -> list[int]:
    """What the listing of the history finds."""
    also = conditions(wanted)
    where = " AND ".join(["1 = 1", *(condition.sql for condition in also)])
    args = [value for condition in also for value in condition.args]
    return [row["seq"] for row in await database.fetch(f"SELECT seq FROM event t WHERE {where} ORDER BY seq", *args)]


async def test_a_filter_means_the_same_live_as_in_the_past(
    database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tail().followed() as newest:
        note = await new(Note)
        contact, _ = await updated(Contact, await new(Contact), title="Chief")
        await updated(Customer, await new(Customer), name="Another name")
        found = await events(database)
        end, middle = found[-1]["seq"], found[len(found) // 2]["at"]
        filters: list[dict[str, Any]] = [
            {},
            {"customer_id": note["customer_id"]},
            {"subject_id": contact["id"], "actor_id": None},
            {"actor_id": found[0]["actor_id"], "sales_document_id": None},
            {"sales_document_id": "inv_none"},
            {"actor_kinds": [ActorKind.USER], "categories": [Category.NOTE, Category.CONTACT]},
            {"actor_kinds": []},
            {"actions": [Action.CONTACT_UPDATED, Action.CUSTOMER_CREATED]},
            {"from_": middle},
            {"to": middle},
        ]
        for wanted in filters:
            expected = await matching(database, wanted)
            assert await collect(0, end, Following(wanted)) == expected
            with monkeypatch.context() as patch:
                patch.setattr(Tail, "newer", _nothing_kept)
                assert await collect(0, end, Following(wanted)) == expected
        assert newest.last == end


def _nothing_kept(self: Tail, seq: int) -> list[Row] | None:
    return None if seq < self.last else []


async def test_sixteen_writers_against_feeds_that_break_off_and_go_on(
    database: models.Database, request: pytest.FixtureRequest
) -> None:
    writers, writes, feeds = (16, 60, 50) if request.config.getoption("--long") else (16, 3, 8)
    done = asyncio.Event()

    async def write(number: int) -> None:
        for _ in range(writes):
            await new(Customer, name=f"Customer of {number}")
            await asyncio.sleep(random.uniform(0, 0.01))

    async def read(number: int) -> list[int]:
        chance = random.Random(number)
        seqs: list[int] = []
        while not (done.is_set() and len(seqs) == writers * writes):
            async with feed(len(seqs)) as batches:
                async for rows in batches:
                    # It stops somewhere within what it was handed, and goes on from there.
                    some = rows[: chance.randint(0, len(rows))] if chance.random() < 0.3 else rows
                    seqs += [row["seq"] for row in some]
                    if len(some) < len(rows) or chance.random() < 0.1 or len(seqs) == writers * writes:
                        break
        return seqs

    async with asyncio.timeout(PATIENCE * 5):
        reading = [asyncio.create_task(read(number)) for number in range(feeds)]
        await asyncio.gather(*(write(number) for number in range(writers)))
        done.set()
        for seqs in await asyncio.gather(*reading):
            assert seqs == list(range(1, writers * writes + 1))


async def test_what_another_process_writes_is_seen(database: models.Database, database_url: str) -> None:
    async with Writers(database_url) as writers, tail().followed():
        collecting = asyncio.create_task(collect(0, 15))
        acknowledged = await writers.run(3)
        assert await collecting == [seq for seqs in acknowledged for seq in seqs] == list(range(1, 16))


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_a_lost_connection_to_the_notifications_is_made_again(
    database: models.Database, database_url: str
) -> None:
    listening = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"

    async def listener() -> int | None:
        rows = await database.fetch(listening)
        return rows[0]["pid"] if rows else None

    async with tail().followed():
        first = await eventually(listener)

        async def another() -> bool:
            return await listener() not in (None, first)

        other = await asyncpg.connect(database_url)
        try:
            await other.execute("SELECT pg_terminate_backend($1)", first)
            await new(Customer)
            assert await collect(0, 1) == [1]
            assert await eventually(another)
        finally:
            await other.close()


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_commits_are_told_once_for_many_and_never_inside_a_transaction(
    database: models.Database, database_url: str
) -> None:
    heard: list[str] = []
    other = await asyncpg.connect(database_url)
    try:
        await other.add_listener("counterfoil_event", lambda *told: heard.append(told[2]))
        async with database.write() as transaction:
            await transaction.fetch("SELECT 1")
        await asyncio.gather(*(new(Customer) for _ in range(20)))
        # It tells what it has to tell before it stops.
        await database.stop()
        await database.start()
        await other.execute("SELECT 1")
        assert 1 <= len(heard) <= 20
    finally:
        await other.close()


async def test_all_who_follow_learn_that_reading_has_become_impossible(
    database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Tail) -> None:
        raise OSError("the disk is away")

    async def read() -> None:
        async with feed(0) as batches:
            async for _ in batches:
                pass

    async with asyncio.timeout(PATIENCE):
        feeds = [asyncio.create_task(read()) for _ in range(2)]

        async def followed_by_both() -> bool:
            return tail().followers == 2

        await eventually(followed_by_both)
        monkeypatch.setattr(Tail, "_take", broken)
        await new(Customer)
        for reading in feeds:
            with pytest.raises(OSError, match="away"):
                await reading
        monkeypatch.undo()
        assert await collect(0, 1) == [1]


async def test_a_reader_that_failed_is_replaced_without_a_report(
    database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))

    async def broken(self: Tail) -> None:
        raise OSError("the disk is away")

    async with asyncio.timeout(PATIENCE):
        followed = tail()
        async with followed.followed():
            failed = followed._reading
            assert failed is not None
            monkeypatch.setattr(Tail, "_take", broken)
            await new(Customer)
            await asyncio.wait({failed})
            monkeypatch.undo()
            # Another comes before the first has looked.
            async with followed.followed():
                del failed
                gc.collect()
                assert await followed.newest() == 1
    assert reports == []


async def test_a_feed_turns_up_in_time_also_while_events_come_that_do_not_fit(
    database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.feed.SPAN", 1)
    for _ in range(5):
        await new(Customer)
    nothing = Following({"subject_id": "cus_none"})
    pages: list[tuple[int, int]] = []

    async def empty_page(position: int, bound: int, _: Following) -> list[Row]:
        pages.append((position, bound))
        return []

    async with asyncio.timeout(PATIENCE), tail().followed() as newest:
        [event] = await database.fetch("SELECT * FROM event ORDER BY seq DESC LIMIT 1")

        async def busy(self: Tail, seq: int, seconds: float) -> None:
            assert seconds <= 0.1
            self.take([{**event, "seq": self.last + 1}])
            await asyncio.sleep(0.01)

        with monkeypatch.context() as patch:
            patch.setattr(Tail, "wait", busy)
            async with aclosing(follow(newest, newest.last, nothing, 0.1)) as batches:
                for _ in range(3):
                    assert await anext(batches) == []
        # Neither does it wait for the end of a past in which nothing fits.
        with monkeypatch.context() as patch:
            patch.setattr(Tail, "newer", lambda *_: None)
            patch.setattr("audit.feed._page", empty_page)
            async with aclosing(follow(newest, 0, nothing, 0.0)) as batches:
                for _ in range(3):
                    assert await anext(batches) == []
            assert pages == [(0, 1), (1, 2), (2, 3)]


async def test_a_merge_during_the_catching_up_counts_from_then_on(
    client: Client, database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.feed.PAGE", 1)
    survivor, duplicate = await new(Customer, name="Survivor"), await new(Customer, name="Duplicate")
    async with asyncio.timeout(PATIENCE), tail().followed() as newest:
        with monkeypatch.context() as patch:
            patch.setattr(Tail, "newer", _nothing_kept)
            async with aclosing(follow(newest, 0, Following({"customer_id": survivor["id"]}), 0.05)) as batches:
                assert [row["customer_id"] for row in await anext(batches)] == [survivor["id"]]
                merge = "mutation ($i: MergeCustomersInput!) { mergeCustomers(input: $i) { errors { code } } }"
                await client.change(merge, i={"id": survivor["id"], "mergedId": duplicate["id"]})
                while await anext(batches):
                    pass
                patch.undo()
                # It stands with the customer whom it concerned then.
                [row] = await database.fetch("SELECT * FROM event ORDER BY seq DESC LIMIT 1")
                late = {**row, "seq": newest.last + 1, "customer_id": duplicate["id"]}
                newest.take([late])
                while not (rows := await anext(batches)):
                    pass
                assert [row["seq"] for row in rows] == [late["seq"]]


async def test_feeds_outlast_a_short_failure_of_the_database_and_learn_of_a_long_one(
    database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.out_of_reach.READ_SECONDS", 0.5)
    fetch = database.fetch
    failures: list[Exception | None] = []

    async def failing(sql: str, *args: Any) -> list[Row]:
        if not failures or "FROM event t WHERE t.seq > ?" not in sql:
            return await fetch(sql, *args)
        failure = failures.pop()
        if failure is None:
            # As on a connection whose other end is gone without a word.
            await asyncio.Event().wait()
            raise AssertionError
        raise failure

    monkeypatch.setattr(database, "fetch", failing)
    async with asyncio.timeout(PATIENCE):
        # The live one, and one in the past.
        for position in (0, -1):
            async with feed(max(position, 0)) as batches:
                while rows := await anext(batches):
                    assert rows
                if position < 0:
                    monkeypatch.setattr(Tail, "newer", _nothing_kept)
                with capture_logs() as logs:
                    failures += [OSError("the disk is away"), sqlite3.OperationalError("busy"), None]
                    made = await new(Customer)
                    while not (rows := await anext(batches)):
                        pass
                    assert [row["subject_id"] for row in rows] == [made["id"]]
                    assert failures == []
                told = {line["event"] for line in logs if line["log_level"] == "warning"}
                assert position < 0 or told == {"the live history cannot be read: trying again"}
        monkeypatch.setattr("models.out_of_reach.LASTING_SECONDS", 0.0)
        async with feed(0) as batches:
            failures += [OSError("the disk is away")] * 10
            await new(Customer)
            with pytest.raises(Unavailable):
                async for _ in batches:
                    pass
        failures.clear()
