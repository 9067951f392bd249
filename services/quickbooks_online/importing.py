"""Bringing what QuickBooks Online says into the database: customers and their Company Contacts.

QuickBooks has no contacts of its own: the person of a customer is a contact here, with the customer's Id as its
external id. Where QuickBooks stops naming a person, email or phone, the contact is deactivated, not removed: history,
notes and uses point to it. A primary one hands over to the oldest other active contact, customer contacts first. When
QuickBooks names somebody again, the contact that it had lost is active again. An inactive customer's contacts stay as
they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from audit import Actor, ActorKind, Change, Request, transact
from models import AccountingSystem, Contact, Customer, CustomerKind, Fault, Row, WellKnownRole
from services import contacts, customers
from services.contact_roles import designate_by_sync
from services.quickbooks_online.customer_query import CustomerRecord, Problem, Reading

SYSTEM = AccountingSystem.QUICKBOOKS_ONLINE.value
ACTOR = Actor(ActorKind.ACCOUNTING, SYSTEM, "QuickBooks Online")

# So many records in one transaction.
BATCH = 100


@dataclass(frozen=True)
class ImportResult:
    """How many customers were created, updated (they or their contact) and unchanged, and what was not taken over."""

    created: int
    updated: int
    unchanged: int
    problems: list[Problem]


class _Outcome(Enum):
    CREATED = auto()
    UPDATED = auto()
    UNCHANGED = auto()
    MERGED = auto()


def _unseen(done: int, total: int) -> None:
    """What progress is told to when nobody watches."""


async def apply(reading: Reading, report: Callable[[int, int], None] = _unseen) -> ImportResult:
    """Create and update what `reading` holds. `report` is called with the customers that are done and their number.

    A record that is refused becomes a problem and leaves nothing behind; all others stay.
    """
    request = Request.new("Import of a Customer query")
    problems = list(reading.problems)
    outcomes: Counter[_Outcome] = Counter()
    role_id = await _company_contact_role(request) if reading.customers else ""
    for start in range(0, len(reading.customers), BATCH):
        records = reading.customers[start : start + BATCH]
        outcomes.update(await _apply_batch(request, records, role_id, problems))
        report(start + len(records), len(reading.customers))
    return ImportResult(outcomes[_Outcome.CREATED], outcomes[_Outcome.UPDATED], outcomes[_Outcome.UNCHANGED], problems)


async def _company_contact_role(request: Request) -> str:
    async def work(change: Change) -> Row:
        return await designate_by_sync(change, WellKnownRole.COMPANY_CONTACT)

    role, _ = await transact(ACTOR, request, work)
    return str(role["id"])


async def _apply_batch(
    request: Request, records: Sequence[CustomerRecord], role_id: str, problems: list[Problem]
) -> list[_Outcome]:
    """All records in one transaction; when one is refused, each in its own."""

    async def work(change: Change) -> list[_Outcome]:
        # Two imports at once would both create what is new.
        await change.lock(f"import {SYSTEM}")
        return [await _apply(change, record, role_id) for record in records]

    try:
        outcomes, _ = await transact(ACTOR, request, work)
    except Fault as fault:
        if len(records) == 1:
            problems.append(_problem(records[0], fault))
            return []
        return [outcome for record in records for outcome in await _apply_batch(request, [record], role_id, problems)]
    problems += [
        _merged(record) for record, outcome in zip(records, outcomes, strict=True) if outcome is _Outcome.MERGED
    ]
    return outcomes


def _merged(record: CustomerRecord) -> Problem:
    return Problem(
        record.external_id, "Not imported: this customer was merged into another one here. Merge them there, too."
    )


def _problem(record: CustomerRecord, fault: Fault) -> Problem:
    at = ".".join(map(str, fault.field or ()))
    return Problem(record.external_id, f"Not imported: {fault.message}" + (f" ({at})" if at else ""))


async def _apply(change: Change, record: CustomerRecord, role_id: str) -> _Outcome:
    external_id = record.external_id
    row = _only(await change.where(Customer, origin_system=SYSTEM, origin_external_id=external_id))
    if row is None:
        customer = await customers.create(change, {**_customer(record), **_origin(record)})
        await _apply_contact(change, record, customer, None, role_id)
        return _Outcome.CREATED
    if row["merged_into_id"] is not None:
        return _Outcome.MERGED
    contacts_known = await change.where(
        Contact, customer_id=row["id"], origin_system=SYSTEM, origin_external_id=external_id
    )
    known = _only(contacts_known)
    gone = {"contact_gone": True} if known is not None and record.contact is None else {}
    customer = await customers.update(change, row["id"], None, _customer(record, **gone))
    contact = await _apply_contact(change, record, row, known, role_id)
    return _Outcome.UNCHANGED if (customer, contact) == (row, known) else _Outcome.UPDATED


async def _apply_contact(
    change: Change, record: CustomerRecord, customer_before: Row, known: Row | None, role_id: str
) -> Row | None:
    if record.contact is None:
        return known if known is None or not known["active"] else await _let_go(change, known)
    given: dict[str, Any] = {
        "first_name": record.contact.first_name,
        "last_name": record.contact.last_name,
        "methods": record.contact.methods,
    }
    if known is None:
        given |= {"customer_id": customer_before["id"], "role_id": role_id, **_origin(record)}
        return await contacts.create(change, given)
    if customer_before["accounting"].get("contact_gone"):
        given["active"] = True
    return await contacts.update(change, known["id"], None, given)


async def _let_go(change: Change, contact: Row) -> Row:
    successor_id = None
    if contact["primary"]:
        others = await change.where(Contact, customer_id=contact["customer_id"], active=True)
        # Ids ascend in time.
        others = sorted(others, key=lambda other: (other["location_id"] is not None, other["id"]))
        successor_id = next((other["id"] for other in others if other["id"] != contact["id"]), None)
    return await contacts.update(change, contact["id"], None, {"active": False}, successor_id)


def _origin(record: CustomerRecord) -> dict[str, str]:
    return {"origin_system": SYSTEM, "origin_external_id": record.external_id}


def _customer(record: CustomerRecord, **further_facts: bool) -> dict[str, Any]:
    return {
        "name": record.name,
        "kind": CustomerKind(record.kind),
        "methods": record.methods,
        "website": record.website,
        "billing_address": record.billing_address,
        "shipping_address": record.shipping_address,
        "payment_terms": record.facts["payment_terms_name"],
        "currency": record.facts["currency"],
        "active": record.active,
        "accounting": {**record.facts, **further_facts},
    }


def _only(rows: Sequence[Row]) -> Row | None:
    # A customer's origin is unique, a contact's within its customer.
    return rows[0] if rows else None
