"""Rows of every audited table with defaults, and who writes them in the tests of the recorder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeVar

import audit
from audit.event import read_disclosures
from models import (
    ApiKey,
    Assignment,
    Audited,
    Communication,
    Contact,
    ContactRole,
    Customer,
    Database,
    Delivery,
    Document,
    Location,
    Note,
    Payment,
    Preferences,
    Purpose,
    ReminderWorkflow,
    Row,
    SalesDocument,
    Settings,
    Template,
    User,
    UserRole,
    clock,
)
from models.preference_values import steps_of
from models.preferences import SETTINGS_ID, preferences_id

T = TypeVar("T")

ADA = audit.Actor(audit.ActorKind.USER, "usr_01kwef3q8seemv6gzaf2w8kdhe", "Ada Example")

_OF_CUSTOMERS = (Location, Contact, SalesDocument, Note, Document, Preferences, Communication)

_numbers = count(1)


def defaults(table: type[Audited]) -> Row:
    """Values for the columns that must have one; names are new each time."""
    number = next(_numbers)
    values: dict[type[Audited], Row] = {
        UserRole: {"name": f"Role {number}", "permissions": ["CUSTOMERS_READ"]},
        User: {"name": f"User {number}", "email": f"user{number}@example.com", "active": True},
        ApiKey: {"name": f"Key {number}", "permissions": [], "token_hash": f"hash {number}"},
        ContactRole: {
            "name": f"Contact role {number}",
            "invoice_presentment": True,
            "communication": False,
            "designated_by": "USER",
        },
        Customer: {"name": f"Bäckerei {number}", "kind": "COMPANY", "methods": [], "active": True},
        Location: {"name": f"Place {number}"},
        Contact: {"last_name": f"Person {number}", "methods": [], "active": True, "primary": False},
        ReminderWorkflow: {"name": f"Workflow {number}", "steps": steps_of([-3, 0, 7])},
        Settings: {
            "id": SETTINGS_ID,
            "monthly_statement": False,
            "online_payments": {"enabled": True, "disabled_until": None},
            "customer_portal": True,
            "card": {"enabled": False, "surcharge_basis_points": 0},
            "ach": {"enabled": False, "discount_basis_points": 0},
            "contact_policy": "NOT_REQUIRED",
        },
        Preferences: {"monthly_statement": True},
        SalesDocument: {
            "kind": "INVOICE",
            "number": str(number),
            "status": "POSTED",
            "issued_on": "2026-01-31",
            "currency": "EUR",
            "amount": 50_000,
            "balance": 50_000,
            "contact_verified": False,
        },
        Payment: {"amount": 12_000, "currency": "EUR", "received_on": "2026-02-01", "method": "CHECK"},
        Purpose: {"name": f"Purpose {number}", "single": False},
        Assignment: {"reference_type": "job", "reference_id": f"{number}", "reference_label": f"Job {number}"},
        Note: {"body": f"Called {number} times", "pinned": False, "author_kind": "USER", "author_name": "Ada Example"},
        Document: {
            "name": f"Letter {number}.txt",
            "size": number,
            "sha256": f"{number:064x}",
            "media_type": "text/plain",
            "uploader_kind": "USER",
            "uploader_name": "Ada Example",
        },
        Template: {
            "kind": "INVOICE",
            "name": f"Template {number}",
            "standard": False,
            "enabled": True,
            "subject_source": "Invoice {{ sales_document.number }}",
            "text_source": f"Text {number}",
        },
        Communication: {
            "kind": "STATEMENT",
            "subject_line": f"Statement {number}",
            "sent_by": {"kind": "USER", "id": ADA.id, "name": ADA.name},
            "separate": True,
            "attachments": [],
        },
        Delivery: {
            "name": f"Person {number}",
            "email": f"Person{number}@example.com",
            "field": "TO",
            "chosen": "RULE",
            "reasons": ["DESIGNATED"],
            "message_id": f"{number}@example.com",
            "subject_line": f"Statement {number}",
            "text": f"Dear Person {number}",
            "status": "QUEUED",
            "status_at": clock.now(),
            "attempts": 0,
            "may_repeat": False,
            "about_sales": True,
        },
    }
    return values[table]


def email(value: str) -> Row:
    """A preferred email address, as in the column `methods`."""
    return {"id": "mth_1", "kind": "EMAIL", "value": value, "label": None, "preferred": True}


async def insert(change: audit.Change, table: type[Audited], **values: Any) -> Row:
    """A new row; the customer or the user that it needs is made, too, unless it is given."""
    row = {**defaults(table), **values}
    if table is Payment and "sales_document_id" not in row:
        document = await insert(change, SalesDocument)
        row.update(sales_document_id=document["id"], customer_id=document["customer_id"])
    if table is Delivery and "communication_id" not in row:
        communication = await insert(change, Communication)
        row.update(communication_id=communication["id"], customer_id=communication["customer_id"])
    if table in _OF_CUSTOMERS and "customer_id" not in row:
        row["customer_id"] = (await insert(change, Customer))["id"]
    if table is Assignment:
        contact = await insert(change, Contact)
        made = {"customer_id": contact["customer_id"], "contact_id": contact["id"]}
        row = {**made, "purpose_id": (await insert(change, Purpose))["id"], **row}
    if table is ApiKey and "created_by" not in row:
        row["created_by"] = (await insert(change, User))["id"]
    if table is Preferences:
        row["id"] = preferences_id(row["customer_id"])
    return await change.insert(table, row)


async def by_ada(work: Callable[[audit.Change], Awaitable[T]], reason: str | None = None) -> tuple[T, list[int]]:
    """What Ada does in one transaction: the result of `work`, and the numbers of the events."""
    return await audit.transact(ADA, audit.Request.new(reason), work)


async def new(table: type[Audited], **values: Any) -> Row:
    """A row made by Ada in a transaction of its own."""
    row, _ = await by_ada(lambda change: insert(change, table, **values))
    return row


async def updated(table: type[Audited], row: Row, **values: Any) -> tuple[Row, list[int]]:
    """The row after Ada's update, and the numbers of the events."""

    async def work(change: audit.Change) -> Row:
        return await change.update(table, await change.get(table, row["id"]), values)

    return await by_ada(work)


async def deleted(table: type[Audited], row: Row) -> list[int]:
    """Delete the row as Ada; the numbers of the events."""

    async def work(change: audit.Change) -> None:
        await change.delete(table, await change.get(table, row["id"]))

    return (await by_ada(work))[1]


async def events(database: Database) -> list[Row]:
    """All events, oldest first."""
    return await database.fetch("SELECT * FROM event ORDER BY seq")


async def disclosed(database: Database, seq: int) -> dict[str, dict[str, Any]]:
    """What an event discloses: about → name → value."""
    rows = await database.fetch("SELECT about, disclosures FROM event_detail WHERE seq = ?", seq)
    return {row["about"]: dict(read_disclosures(row["disclosures"])) for row in rows}
