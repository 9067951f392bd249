"""What waits in the outbox reaches a mail server, and what that says becomes the status of the deliveries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit import Change
from models import Database, DeliveryStatus, RecipientField
from models.outbox import KEPT_TRYING
from services.communications import record
from services.documents import Storage
from tests.audit.rows import by_ada
from tests.services.communications.drafts import addressee, contact_at, draft, recorded, settled
from tests.services.mail.sending import deliver, one, set_clock, shared, state, statuses, updates, waiting
from tests.smtp_server import DROP, SENDER, Received, smtp_server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]


async def test_a_message_reaches_the_mail_server_and_its_delivery_says_so(database: Database) -> None:
    delivery = await one()
    async with smtp_server() as server:
        await deliver(server.settings())
    [taken] = server.taken
    assert (taken.sender, taken.recipients, taken.id) == (SENDER, ["grace@example.com"], delivery["message_id"])
    assert taken.message.get_body(("plain",)).get_content().strip() == "Dear Grace"  # type: ignore[union-attr]
    [after] = await state(database)
    assert (after["status"], after["reply"], after["attempts"], after["may_repeat"]) == (
        "SENT",
        "250 2.0.0 taken",
        1,
        False,
    )
    assert await waiting(database) == []
    assert await updates(database) == 1


async def test_what_was_rolled_back_is_not_sent(database: Database) -> None:
    made = draft(addressee(await contact_at()))

    async def work(change: Change) -> None:
        await record(change, made)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await by_ada(work)
    async with smtp_server() as server:
        await deliver(server.settings())
    assert (server.received, server.connections) == ([], 0)


async def test_many_messages_take_few_connections_and_few_transactions(database: Database) -> None:
    grace = await contact_at()
    await recorded(draft(*[addressee(grace) for _ in range(60)]))
    async with smtp_server() as server:
        await deliver(server.settings(connections=3, batch=30))
    assert len({taken.id for taken in server.taken}) == len(server.taken) == 60
    assert server.connections <= 6
    rows = await database.fetch("SELECT request_id FROM event WHERE action = 'delivery.updated'")
    assert (len(rows), len({row["request_id"] for row in rows})) == (60, 2)


async def test_a_4xx_is_deferred_and_tried_again_with_the_same_bytes(database: Database) -> None:
    with set_clock() as clock:
        await one()
        async with smtp_server() as server:
            server.content = ["451 4.3.0 try again"]
            await deliver(server.settings())
            [after] = await state(database)
            assert (after["status"], after["reply"], after["may_repeat"]) == ("DEFERRED", "451 4.3.0 try again", False)
            [row] = await waiting(database)
            assert timedelta(seconds=24) <= row["due_at"] - clock.now <= timedelta(seconds=36)
            await deliver(server.settings())
            assert len(server.received) == 1
            clock.move(seconds=36)
            await deliver(server.settings())
    assert server.received[0].content == server.received[1].content
    [after] = await state(database)
    assert (after["status"], after["attempts"], after["may_repeat"]) == ("SENT", 2, False)
    assert await updates(database) == 2


async def test_a_server_that_always_says_4xx_is_asked_more_and_more_seldom_for_48_hours(database: Database) -> None:
    pauses = []
    with set_clock() as clock:
        await one()
        began = clock.now
        async with smtp_server() as server:
            server.recipients["grace@example.com"] = ["450 4.2.1 busy"]
            for _ in range(100):
                await deliver(server.settings())
                left = await waiting(database)
                if not left:
                    break
                pauses.append((left[0]["due_at"] - clock.now).total_seconds())
                clock.now = left[0]["due_at"]
    for number, pause in enumerate(pauses):
        assert min(30 * 2**number * 0.8, 2880) <= pause <= min(30 * 2**number * 1.2, 3600), number
    assert clock.now < began + KEPT_TRYING
    assert began + KEPT_TRYING - clock.now <= timedelta(hours=1)
    [after] = await state(database)
    assert (after["status"], after["reply"], after["attempts"]) == ("FAILED", "450 4.2.1 busy", len(pauses) + 1)
    assert server.received == []


async def test_the_48_hours_begin_with_the_first_attempt(database: Database) -> None:
    with set_clock() as clock:
        await one()
        clock.move(seconds=KEPT_TRYING.total_seconds() + 60)
        async with smtp_server() as server:
            server.content = ["451 4.3.0 try again"]
            await deliver(server.settings())
            assert (await state(database))[0]["status"] == "DEFERRED"
            clock.move(seconds=KEPT_TRYING.total_seconds() - 30)
            server.content = ["451 4.3.0 still not"]
            await deliver(server.settings())
    [after] = await state(database)
    assert (after["status"], after["reply"], after["attempts"]) == ("FAILED", "451 4.3.0 still not", 2)
    assert await waiting(database) == []


async def test_after_48_hours_without_a_second_attempt_there_is_none(database: Database) -> None:
    with set_clock() as clock:
        await one()
        async with smtp_server() as server:
            server.content = ["451 4.3.0 try again"]
            await deliver(server.settings())
            clock.move(seconds=KEPT_TRYING.total_seconds())
            await deliver(server.settings())
    [after] = await state(database)
    assert (after["status"], after["reply"], after["attempts"]) == ("FAILED", "451 4.3.0 try again", 1)
    assert (len(server.received), await waiting(database)) == (1, [])


async def test_a_5xx_fails_at_once(database: Database) -> None:
    made = [await one(f"{number}@example.com") for number in range(4)]
    async with smtp_server() as server:
        server.recipients = {
            "1@example.com": ["550 5.1.1 no such user"],
            "2@example.com": ["554 5.7.1 not from you"],
        }
        server.content = ["552 5.2.3 too large"]
        await deliver(server.settings(connections=1))
    assert [row["status"] for row in await state(database, *made)] == ["FAILED", "FAILED", "FAILED", "SENT"]
    assert await waiting(database) == []


async def test_of_a_shared_message_each_recipient_has_an_outcome_and_only_the_deferred_are_tried_again(
    database: Database,
) -> None:
    with set_clock() as clock:
        await shared("taken@example.com", "busy@example.com", "nobody@example.com")
        async with smtp_server() as server:
            server.recipients = {
                "busy@example.com": ["450 4.2.1 busy", "250 OK"],
                "nobody@example.com": ["550 5.1.1 no such user"],
            }
            await deliver(server.settings())
            assert await statuses(database) == {"taken": "SENT", "busy": "DEFERRED", "nobody": "FAILED"}
            clock.move(minutes=1)
            await deliver(server.settings())
    assert await statuses(database) == {"taken": "SENT", "busy": "SENT", "nobody": "FAILED"}
    assert [each.recipients for each in server.taken] == [["taken@example.com"], ["busy@example.com"]]
    assert server.taken[0].content == server.taken[1].content
    named = {address.username for address in server.taken[1].message["To"].addresses}
    assert named == {"taken", "busy", "nobody"}


async def test_to_and_cc_stand_in_the_message_of_all(database: Database) -> None:
    grace = await contact_at()
    alan = await contact_at(grace["customer_id"], address="alan@example.com", first_name="Alan", last_name="Turing")
    to, copy = addressee(grace), addressee(alan, field=RecipientField.CC)
    await recorded(draft(to, copy, separate=False))
    async with smtp_server() as server:
        await deliver(server.settings())
    [taken] = server.taken
    assert taken.recipients == ["grace@example.com", "alan@example.com"]
    assert (str(taken.message["To"]), str(taken.message["Cc"])) == (
        "Grace Hopper <grace@example.com>",
        "Alan Turing <alan@example.com>",
    )


async def test_dropped_after_the_content_it_is_unknown_flagged_and_sent_again(database: Database) -> None:
    with set_clock() as clock:
        await one()
        async with smtp_server() as server:
            server.content = [DROP]
            await deliver(server.settings())
            [after] = await state(database)
            assert (after["status"], after["may_repeat"], after["attempts"]) == ("UNKNOWN", True, 1)
            clock.move(minutes=1)
            await deliver(server.settings())
    [after] = await state(database)
    assert (after["status"], after["may_repeat"], after["attempts"]) == ("SENT", True, 2)
    assert len({each.id for each in server.received}) == 1
    assert server.received[0].content == server.received[1].content


async def test_what_a_report_has_settled_meanwhile_is_left_out(database: Database) -> None:
    with set_clock() as clock:
        alone, (busy, slow) = await one(), await shared("busy@example.com", "slow@example.com")
        async with smtp_server() as server:
            server.content = ["451 later"] * 2
            await deliver(server.settings())
            assert set((await statuses(database)).values()) == {"DEFERRED"}
            for delivery, status in ((alone, DeliveryStatus.DELIVERED), (busy, DeliveryStatus.BOUNCED)):
                await settled(delivery, status, "as reported")
            clock.move(minutes=1)
            await deliver(server.settings())
    assert [each.recipients for each in server.taken] == [["slow@example.com"]]
    assert await statuses(database) == {"grace": "DELIVERED", "busy": "BOUNCED", "slow": "SENT"}
    assert {row["attempts"] for row in await state(database, alone, busy)} == {1}
    assert (await waiting(database), slow["message_id"]) == ([], server.taken[0].id)


async def test_what_a_report_settles_while_it_waits_for_its_turn_is_left_out(database: Database) -> None:
    with set_clock() as clock:
        made = {row["message_id"]: row for row in [await one(), await one("alan@example.com")]}
        async with smtp_server() as server:
            server.content = ["451 later"] * 2
            await deliver(server.settings())
            clock.move(minutes=1)

            async def report(got: Received) -> None:
                [other] = [row for key, row in made.items() if key != got.id]
                await settled(other, DeliveryStatus.DELIVERED)

            server.meanwhile = report
            await deliver(server.settings(connections=1))
    assert len(server.taken) == 1
    assert sorted((await statuses(database)).values()) == ["DELIVERED", "SENT"]
    assert await waiting(database) == []


@pytest.mark.parametrize("step", ["greetings", "mail", "recipients", "data"])
async def test_dropped_before_the_content_it_is_only_deferred(database: Database, step: str) -> None:
    with set_clock() as clock:
        await one()
        async with smtp_server() as server:
            if step == "recipients":
                server.recipients["grace@example.com"] = [DROP, "250 OK"]
            else:
                setattr(server, step, [DROP])
            await deliver(server.settings())
            [after] = await state(database)
            assert (after["status"], after["may_repeat"]) == ("DEFERRED", False)
            clock.move(minutes=1)
            await deliver(server.settings())
    assert (len(server.received), [row["status"] for row in await state(database)]) == (1, ["SENT"])


async def test_a_server_that_is_away_defers_all_and_is_found_again(database: Database, storage: Storage) -> None:
    for number in range(5):
        await one(f"{number}@example.com")
    async with smtp_server() as server:
        settings = server.settings()
    with set_clock() as clock:
        await deliver(settings)
        found = await state(database)
        assert {(row["status"], row["attempts"]) for row in found} == {("DEFERRED", 1)}
        assert all("Error connecting to 127.0.0.1" in row["reply"] for row in found)
        clock.move(minutes=1)
        async with smtp_server() as back:
            await deliver(back.settings())
    assert {row["status"] for row in await state(database)} == {"SENT"}


async def test_a_connection_that_the_server_has_closed_meanwhile_costs_no_attempt(database: Database) -> None:
    grace = await contact_at()
    await recorded(draft(*[addressee(grace) for _ in range(3)]))
    async with smtp_server() as server:
        server.mail = ["250 OK", "421 4.3.2 enough for one connection", "250 OK", DROP]
        await deliver(server.settings(connections=1))
    assert {(row["status"], row["attempts"]) for row in await state(database)} == {("SENT", 1)}
    assert (len(server.taken), server.connections) == (3, 3)
