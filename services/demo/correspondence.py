"""What the demo's office writes and files: invoices by email, with what became of them, and documents of customers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from audit import SYSTEM, Change, Request, transact
from models import (
    BuiltInRole,
    CommunicationKind,
    Delivery,
    DeliveryStatus,
    ErrorCode,
    Fault,
    Row,
    SalesDocumentKind,
    SalesDocumentStatus,
    clock,
    outbox,
)
from services import documents, notes
from services.communications import Outcome, sending, settle
from services.demo import texts
from services.demo.activities import Activity
from services.demo.desk import Desk
from services.demo.office import Member
from services.demo.order_desk import send_invoice
from services.documents import changing
from services.documents.receiving import received


async def email_invoice(desk: Desk) -> None:
    """A posted invoice goes out by email; now and then one comes back."""
    waiting = [document for document in desk.documents if _is_posted_invoice(document)]
    invoice = next((one for one in waiting if one["id"] not in desk.emailed), None)
    if invoice is None:
        return await send_invoice(desk)
    desk.emailed.add(invoice["id"])
    about = {"customer_id": invoice["customer_id"], "sales_document_id": invoice["id"]}
    given = {"kind": CommunicationKind.INVOICE, **about}
    clerk = _clerk(desk)
    await sending.prepare(clerk.actor, given)
    try:
        communication = await clerk.act(lambda change: sending.send(change, given))
    except Fault as fault:
        if fault.code is not ErrorCode.NO_RECIPIENT:
            raise
        note = {"subject_id": invoice["id"], "body": texts.BY_POST}
        await clerk.act(lambda change: notes.create(change, note))
        return None
    await _arrive(desk, communication)
    return None


async def file_document(desk: Desk) -> None:
    """A customer sends something that has to be kept."""
    customer_id, clerk = desk.company(), _clerk(desk)
    name, text = desk.fiction.random.choice(texts.DOCUMENTS)
    paper = _Paper(name, text.format(customer=desk.profiles[customer_id].name).encode())
    async with received(documents.current(), paper, None) as arrived:
        await arrived.publish()
        await clerk.act(lambda change: changing.create(change, customer_id, arrived))


# How often they happen, beside each other.
OFTEN: dict[Activity, int] = {email_invoice: 5, file_document: 1}


@dataclass(frozen=True)
class _Paper:
    """A file on its way here."""

    filename: str
    content: bytes

    async def blocks(self, size: int) -> AsyncIterator[bytes]:
        """Its bytes."""
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]


async def _arrive(desk: Desk, communication: Row) -> None:
    """The mail server takes it, and later on the provider says what became of it."""
    number = desk.fiction.random.randrange(16**8)
    await _settle("Delivery", communication, DeliveryStatus.SENT, texts.TAKEN.format(number=number), attempts=1)
    if desk.fiction.chance(0.05):
        await _settle("Bounce messages", communication, DeliveryStatus.BOUNCED, texts.BOUNCED)
    elif desk.fiction.chance(0.8):
        await _settle("Delivery reports", communication, DeliveryStatus.DELIVERED, None)


async def _settle(
    why: str, communication: Row, status: DeliveryStatus, reply: str | None, attempts: int | None = None
) -> None:
    async def work(change: Change) -> None:
        rows = await change.where(Delivery, communication_id=communication["id"])
        failed = status is DeliveryStatus.BOUNCED
        outcome = Outcome(status, clock.now(), reply, attempts=attempts, address_failed=failed)
        await settle(change, {row["id"]: outcome for row in rows})
        await outbox.remove({row["message_id"] for row in rows})

    await transact(SYSTEM, Request.new(why), work)


def _is_posted_invoice(document: Row) -> bool:
    kind, status = SalesDocumentKind.INVOICE.value, SalesDocumentStatus.POSTED.value
    return bool(document["kind"] == kind and document["status"] == status)


def _clerk(desk: Desk) -> Member:
    return desk.office.one_of(BuiltInRole.AR_CLERK, BuiltInRole.AR_MANAGER)
