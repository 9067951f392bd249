"""What runs sends what is due, to whom it concerns, with what it says; and what it leaves out."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pypdfium2
import pytest

from audit import Change
from audit.event import read_disclosures
from models import CommunicationKind, Contact, Customer, Database, Template, current
from models.table import Audited
from services import communications, locations, merging, order_desk, preferences, reminders, sales_documents, templates
from services.communications import Attachment, Draft
from services.documents import Storage
from services.documents.storage import content_path
from services.reminders import attaching, running
from services.reminders.item import Item
from services.reminders.planning import again
from tests.services.reminders.office import (
    START,
    act,
    customer,
    invoice,
    on,
    opened,
    pay,
    reminders_sent,
    sent,
    set_standard,
    workflow,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]

DUE = START + timedelta(days=40)


def after(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


async def run_on(day: date) -> tuple[int, int, int, int]:
    """Run on that day: sent, suppressed, changed, failed."""
    with on(day):
        counts = await reminders.run()
    return counts.sent, counts.suppressed, counts.changed, counts.failed


async def test_a_reminder_is_recorded_with_all_that_the_log_needs(database: Database) -> None:
    with on(START):
        await opened(-3, 7)
        buyer = await customer(people=2)
        document = await invoice(buyer, DUE)
    assert await run_on(after(-4)) == (0, 0, 0, 0)
    assert await run_on(after(-3)) == (1, 0, 0, 0)
    assert await run_on(after(-3)) == (0, 0, 0, 0)
    assert await run_on(after(8)) == (1, 0, 0, 0)
    assert await reminders_sent() == {(document, -3, after(-3)), (document, 7, after(8))}
    [kind, name, attachments, by], _ = await sent("kind", "template_name", "attachments", "sent_by")
    assert (kind, name, attachments) == ("WORKFLOW_REMINDER", "Workflow reminder", "[]")
    assert json.loads(by)["kind"] == "SYSTEM"
    rows = await current().fetch("SELECT * FROM delivery ORDER BY created_at, id")
    assert [(row["status"], row["field"], row["chosen"]) for row in rows] == [("QUEUED", "TO", "RULE")] * 4
    assert len({row["message_id"] for row in rows}) == 4
    assert {json.loads(row["reasons"])[0] for row in rows} == {"DESIGNATED"}
    early, late = rows[0], rows[-1]
    assert early["subject_line"].startswith("Reminder: invoice I-")
    assert late["subject_line"].startswith("Overdue: invoice I-")
    assert f"Dear {late['name']}," in late["text"]
    assert len(await current().fetch("SELECT message_id FROM outbox_message")) == 4


async def test_one_message_for_all_when_the_settings_say_so(database: Database) -> None:
    with on(START):
        await opened(0, separate_messages=False)
        two, one = [await invoice(await customer(people), DUE) for people in (2, 1)]
    assert await run_on(DUE) == (2, 0, 0, 0)
    rows = await current().fetch("SELECT * FROM delivery")
    together = [row for row in rows if row["sales_document_id"] == two]
    assert len({(row["message_id"], row["text"]) for row in together}) == 1
    assert "Dear Customer" in together[0]["text"]
    [alone] = [row for row in rows if row["sales_document_id"] == one]
    assert f"Dear {alone['name']}," in alone["text"]


async def test_writing_leaves_the_loop_to_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def rendering(*given: Any) -> Any:
        threads.append(threading.current_thread())
        return templates.rendering.render(*given)

    with on(START):
        await opened(0)
        await invoice(await customer(2), DUE)
    monkeypatch.setattr("services.reminders.item.templates.render", rendering)
    assert await run_on(DUE) == (1, 0, 0, 0)
    assert len(threads) == 2
    assert threading.current_thread() not in threads


async def test_the_event_names_workflow_and_step(database: Database) -> None:
    with on(START):
        made = await opened(7)
        await invoice(await customer(), DUE)
    await run_on(after(7))
    rows = await current().fetch(
        "SELECT d.disclosures FROM event e JOIN event_detail d ON d.seq = e.seq WHERE e.subject_type = 'communication'"
    )
    told = [name for row in rows for name in _values(row["disclosures"])]
    assert f"Reminder workflow {made['name']}: 7 days after" in told


def _values(disclosures: str) -> list[Any]:
    return [value for _, value in read_disclosures(disclosures)]


async def test_what_is_not_open_or_not_wanted_gets_no_reminder(database: Database) -> None:
    with on(START):
        await opened(0)
        buyer = await customer()
        paid, void, idle, merged = [await invoice(await customer() if new else buyer, DUE) for new in (0, 0, 1, 1)]
        await invoice(buyer, DUE, posted=False)
        await invoice(buyer, None)
        await invoice(await customer(reminders={"workflow_id": None}), DUE)
        own = await workflow(5)
        with_own = await invoice(await customer(reminders={"workflow_id": own["id"]}), DUE)
        partly = await invoice(buyer, DUE)
        await pay(paid)
        await pay(partly, "499.99")
        await act(lambda change: sales_documents.void(change, void, None))
        await _deactivate(idle)
        survivor = await customer()
        loser = await _customer_of(merged)
        await act(lambda change: merging.merge(change, {"id": survivor, "merged_id": loser}))
    assert await run_on(DUE) == (2, 0, 0, 0)
    assert await reminders_sent() == {(partly, 0, DUE), (merged, 0, DUE)}
    assert await run_on(after(5)) == (1, 0, 0, 0)
    assert (with_own, 5, after(5)) in await reminders_sent()
    with on(after(5)):
        nobody = {"reminders": {"workflow_id": None}}
        await act(lambda change: preferences.update_settings(change, None, nobody))
        await invoice(buyer, DUE)
    assert await run_on(after(6)) == (0, 0, 0, 0)


async def _customer_of(document: str) -> str:
    [row] = await current().fetch("SELECT customer_id FROM sales_document WHERE id = ?", document)
    return str(row["customer_id"])


async def _deactivate(document: str) -> None:
    identifier = await _customer_of(document)

    async def work(change: Change) -> None:
        await change.update(Customer, await change.get(Customer, identifier), {"active": False})

    await act(work)


async def test_a_new_due_date_or_workflow_repeats_nothing(database: Database) -> None:
    with on(START):
        await opened(0, 7)
        buyer = await customer()
        document = await invoice(buyer, DUE)
    await run_on(after(7))
    with on(after(8)):
        later = {"due_on": after(20)}
        await act(lambda change: sales_documents.update(change, document, None, later))
        other = {"reminders": {"workflow_id": (await workflow(0, 3, 7, 9))["id"]}}
        await act(lambda change: preferences.override(change, buyer, None, other))
    for day in (20, 23, 27):
        assert await run_on(after(day)) == (0, 0, 0, 0)
    assert await run_on(after(29)) == (1, 0, 0, 0)
    assert await reminders_sent() == {(document, 7, after(7)), (document, 9, after(29))}


async def test_what_goes_to_nobody_is_suppressed_once_and_says_why(database: Database) -> None:
    with on(START):
        await opened(0, 7)
        lonely = await invoice(await customer(people=0), DUE)
    assert await run_on(DUE) == (0, 1, 0, 0)
    assert await run_on(after(1)) == (0, 0, 0, 0)
    with on(after(1)):
        reached = await invoice(await customer(), DUE)
        await set_standard(CommunicationKind.WORKFLOW_REMINDER, enabled=False)
    assert await run_on(after(7)) == (0, 2, 0, 0)
    told = set(await sent("sales_document_id", "reminder_step", "suppressed"))
    assert told == {
        (lonely, 0, "NO_RECIPIENT"),
        (lonely, 7, "TEMPLATE_DISABLED"),
        (reached, 7, "TEMPLATE_DISABLED"),
    }
    rows = await current().fetch("SELECT status FROM delivery")
    assert [row["status"] for row in rows] == ["SUPPRESSED"]
    assert await current().fetch("SELECT * FROM outbox_message") == []


async def test_a_contact_of_another_location_is_left_out_for_that_invoice_only(database: Database) -> None:
    with on(START):
        await opened(0)
        buyer = await customer(people=1)
        places = [await _place(buyer, name) for name in ("North", "South")]
        await _move_contact_of(buyer, places[0])
        north, south = [await invoice(buyer, DUE, location_id=place) for place in places]
        nowhere = await invoice(buyer, DUE)
    assert await run_on(DUE) == (2, 1, 0, 0)
    told = dict(await sent("sales_document_id", "suppressed"))
    assert told == {north: None, nowhere: None, south: "NO_RECIPIENT"}


async def _place(customer_id: str, name: str) -> str:
    row = await act(lambda change: locations.create(change, {"customer_id": customer_id, "name": name}))
    return str(row["id"])


async def _move_contact_of(customer_id: str, location_id: str) -> None:
    async def work(change: Change) -> None:
        [row] = await change.where(Contact, customer_id=customer_id)
        await change.update(Contact, row, {"location_id": location_id})

    await act(work)


async def test_a_payment_meanwhile_sends_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with on(START):
        await opened(0)
        buyer = await customer()
        paid, partly, other = [await invoice(buyer, DUE) for _ in range(3)]

    async def paying(item: Item) -> list[Attachment]:
        if item.key == paid:
            await pay(paid)
        if item.key == partly:
            await pay(partly, "100.00")
        return []

    with monkeypatch.context() as patch:
        patch.setattr(running, "attachments", paying)
        assert await run_on(DUE) == (1, 0, 2, 0)
    assert await reminders_sent() == {(other, 0, DUE)}
    assert await run_on(DUE) == (1, 0, 0, 0)
    assert await reminders_sent() == {(other, 0, DUE), (partly, 0, DUE)}
    [row] = await current().fetch("SELECT text FROM delivery WHERE sales_document_id = ?", partly)
    assert "EUR 400.00" in row["text"]


async def test_a_bad_invoice_leaves_the_others_alone_and_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with on(START):
        await opened(0)
        buyer = await customer()
        unprepared, unrecorded, good = [await invoice(buyer, DUE) for _ in range(3)]

    async def preparing(item: Item) -> list[Attachment]:
        if item.key == unprepared:
            raise RuntimeError("no paper")
        return []

    async def recording(change: Change, draft: Draft) -> Any:
        if draft.sales_document_id == unrecorded:
            raise RuntimeError("no ink")
        return await communications.recording.record(change, draft)

    with monkeypatch.context() as patch:
        patch.setattr(running, "attachments", preparing)
        patch.setattr("services.reminders.running.communications.record", recording)
        assert await run_on(DUE) == (1, 0, 0, 2)
    assert await reminders_sent() == {(good, 0, DUE)}
    said = capsys.readouterr().out
    assert unprepared in said
    assert unrecorded in said
    assert await run_on(after(1)) == (2, 0, 0, 0)


async def test_a_step_attaches_what_it_says(database: Database, storage: Storage) -> None:
    with on(START):
        made = await workflow(0, attach_statement=True, attach_invoice=True)
        await opened(7)
        document = await invoice(await customer(reminders={"workflow_id": made["id"]}), DUE)
    assert await run_on(DUE) == (1, 0, 0, 0)
    [(attached,)] = await sent("attachments")
    [file, statement] = json.loads(attached)
    [row] = await current().fetch("SELECT number FROM sales_document WHERE id = ?", document)
    assert file["name"] == f"Invoice {row['number']}.pdf"
    assert statement["name"] == f"Statement {DUE.isoformat()}.pdf"
    for each in (file, statement):
        assert row["number"] in await _text(storage, each)


async def _text(storage: Storage, file: dict[str, Any]) -> str:
    parts = storage.read(content_path(file["sha256"]), 0, file["size"])
    data = b"".join([bytes(part) async for part in parts])
    with pypdfium2.PdfDocument(io.BytesIO(data)) as found:
        return "".join(page.get_textpage().get_text_range() for page in found)


@pytest.mark.parametrize("table", [Contact, Template])
async def test_nobody_changes_what_a_reminder_is_made_of_until_it_is_recorded(
    database: Database, monkeypatch: pytest.MonkeyPatch, table: type[Audited]
) -> None:
    fields = {"email": "new@example.com"} if table is Contact else {"name": "Another"}
    with on(START):
        await opened(0)
        document = await invoice(await customer(), DUE)
    wanted: dict[str, Any] = {"kind": CommunicationKind.WORKFLOW_REMINDER.value} if table is Template else {}

    async def change_it(change: Change) -> None:
        [row] = await change.where(table, **wanted)
        await change.update(table, row, fields)

    is_planned = asyncio.Event()

    async def changing() -> None:
        await is_planned.wait()
        with on(DUE):
            await act(change_it)

    # Begun before the transaction, which belongs to its own task.
    other = asyncio.create_task(changing())

    async def planned(items: Sequence[Item]) -> dict[str, Item]:
        found = await again(items)
        is_planned.set()
        done, _ = await asyncio.wait([other], timeout=0.3)
        assert not done
        return found

    with monkeypatch.context() as patch:
        patch.setattr(running, "again", planned)
        assert await run_on(DUE) == (1, 0, 0, 0)
    await other
    assert await reminders_sent() == {(document, 0, DUE)}


async def test_bytes_that_a_sweep_took_meanwhile_are_made_again_by_the_next_run(
    database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on(START):
        made = await workflow(0, attach_invoice=True)
        await opened(0)
        document = await invoice(await customer(reminders={"workflow_id": made["id"]}), DUE)
        other = await invoice(await customer(), DUE)

    async def swept(item: Item) -> list[Attachment]:
        files = await attaching.attachments(item)
        for file in files:
            await storage.delete(content_path(file.sha256))
        return files

    with monkeypatch.context() as patch:
        patch.setattr(running, "attachments", swept)
        assert await run_on(DUE) == (1, 0, 1, 0)
    assert await reminders_sent() == {(other, 0, DUE)}
    assert await run_on(DUE) == (1, 0, 0, 0)
    assert await reminders_sent() == {(other, 0, DUE), (document, 0, DUE)}


async def test_posting_late_sends_the_step_that_counts(database: Database) -> None:
    with on(START):
        await opened(-7, 0, 14)
        document = await invoice(await customer(), DUE, posted=False)
    await run_on(after(20))
    with on(after(20)):
        await act(lambda change: order_desk.post(change, document, None, acknowledge=False))
    assert await run_on(after(20)) == (1, 0, 0, 0)
    assert await reminders_sent() == {(document, 14, after(20))}
