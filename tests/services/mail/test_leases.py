"""Leases: two workers never attempt the same message, and who has lost a lease records nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from models import Database, DeliveryStatus, Row, clock, current, outbox
from services import documents
from services.communications import Outcome, settle
from services.mail.delivering import Delivering
from services.mail.recording import recover
from tests.audit.rows import by_ada
from tests.services.communications.drafts import addressee, contact_at, draft, recorded
from tests.services.mail.sending import deliver, one, set_clock, shared, state, statuses, updates, waiting
from tests.smtp_server import STALL, smtp_server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]


async def claim(number: int, seconds: float = 60) -> list[Row]:
    async with current().write():
        return await outbox.claim(f"lease {number}", clock.now(), clock.now() + timedelta(seconds=seconds), 50)


async def test_what_is_claimed_is_nobody_elses_until_the_lease_runs_out(database: Database) -> None:
    with set_clock() as time:
        await one()
        [claimed] = await claim(1)
        assert (claimed["lease"], claimed["attempts"]) == ("lease 1", 1)
        assert await claim(2) == []
        async with smtp_server() as server:
            await deliver(server.settings())
            assert server.received == []
            time.move(seconds=60)
            await deliver(server.settings())
    assert len(server.received) == 1
    [after] = await state(database)
    assert (after["status"], after["may_repeat"], after["attempts"]) == ("SENT", True, 2)
    assert await updates(database) == 2


async def test_a_lease_that_ran_out_is_an_event_that_says_the_outcome_is_unknown(database: Database) -> None:
    with set_clock() as time:
        await one()
        await claim(1)
        time.move(seconds=60)
        async with smtp_server() as server:
            server.content = ["451 later"]
            await deliver(server.settings())
    events = await database.fetch("SELECT actor_kind FROM event WHERE action = 'delivery.updated'")
    assert [event["actor_kind"] for event in events] == ["SYSTEM", "SYSTEM"]
    [after] = await state(database)
    assert (after["status"], after["may_repeat"]) == ("DEFERRED", True)


async def test_who_is_lost_again_and_again_with_a_message_is_followed_later_and_later(database: Database) -> None:
    pauses = []
    with set_clock() as time:
        await one()
        for number in range(1, 7):
            await claim(number)
            time.move(seconds=60)
            assert await recover(time.now, 50) is None
            [row] = await waiting(database)
            pauses.append((row["due_at"] - time.now).total_seconds())
            time.now = row["due_at"]
    assert pauses == [0, 2, 4, 8, 16, 32]


async def test_who_has_lost_the_lease_records_nothing(database: Database) -> None:
    with set_clock() as time:
        await one()
        async with smtp_server() as server:
            server.content = [STALL]
            slow = Delivering(server.settings(lease=600), documents.current())
            assert await slow.round()
            time.move(seconds=601)
            await deliver(server.settings())
            [after] = await state(database)
            assert (after["status"], after["may_repeat"]) == ("SENT", True)
            slow.end()
            before = await updates(database)
            slow._attempts.hurry(0)
            while await slow.round():
                pass
            await slow.rest()
    assert await updates(database) == before
    assert [row["status"] for row in await state(database)] == ["SENT"]
    assert await waiting(database) == []


async def test_two_workers_send_each_message_once(database: Database) -> None:
    grace = await contact_at()
    await recorded(draft(*[addressee(grace) for _ in range(80)]))
    async with smtp_server() as server:
        await asyncio.gather(*[deliver(server.settings(batch=7)) for _ in range(3)])
    assert len(server.received) == len({each.id for each in server.received}) == 80
    assert {(row["status"], row["attempts"]) for row in await state(database)} == {("SENT", 1)}


async def test_at_the_end_what_is_under_way_is_finished_and_the_rest_given_back(database: Database) -> None:
    grace = await contact_at()
    await recorded(draft(*[addressee(grace) for _ in range(10)]))
    async with smtp_server() as server:
        server.content = ["250 taken", STALL]
        delivering = Delivering(server.settings(connections=1), documents.current())
        assert await delivering.round()
        delivering.end()
        delivering._attempts.hurry(0)
        while await delivering.round():
            pass
        await delivering.rest()
    left = await waiting(database)
    assert len(server.received) == 2
    assert sorted(row["status"] for row in await state(database)) == ["QUEUED"] * 8 + ["SENT", "UNKNOWN"]
    assert {row["lease"] for row in left} == {None}
    assert sorted(row["attempts"] for row in left) == [0] * 8 + [1]


async def test_an_attempt_does_not_begin_when_the_lease_is_almost_over(database: Database) -> None:
    with set_clock() as time:
        await one()
        async with smtp_server() as server:
            delivering = Delivering(server.settings(lease=600), documents.current())
            await delivering._claim()
            time.move(seconds=301)
            await delivering._begin()
            delivering.end()
            while await delivering.round():
                pass
    [left] = await waiting(database)
    assert (server.connections, left["lease"], left["attempts"]) == (0, None, 0)


async def test_a_report_that_comes_between_two_attempts_is_heeded(database: Database) -> None:
    with set_clock() as time:
        taken, busy = await shared("taken@example.com", "busy@example.com")
        async with smtp_server() as server:
            server.recipients["busy@example.com"] = ["450 busy", "450 busy", "250 OK"]
            await deliver(server.settings())
            by_address = {row["email"]: row for row in await state(database)}
            late = Outcome(DeliveryStatus.DEFERRED, clock.now(), "delayed, says a report")
            await by_ada(lambda change: settle(change, {by_address["taken@example.com"]["id"]: late}))
            time.move(minutes=1)
            await deliver(server.settings())
            # What one server has taken is not sent again, whatever it is called now.
            assert [each.recipients for each in server.received] == [["taken@example.com"]]
            arrived = Outcome(DeliveryStatus.DELIVERED, clock.now(), "arrived, says a report")
            await by_ada(lambda change: settle(change, {by_address["busy@example.com"]["id"]: arrived}))
            time.move(hours=1)
            await deliver(server.settings())
    assert len(server.received) == 1
    assert await statuses(database) == {"taken": "DEFERRED", "busy": "DELIVERED"}
    assert await waiting(database) == []
    assert {taken["message_id"], busy["message_id"]} == {server.received[0].id}
