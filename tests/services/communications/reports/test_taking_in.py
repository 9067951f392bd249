"""Reports find their deliveries, settle them once, and mark addresses; what is not ours changes nothing."""

from __future__ import annotations

import asyncio
import base64
import mailbox
from datetime import timedelta
from pathlib import Path

import pytest

from audit import Request
from models import Contact, Database, Delivery, DeliveryStatus, Row, clock
from models.delivery_reports import KEPT
from models.rows import by_ids
from services.communications.reports import Report, Tally, dsn, ingesting, take_in
from services.communications.reports.folder import LARGEST, messages, split
from services.communications.reports.ingesting import Ingested, ingest
from tests.audit.rows import disclosed, events
from tests.services.communications.drafts import addressee, contact_at, draft, recorded, settled
from tests.services.communications.reports.bounces import OTHERS, PERSON, SENDMAIL, SEVERAL, SEVERAL_STATUS, bounce

pytestmark = pytest.mark.anyio

S = DeliveryStatus


async def sent() -> Row:
    """A delivery to Grace that a mail server took."""
    _, [delivery] = await recorded(draft(addressee(await contact_at())))
    [row] = await settled(delivery, S.SENT, "250 OK")
    return row


async def statuses(*deliveries: Row) -> list[str]:
    return [row["status"] for row in await by_ids(Delivery)([one["id"] for one in deliveries]) if row is not None]


async def problem(delivery: Row) -> bool:
    [row] = await by_ids(Contact)([delivery["contact_id"]])
    assert row is not None
    return row["email_problem"] is not None


async def ingested(path: Path) -> tuple[Ingested, list[str]]:
    said: list[str] = []
    return await ingest(messages(path), said.append), said


def report(delivery: Row, **values: object) -> Report:
    made = {"id": "1", "message_ids": [delivery["message_id"]], "recipients": [delivery["email"]], "status": S.BOUNCED}
    return Report(**{**made, **values})  # type: ignore[arg-type]


async def test_a_bounce_settles_its_delivery_once_and_says_who_told(database: Database) -> None:
    delivery = await sent()
    request = Request.new("Bounce messages")
    for expected in ((1, 0), (0, 1), (0, 1)):
        tally = await take_in(dsn.SOURCE, request, dsn.read(bounce(delivery["message_id"])))
        assert (tally.taken, tally.repeated, tally.unknown) == (*expected, 0)
    assert await statuses(delivery) == ["BOUNCED"]
    assert await problem(delivery)
    bounced, marked = (await events(database))[-2:]
    assert (bounced["action"], marked["action"]) == ("delivery.updated", "contact.updated")
    assert (bounced["actor_kind"], bounced["request_id"]) == ("SYSTEM", request.id)
    told = await disclosed(database, bounced["seq"])
    assert told["system"]["actor.name"] == "Bounce messages"


async def test_recipients_of_one_message_are_told_apart(database: Database) -> None:
    grace = await contact_at()
    alan = await contact_at(grace["customer_id"], address="Alan@example.com")
    _, deliveries = await recorded(draft(addressee(grace), addressee(alan), separate=False))
    status = base64.encodebytes(SEVERAL_STATUS.encode()).decode()
    data = SEVERAL.format(status=status, message_id=deliveries[0]["message_id"]).encode()
    tally = await take_in(dsn.SOURCE, Request.new(), dsn.read(data))
    assert (tally.taken, tally.unknown) == (2, 1)
    assert await statuses(*deliveries) == ["DELIVERED", "DELIVERED"]


async def test_where_an_email_was_sent_on_the_address_is_not_to_blame(database: Database) -> None:
    delivery = await sent()
    reports = dsn.read(bounce(delivery["message_id"], "somebody.else@example.net"))
    assert (await take_in(dsn.SOURCE, Request.new(), reports)).taken == 1
    assert await statuses(delivery) == ["BOUNCED"]
    assert not await problem(delivery)


async def test_what_is_not_ours_changes_nothing(database: Database) -> None:
    await sent()
    before = await events(database)
    odd = [Report("1", ["a\0b", "\ud800"], ["\0"], S.BOUNCED), Report("2", [], [], S.BOUNCED)]
    reports = [*dsn.read(bounce("another@example.com")), *odd]
    tally = await take_in(dsn.SOURCE, Request.new(), reports)
    assert (tally.taken, tally.repeated, tally.unknown) == (0, 0, 3)
    assert await events(database) == before
    assert await database.fetch("SELECT id FROM delivery_report") == []


async def test_reports_of_one_request_are_settled_in_the_order_of_their_times(database: Database) -> None:
    delivery = await sent()
    now = clock.now()
    reports = [
        report(delivery, id="3", status=S.DELIVERED, at=now + timedelta(days=400), reply="250 \0 OK\r\n\u2028 yes"),
        report(delivery, id="1", status=S.DEFERRED, at=now - timedelta(days=400), reply="\ud800"),
        report(delivery, id="1", status=S.DEFERRED, at=now - timedelta(days=400), reply="\ud800"),
    ]
    tally = await take_in("SendGrid", Request.new(), reports)
    assert (tally.taken, tally.repeated) == (2, 1)
    [row] = await by_ids(Delivery)([delivery["id"]])
    assert row is not None
    assert (row["status"], row["reply"]) == ("DELIVERED", "250 OK yes")
    assert delivery["status_at"] <= row["status_at"] <= clock.now()


async def test_the_same_report_at_once_is_taken_once(database: Database) -> None:
    delivery = await sent()
    reports = [report(delivery, status=S.DEFERRED, id=str(number)) for number in range(3)]
    tallies = await asyncio.gather(*(take_in("SendGrid", Request.new(), reports[::step]) for step in (1, -1, 1)))
    assert sorted(tally.taken for tally in tallies) == [0, 0, 3]
    # Three reports that say the same at the same time are one change.
    assert (await database.fetch("SELECT revision FROM delivery"))[0]["revision"] == 3


async def test_reports_of_two_sources_are_two_and_old_ones_are_forgotten(database: Database) -> None:
    delivery = await sent()
    for source in ("SendGrid", "Postmark", "SendGrid"):
        await take_in(source, Request.new(), [report(delivery)])
    assert len(await database.fetch("SELECT id FROM delivery_report")) == 2
    later = clock.now() + KEPT + timedelta(minutes=1)
    with clock.set_to(lambda: later):
        assert (await take_in("Amazon SES", Request.new(), [report(delivery)])).taken == 1
    assert len(await database.fetch("SELECT id FROM delivery_report")) == 1
    assert (await database.fetch("SELECT revision FROM delivery"))[0]["revision"] == 3


async def test_a_maildir_is_read_once_and_what_is_no_report_stays(database: Database, tmp_path: Path) -> None:
    first, second = await sent(), await sent()
    folder = tmp_path / "Maildir"
    box = mailbox.Maildir(folder)
    for data in (
        bounce(first["message_id"]),
        bounce(second["message_id"], text=SENDMAIL),
        bounce("another@example.com"),
        PERSON.encode(),
        *(text.encode() for text in OTHERS.values()),
    ):
        box.add(data)
    with (folder / "new" / "large").open("wb") as file:
        file.truncate(LARGEST + 1)
    others = len(OTHERS) + 2
    total, said = await ingested(folder)
    assert (total.messages, total.taken, total.unknown, total.others) == (others + 3, 2, 1, others)
    assert len(said) == others + 1
    assert await statuses(first, second) == ["BOUNCED", "DEFERRED"]
    assert sorted(path.name.rpartition(":")[2] for path in (folder / "cur").iterdir()) == ["2,S", "2,S"]
    total, said = await ingested(folder)
    assert (total.messages, total.taken, total.repeated) == (others + 1, 0, 0)
    # Somebody marks them as unread again.
    for path in (folder / "cur").iterdir():
        path.rename(folder / "new" / path.name.partition(":")[0])
    total, _ = await ingested(folder)
    assert (total.taken, total.repeated) == (0, 2)
    assert await statuses(first, second) == ["BOUNCED", "DEFERRED"]


async def test_an_mbox_and_a_single_message(database: Database, tmp_path: Path) -> None:
    first, second = await sent(), await sent()
    data = [bounce(first["message_id"]), PERSON.encode(), bounce(second["message_id"], text=SENDMAIL)]
    path = tmp_path / "mbox"
    path.write_bytes(b"".join(b"From MAILER-DAEMON Tue Jan  1 10:00:05 2030\n" + one + b"\n\n" for one in data))
    before = path.read_bytes()
    total, said = await ingested(path)
    assert (total.messages, total.taken, total.others) == (3, 2, 1)
    assert said == ["mbox, message 2: left: it is not a delivery status notification (RFC 3464)"]
    total, _ = await ingested(path)
    assert (total.taken, total.repeated) == (0, 2)
    assert path.read_bytes() == before
    third = await sent()
    total = await ingest(split(bounce(third["message_id"]).splitlines(keepends=True), "standard input"), said.append)
    assert (total.messages, total.taken) == (1, 1)


async def test_many_reports_at_once_are_remembered(database: Database) -> None:
    delivery = await sent()
    reports = [report(delivery, id=str(number), status=S.DEFERRED) for number in range(20_000)]
    tally = await take_in("SendGrid", Request.new(), reports)
    assert (tally.taken, tally.repeated) == (20_000, 0)


async def test_a_message_that_cannot_be_taken_in_keeps_no_other_from_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await sent(), await sent()
    box = mailbox.Maildir(tmp_path / "Maildir")
    for delivery in (first, second):
        box.add(bounce(delivery["message_id"]))

    async def take_in_or_raise(source: str, request: Request, reports: list[Report]) -> Tally:
        if reports[0].message_ids[0] == first["message_id"]:
            raise KeyError("a bug")
        return await take_in(source, request, reports)

    monkeypatch.setattr(ingesting, "take_in", take_in_or_raise)
    total, said = await ingested(tmp_path / "Maildir")
    assert (total.messages, total.taken, total.failed) == (2, 1, 1)
    assert await statuses(first, second) == ["SENT", "BOUNCED"]
    [line] = said
    assert line.endswith(": left: it could not be taken in (KeyError)")


async def test_of_a_long_message_the_beginning_is_read(database: Database, tmp_path: Path) -> None:
    delivery = await sent()
    data = bounce(delivery["message_id"]).replace(b"Dear customer", b"x" * (LARGEST + 1))
    (tmp_path / "long").write_bytes(data)
    [found] = messages(tmp_path / "long")
    assert (len(found.data), len(data) > LARGEST) == (LARGEST, True)
    total, _ = await ingested(tmp_path / "long")
    assert (total.taken, await statuses(delivery)) == (1, ["BOUNCED"])


def test_messages_are_told_apart_where_they_begin() -> None:
    def names(data: bytes) -> list[tuple[str, bytes]]:
        return [(found.name, found.data) for found in split(data.splitlines(keepends=True), "in")]

    assert names(b"") == []
    assert names(b"A: 1\n\nFrom here on\n") == [("in", b"A: 1\n\nFrom here on\n")]
    assert names(b"From a\nA: 1\nFrom x\n\nFrom b\nB: 2\n") == [
        ("in, message 1", b"A: 1\nFrom x\n\n"),
        ("in, message 2", b"B: 2\n"),
    ]


def test_what_is_no_maildir_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no Maildir"):
        list(messages(tmp_path))
