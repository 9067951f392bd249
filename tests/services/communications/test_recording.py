"""A communication is recorded with its deliveries, and waits in the outbox, in one transaction."""

from __future__ import annotations

from functools import partial

import pytest

from audit import Change
from models import Customer, Database, DeliveryStatus, ErrorCode, Fault, Suppression, clock
from models.outbox import KEPT_TRYING
from services.communications import Attachment, Outcome, record, settle
from tests.audit.rows import by_ada, events, new
from tests.services.communications.drafts import addressee, contact_at, draft, recorded

pytestmark = pytest.mark.anyio


async def test_each_recipient_gets_a_message_that_waits_in_the_outbox(database: Database) -> None:
    grace = await contact_at()
    alan = await contact_at(grace["customer_id"], address="Alan@example.com", first_name="Alan")
    communication, deliveries = await recorded(draft(addressee(grace), addressee(alan)))
    waiting = await database.fetch("SELECT * FROM outbox_message ORDER BY message_id")
    assert [row["message_id"] for row in waiting] == sorted(delivery["message_id"] for delivery in deliveries)
    assert {row["expires_at"] - row["due_at"] for row in waiting} == {KEPT_TRYING}
    assert [(row["email"], row["email_key"], row["text"]) for row in deliveries] == [
        ("grace@example.com", "grace@example.com", "Dear Grace"),
        ("Alan@example.com", "alan@example.com", "Dear Alan"),
    ]
    told = (await events(database))[-3:]
    assert [event["action"] for event in told] == ["communication.created", "delivery.created", "delivery.created"]
    assert {event["category"] for event in told} == {"communication"}
    assert {event["customer_id"] for event in told} == {communication["customer_id"]}


async def test_recipients_of_one_message_share_it(database: Database) -> None:
    grace = await contact_at()
    alan = await contact_at(grace["customer_id"], address="alan@example.com")
    _, deliveries = await recorded(draft(addressee(grace), addressee(alan), separate=False))
    waiting = await database.fetch("SELECT message_id FROM outbox_message")
    assert [row["message_id"] for row in waiting] == [deliveries[0]["message_id"]]
    assert deliveries[0]["message_id"] == deliveries[1]["message_id"]


async def test_what_is_suppressed_never_waits_in_the_outbox(database: Database) -> None:
    made = draft(addressee(await contact_at()), suppressed=Suppression.TEMPLATE_DISABLED)
    communication, deliveries = await recorded(made)
    assert (communication["suppressed"], deliveries[0]["status"]) == ("TEMPLATE_DISABLED", "SUPPRESSED")
    assert await database.fetch("SELECT message_id FROM outbox_message") == []


async def test_without_recipients_the_log_says_so(database: Database) -> None:
    customer = await new(Customer)
    communication, deliveries = await recorded(draft(customer_id=customer["id"]))
    assert (communication["suppressed"], deliveries) == ("NO_RECIPIENT", [])
    assert await database.fetch("SELECT message_id FROM outbox_message") == []


async def test_nothing_is_sent_after_a_rollback(database: Database) -> None:
    made = draft(addressee(await contact_at()))

    async def work(change: Change) -> None:
        await record(change, made)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await by_ada(work)
    assert await database.fetch("SELECT message_id FROM outbox_message") == []
    assert await database.fetch("SELECT id FROM communication") == []


async def test_attached_bytes_are_named_once(database: Database) -> None:
    attachment = Attachment("Invoice.pdf", "application/pdf", 6, "a" * 64)
    communication, _ = await recorded(draft(addressee(await contact_at()), attachments=[attachment, attachment]))
    named = await database.fetch("SELECT communication_id, sha256, size FROM communication_content")
    assert named == [{"communication_id": communication["id"], "sha256": "a" * 64, "size": 6}]
    assert [item["name"] for item in communication["attachments"]] == ["Invoice.pdf", "Invoice.pdf"]


async def test_the_same_month_cannot_be_recorded_twice(database: Database) -> None:
    grace = await contact_at()
    made = draft(addressee(grace), statement_month="2026-10")
    await recorded(made)
    with pytest.raises(Fault) as caught:
        await recorded(made)
    assert caught.value.code is ErrorCode.TAKEN
    assert len(await database.fetch("SELECT id FROM communication")) == 1


async def test_an_outcome_settles_a_delivery_with_an_event(database: Database) -> None:
    _, [delivery] = await recorded(draft(addressee(await contact_at())))
    outcome = Outcome(DeliveryStatus.SENT, clock.now(), "250 OK", attempts=2, may_repeat=True)
    [after], _ = await by_ada(lambda change: settle(change, {delivery["id"]: outcome}))
    assert (after["status"], after["reply"], after["attempts"], after["may_repeat"]) == ("SENT", "250 OK", 2, True)
    assert (await events(database))[-1]["action"] == "delivery.updated"


async def test_what_has_bounced_stays_bounced(database: Database) -> None:
    _, [delivery] = await recorded(draft(addressee(await contact_at())))
    for status in (DeliveryStatus.BOUNCED, DeliveryStatus.DELIVERED, DeliveryStatus.SENT):
        outcome = Outcome(status, clock.now(), "said")
        await by_ada(partial(settle, outcomes={delivery["id"]: outcome}))
    assert [event["action"] for event in await events(database)].count("delivery.updated") == 1
    assert [row["status"] for row in await database.fetch("SELECT status FROM delivery")] == ["BOUNCED"]
