"""Sending what waits in the outbox, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from models import Database, Row, clock
from services import documents, mail
from services.mail.delivering import Delivering
from tests.audit.rows import events
from tests.services.communications.drafts import addressee, contact_at, draft, recorded


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = clock.now()

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@contextmanager
def set_clock() -> Iterator[Clock]:
    """Inside, time stands still."""
    made = Clock()
    with clock.set_to(made):
        yield made


async def deliver(sent: mail.Mail) -> None:
    """What a worker does that ends when nothing is due."""
    delivering = Delivering(sent, documents.current())
    while await delivering.round():
        pass
    await delivering.rest()


async def one(address: str = "grace@example.com", **values: Any) -> Row:
    """A delivery to a new contact that waits in the outbox."""
    _, [delivery] = await recorded(draft(addressee(await contact_at(address=address)), **values))
    return delivery


async def shared(*emails: str, **values: Any) -> list[Row]:
    """Deliveries of one message to new contacts of one customer."""
    customer_id = None
    people = []
    for address in emails:
        people.append(await contact_at(customer_id, address=address))
        customer_id = people[0]["customer_id"]
    return (await recorded(draft(*map(addressee, people), separate=False, **values)))[1]


async def state(database: Database, *deliveries: Row) -> list[Row]:
    """The deliveries as they are now; all without any, in the order in which they were made."""
    rows = await database.fetch("SELECT * FROM delivery ORDER BY created_at, id")
    wanted = {row["id"] for row in deliveries}
    return [row for row in rows if not wanted or row["id"] in wanted]


async def statuses(database: Database) -> dict[str, str]:
    """Address → status, of all deliveries."""
    return {row["email"].partition("@")[0]: row["status"] for row in await state(database)}


async def waiting(database: Database) -> list[Row]:
    """The outbox."""
    return await database.fetch("SELECT * FROM outbox_message ORDER BY message_id")


async def updates(database: Database) -> int:
    """How many events say what became of a delivery."""
    return [event["action"] for event in await events(database)].count("delivery.updated")
