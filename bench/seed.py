"""Filling a database through the recorder, many rows in a transaction."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import audit
import models
from audit import Actor, ActorKind, Change, Request
from bench import belongings, names
from bench.scale import CONTACTS_PER_CUSTOMER
from counterfoil.migrating import migrate
from models import BuiltInRole, Contact, ContactRole, Customer, Row, User, UserRole, clock
from models.identifier import new_id
from services import defaults

ADMINISTRATOR = "ada@example.com"
_START = datetime(2025, 1, 6, 8, tzinfo=UTC)
_STEP = timedelta(seconds=40)
# Rows in one transaction.
_BATCH = 1_000
# A customer, its contacts and what else belongs to it.
_ROWS_PER_CUSTOMER = 20
# The first of so many customers is the parent of the others.
_FAMILY = 10

_ROLES = (
    ("Billing", True, True),
    ("Accounts payable", True, False),
    ("Management", False, True),
    ("Site", False, False),
)
Report = Callable[[str], None]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[models.Database]:
    """The database at `url`, migrated, started and bound."""
    await migrate(url)
    database = models.connect(url)
    await database.start()
    models.bind(database)
    try:
        yield database
    finally:
        await database.stop()


async def fill(customers: int, report: Report) -> None:
    """Add what exists from the start, roles, an administrator, and `customers` with all that belongs to them. One event
    for each row; the database is bound.
    """
    with clock.set_to(_clock(0)):
        await defaults.ensure()
        chosen, _ = await audit.transact(audit.SYSTEM, Request.new(), belongings.choices)
    actor, roles = await _people()
    chance = random.Random(1)
    per_batch = _BATCH // _ROWS_PER_CUSTOMER
    parent_id: str | None = None
    for first in range(0, customers, per_batch):
        numbers = range(first, min(first + per_batch, customers))
        with clock.set_to(_clock(first * _ROWS_PER_CUSTOMER)):
            async with audit.record(actor, Request(new_id("req"), "192.0.2.10")) as change:
                for number in numbers:
                    parent_id = None if number % _FAMILY == 0 else parent_id
                    customer = await _customer(change, number, parent_id, chance)
                    parent_id = parent_id or customer["id"]
                    places = await belongings.add_locations(change, customer["id"], customer["billing_address"])
                    people = await _contacts(change, number, customer["id"], places, roles, chance)
                    await belongings.add(change, number, customer["id"], people, chosen)
        report(f"{numbers.stop:,} of {customers:,} customers")


async def lengthen(events: int, report: Report) -> None:
    """Change contacts, all in turn, until the history has exactly so many events; the database is bound."""
    database = models.current()
    actor, roles = await _people()
    ids = [row["id"] for row in await database.fetch("SELECT id FROM contact ORDER BY id")]
    last = (await database.fetch("SELECT max(seq) AS seq FROM event"))[0]["seq"]
    turn = 0
    while last < events:
        for first in range(0, len(ids), _BATCH):
            part = ids[first : min(first + _BATCH, first + events - last)]
            with clock.set_to(_clock(last)):
                async with audit.record(actor, Request(new_id("req"), "192.0.2.10")) as change:
                    rows = list((await change.every(Contact, part)).values())
                    await change.update_all(Contact, rows, _values(turn, roles))
            last = change.seqs[-1] if change.seqs else last
            report(f"{last:,} of {events:,} events")
            if last == events:
                return
        turn += 1


def _values(turn: int, roles: list[str]) -> dict[str, Any]:
    return {"role_id": roles[turn // 2 % len(roles)]} if turn % 2 else {"priority": turn}


def _clock(events: int) -> Callable[[], datetime]:
    at = _START + events * _STEP
    return lambda: at


async def _people() -> tuple[Actor, list[str]]:
    """The administrator who does everything, and the ids of all contact roles; made when they are not there."""
    with clock.set_to(_clock(0)):
        user, _ = await audit.transact(audit.SYSTEM, Request.new(), _make_people)
    roles = await models.current().fetch("SELECT id FROM contact_role ORDER BY id")
    return Actor(ActorKind.USER, user["id"], user["name"]), [role["id"] for role in roles]


async def _make_people(change: Change) -> Row:
    users = await change.where(User, email_key=ADMINISTRATOR)
    if not users:
        role = (await change.where(UserRole, built_in=BuiltInRole.ADMINISTRATOR.value))[0]
        fields = {"name": "Ada Lovelace", "email": ADMINISTRATOR, "role_id": role["id"], "active": True}
        users = [await change.insert(User, fields)]
        for name, invoices, communication in _ROLES:
            designations = {"invoice_presentment": invoices, "communication": communication, "designated_by": "USER"}
            await change.insert(ContactRole, {"name": name, **designations})
    return users[0]


async def _customer(change: Change, number: int, parent_id: str | None, chance: random.Random) -> Row:
    place = chance.choice(names.PLACES)
    name = f"{chance.choice(names.LAST_NAMES)} {chance.choice(names.TRADES)} {place} {number:05}"
    address = {"lines": [f"Market {number % 90 + 1}"], "city": place, "region": None, "postal_code": None}
    return await change.insert(
        Customer,
        {
            "name": name,
            "kind": "COMPANY",
            "methods": _methods(f"office{number}@example.com", number * 10),
            "website": f"https://{number}.example.com",
            "billing_address": {**address, "country": "CH"},
            "active": True,
            "parent_id": parent_id,
            "payment_responsibility": "TOP_LEVEL_PARENT" if number % 2 else "BUYER",
            "payment_terms": "Net 30",
            "currency": "EUR",
            "tax_id": f"CHE-{100_000_000 + number}",
        },
    )


async def _contacts(
    change: Change, number: int, customer_id: str, places: list[str], roles: list[str], chance: random.Random
) -> list[str]:
    """Its contacts, the last one at a location; their ids."""
    ids = []
    for position in range(CONTACTS_PER_CUSTOMER):
        first, last = chance.choice(names.FIRST_NAMES), chance.choice(names.LAST_NAMES)
        contact = await change.insert(
            Contact,
            {
                "customer_id": customer_id,
                "location_id": places[0] if position == CONTACTS_PER_CUSTOMER - 1 else None,
                "role_id": chance.choice([*roles, None]),
                "first_name": first,
                "last_name": last,
                "title": chance.choice(names.TITLES),
                "primary": position == 0,
                "methods": _methods(contact_email(number, position), number * 10 + position + 1),
                "active": True,
            },
        )
        ids.append(contact["id"])
    return ids


def contact_email(number: int, position: int) -> str:
    """The email address that one contact has and no other."""
    return f"contact{number}.{position}@example.com"


def _methods(email: str, number: int) -> list[dict[str, Any]]:
    values = {"EMAIL": email, "PHONE": f"+1415{number % 10_000_000:07}"}
    return [
        {"id": new_id("mth"), "kind": kind, "value": value, "label": None, "preferred": True}
        for kind, value in values.items()
    ]
