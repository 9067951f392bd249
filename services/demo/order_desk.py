"""What the demo's order desk does: quotes, orders and invoices, who placed them, and the payments for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from audit import Change
from models import (
    BuiltInRole,
    Contact,
    ContactPolicy,
    PaymentMethod,
    Row,
    SalesDocumentKind,
    SalesDocumentStatus,
    clock,
    money,
)
from services import notes, order_desk, order_passwords, payments, preferences, sales_documents
from services.demo import texts
from services.demo.activities import Activity
from services.demo.desk import Desk
from services.demo.office import Member

_CURRENCIES = {"US": "USD", "GB": "GBP", "DE": "EUR", "FR": "EUR"}
_RELEASED, _POSTED = SalesDocumentStatus.RELEASED.value, SalesDocumentStatus.POSTED.value


async def write_quote(desk: Desk) -> None:
    """Somebody asks for a price, and gets it."""
    quote = await _write(desk, SalesDocumentKind.QUOTE)
    if desk.fiction.chance(0.8):
        await _clerk(desk).act(lambda change: order_desk.release(change, quote["id"], None))


async def take_order(desk: Desk) -> None:
    """Somebody orders; most orders go to the warehouse at once."""
    order = await _write(desk, SalesDocumentKind.ORDER)
    if desk.fiction.chance(0.8):
        desk.documents.append(await _clerk(desk).act(lambda change: order_desk.release(change, order["id"], None)))


async def send_invoice(desk: Desk) -> None:
    """An invoice is written and posted."""
    invoice = await _write(desk, SalesDocumentKind.INVOICE)
    if desk.fiction.chance(0.9):
        acknowledge = invoice["contact_id"] is None
        desk.documents.append(
            await _clerk(desk).act(lambda change: order_desk.post(change, invoice["id"], None, acknowledge=acknowledge))
        )


async def post_order(desk: Desk) -> None:
    """An order was delivered."""
    orders = [document for document in desk.documents if document["status"] == _RELEASED]
    order = await _identified(desk, orders[0]) if orders else None
    if order is None:
        return await take_order(desk)
    row = await _clerk(desk).act(lambda change: order_desk.post(change, order["id"], None, acknowledge=True))
    _replace(desk, row)
    return None


async def receive_payment(desk: Desk) -> None:
    """Money arrives: all of it, or half."""
    open_ones = [document for document in desk.documents if document["balance"] and document["status"] == _POSTED]
    invoices = [document for document in open_ones if document["kind"] == SalesDocumentKind.INVOICE.value]
    random = desk.fiction.random
    invoice = await _identified(desk, random.choice(invoices)) if invoices else None
    if invoice is None:
        return await send_invoice(desk)
    part = invoice["balance"] if desk.fiction.chance(0.7) else -(-invoice["balance"] // 2)
    given = {
        "amount": money.decimal(part, invoice["currency"]),
        "method": random.choice(list(PaymentMethod)),
        "reference": f"{random.randint(100_000, 999_999)}" if desk.fiction.chance(0.6) else None,
    }

    async def work(change: Change) -> Row:
        return (await payments.record(change, invoice["id"], None, given, acknowledge=True))[1]

    _replace(desk, await _clerk(desk).act(work))
    return None


async def annotate_document(desk: Desk) -> None:
    """Something about an invoice that is nobody else's business."""
    if not desk.documents:
        return await send_invoice(desk)
    document = desk.fiction.random.choice(desk.documents)
    given = {"subject_id": document["id"], "body": desk.fiction.random.choice(texts.DOCUMENT_NOTES)}
    await _clerk(desk).act(lambda change: notes.create(change, given))
    return None


# How often they happen, beside each other.
OFTEN: Mapping[Activity, int] = {
    write_quote: 3,
    take_order: 4,
    send_invoice: 6,
    post_order: 2,
    receive_payment: 4,
    annotate_document: 1,
}


async def _write(desk: Desk, kind: SalesDocumentKind) -> Row:
    """A draft for somebody's customer; mostly that person placed it."""
    random = desk.fiction.random
    person = random.choice(desk.people)
    policy = await _policy(desk, person["customer_id"])
    anonymous = kind is not SalesDocumentKind.ORDER and desk.fiction.chance(0.2)
    named = policy is ContactPolicy.REQUIRED_WITH_PASSWORD or not anonymous
    today = clock.now().date()
    given: dict[str, Any] = {
        "customer_id": person["customer_id"],
        "kind": kind,
        "number": f"{kind.value[0]}-{next(desk.numbers)}",
        "location_id": person["location_id"],
        "issued_on": today,
        "due_on": _due(kind, today),
        "currency": _CURRENCIES[desk.profiles[person["customer_id"]].country],
        "amount": f"{random.randint(40, 9_000)}.{random.randint(0, 99):02}",
        **(await _said(desk, person["id"], policy) if named else {}),
    }
    return await _clerk(desk).act(lambda change: sales_documents.create(change, given))


async def _identified(desk: Desk, document: Row) -> Row | None:
    """The document with the contact that the policy of today demands; None when nobody there can be asked."""
    policy = await _policy(desk, document["customer_id"])
    if policy is not ContactPolicy.REQUIRED_WITH_PASSWORD:
        return document
    people = [person for person in desk.people if person["customer_id"] == document["customer_id"]]
    if not people:
        return None
    given = await _said(desk, people[0]["id"], policy)
    return await _clerk(desk).act(lambda change: order_desk.apply_contact(change, document["id"], None, given))


async def _said(desk: Desk, contact_id: str, policy: ContactPolicy) -> dict[str, Any]:
    """Who places a document, with the order password where one is demanded; it is set when there is none yet."""
    if policy is not ContactPolicy.REQUIRED_WITH_PASSWORD:
        return {"contact_id": contact_id}
    hashed = desk.order_password_hash

    async def work(change: Change) -> None:
        if (await change.read(Contact, contact_id))["order_password_hash"] is None:
            await order_passwords.set_hash(change, contact_id, None, hashed)

    await desk.manager.act(work)
    return {"contact_id": contact_id, "order_password": texts.SAID_WHEN_ORDERING, "verified_hash": hashed}


async def _policy(desk: Desk, customer_id: str) -> ContactPolicy:
    held = await _clerk(desk).act(lambda change: preferences.effective(change, customer_id))
    return ContactPolicy(held["contact_policy"])


def _due(kind: SalesDocumentKind, today: date) -> date | None:
    return today + timedelta(days=30) if kind is SalesDocumentKind.INVOICE else None


def _clerk(desk: Desk) -> Member:
    return desk.office.one_of(BuiltInRole.ORDER_DESK)


def _replace(desk: Desk, row: Row) -> None:
    desk.documents[:] = [row if document["id"] == row["id"] else document for document in desk.documents]
