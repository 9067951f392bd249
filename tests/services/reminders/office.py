"""An office that sends reminders: customers, invoices and payments, made by services, while the tests set the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, TypeVar

from audit import SYSTEM, Change, Request, transact
from models import CommunicationKind, ContactMethodKind, PaymentMethod, Row, SalesDocumentKind, Template, clock, current
from models.template_rows import standard_template
from services import (
    contact_roles,
    contacts,
    customers,
    defaults,
    order_desk,
    payments,
    preferences,
    reminder_workflows,
    sales_documents,
)

T = TypeVar("T")

START = date(2027, 1, 1)

_numbers = count(1)


@contextmanager
def on(day: date) -> Iterator[None]:
    """Early in the morning of that day (UTC), by the product's clock; time goes on with each look at it."""
    looks = count()
    with clock.set_to(lambda: datetime.combine(day, time(4), UTC) + timedelta(milliseconds=next(looks))):
        yield


async def act(work: Callable[[Change], Awaitable[T]]) -> T:
    """What somebody does in a transaction of its own."""
    return (await transact(SYSTEM, Request.new(), work))[0]


async def opened(*days: int, **settings: Any) -> Row:
    """Everything that exists from the start, and a workflow with these days for all customers; the workflow."""
    await defaults.ensure()
    made = await workflow(*days)
    await act(
        lambda change: preferences.update_settings(change, None, {"reminders": {"workflow_id": made["id"]}, **settings})
    )
    return made


async def workflow(*days: int, **each: Any) -> Row:
    """A workflow with these days; `each` is said of every step."""
    steps = [{"days": day, **each} for day in days]
    named = {"name": f"Workflow {next(_numbers)}", "steps": steps}
    return await act(lambda change: reminder_workflows.create(change, named))


async def customer(people: int = 1, **overrides: Any) -> str:
    """A customer with so many people who get reminders, and what they override; the id."""

    async def work(change: Change) -> str:
        number = next(_numbers)
        row = await customers.create(change, {"name": f"Customer {number}"})
        role = await contact_roles.create(change, {"name": f"Role {number}", "communication": True})
        for _ in range(people):
            number = next(_numbers)
            methods = [{"kind": ContactMethodKind.EMAIL, "value": f"person.{number}@example.com"}]
            given = {"customer_id": row["id"], "role_id": role["id"], "last_name": f"Person {number}"}
            await contacts.create(change, {**given, "methods": methods})
        if overrides:
            await preferences.override(change, row["id"], None, overrides)
        return str(row["id"])

    return await act(work)


async def invoice(customer_id: str, due_on: date | None, *, posted: bool = True, **fields: Any) -> str:
    """A posted invoice over 500.00 EUR; the id."""

    async def work(change: Change) -> str:
        kind = {"kind": SalesDocumentKind.INVOICE, "number": f"I-{next(_numbers)}", "currency": "EUR"}
        given = {"customer_id": customer_id, **kind, "amount": "500.00", "issued_on": date(2026, 12, 1), **fields}
        row = await sales_documents.create(change, {**given, "due_on": due_on})
        if posted:
            await order_desk.post(change, row["id"], None, acknowledge=False)
        return str(row["id"])

    return await act(work)


async def pay(invoice_id: str, amount: str = "500.00") -> None:
    """Money arrives for the invoice."""
    given = {"amount": amount, "method": PaymentMethod.TRANSFER}
    await act(lambda change: payments.record(change, invoice_id, None, given, acknowledge=False))


async def set_standard(kind: CommunicationKind, **fields: Any) -> None:
    """Change the standard template of the kind."""

    async def work(change: Change) -> None:
        row = await change.get(Template, (await standard_template(kind))["id"])
        await change.update(Template, row, fields)

    await act(work)


async def sent(*columns: str) -> list[tuple[Any, ...]]:
    """These columns of all communications, in the order of their days and ids."""
    rows = await current().fetch("SELECT * FROM communication ORDER BY created_at, id")
    return [tuple(row[column] for column in columns) for row in rows]


async def reminders_sent() -> set[tuple[str, int, date]]:
    """Each reminder: invoice, step, day. Fails when one was sent twice."""
    found = await sent("sales_document_id", "reminder_step", "created_at")
    told = [(document, step, at.date()) for document, step, at in found if step is not None]
    assert len({entry[:2] for entry in told}) == len(told)
    return set(told)


def oracle(
    days: Sequence[int], due_on: date, running: Sequence[date], posted: date, paid: date | None
) -> list[tuple[int, date]]:
    """Which steps go out when: the rule word by word, over the days on which a worker runs."""
    found: list[tuple[int, date]] = []
    for day in running:
        if day < posted or (paid is not None and day >= paid):
            continue
        age = (day - due_on).days
        latest = max((step for step in days if step <= age), default=None)
        if latest is None or latest < 0 < age or any(step >= latest for step, _ in found):
            continue
        found.append((latest, day))
    return found
