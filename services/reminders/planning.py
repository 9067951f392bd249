"""Planning: which reminders and monthly statements are due on a day, to whom, and why. Running does what this says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from models import CommunicationKind, Customer, Row, Settings, Template
from models.preferences import SETTINGS_ID
from models.recipient_rows import decisions
from models.reminder import due_step
from models.reminder_rows import due_invoices, open_invoices, statement_customers, statements_due
from models.rows import by_ids
from models.statement import Period, Statement, month_period
from models.statement_rows import statements
from models.table import decode_row
from services import templates
from services.reminders.item import Item

REMINDERS, STATEMENTS = 0, 1
# Reminders or statements, and the id after which they go on.
Position = tuple[int, str]
BEGINNING: Position = (REMINDERS, "")

_REMINDER = CommunicationKind.WORKFLOW_REMINDER
_STATEMENT = CommunicationKind.STATEMENT
# So many times a page reads on for one that would otherwise be short: customers with nothing to state are left out.
_ROUNDS = 4


async def page(
    day: date, today: date, first: int, after: Position | None = None, *, with_sent: bool = True
) -> tuple[list[Item], Position | None]:
    """The next items of a day, at most `first`, and the position to go on from; None at the end.

    Reminders come first, by the ids of their invoices, then statements, by the ids of the customers. Of today, with
    `with_sent`, also what was sent already. On a later day only what falls on it: what falls on a day before will have
    gone out. A page may be short, even empty, and not be the last one. Whatever the rows, it takes as many statements
    for as many rounds.
    """
    found: list[Item] = []
    position: Position | None = after or BEGINNING
    for _ in range(_ROUNDS):
        if position is None or len(found) == first:
            break
        items, position = await _next(day, position, first - len(found), exact=day > today, with_sent=with_sent)
        found += items
    return found, position


async def _next(
    day: date, after: Position, limit: int, *, exact: bool, with_sent: bool
) -> tuple[list[Item], Position | None]:
    stage, position = after
    if stage == REMINDERS:
        rows, last = await due_invoices(day, position, limit, exact=exact, with_sent=with_sent)
        items = await _reminders(rows, day, exact=exact)
        return items, ((REMINDERS, last) if last is not None else (STATEMENTS, ""))
    if exact and day.day != 1:
        return [], None
    period = ended_month(day)
    rows = await statement_customers(_month(period), period, day, position, limit, with_sent=with_sent)
    items = await _statements(rows, day, period)
    return items, ((STATEMENTS, rows[-1]["id"]) if len(rows) == limit else None)


async def again(items: Sequence[Item]) -> dict[str, Item]:
    """The same items as they are due now, by their keys; without those that are not due any more.

    All are of one day, and either reminders or statements. In a transaction that has locked what they are about,
    nothing changes any more what it finds there.
    """
    keys, day = [item.key for item in items], items[0].day
    if items[0].invoice is not None:
        rows = [row for row in await open_invoices(keys) if row is not None]
        found = await _reminders(rows, day, exact=False)
    else:
        period = ended_month(day)
        found = await _statements(await statements_due(keys, _month(period)), day, period)
    return {item.key: item for item in found if item.sent_id is None}


def ended_month(day: date) -> Period:
    """The month that has ended before the day."""
    return month_period(f"{day.replace(day=1) - timedelta(days=1):%Y-%m}", day)


def _month(period: Period) -> str:
    return period.last.isoformat()[:7]


async def _reminders(rows: Sequence[Row], day: date, *, exact: bool) -> list[Item]:
    if not rows:
        return []
    steps = {
        row["id"]: due_step(
            row["workflow_steps"], date.fromisoformat(row["due_on"]), day, row["last_sent"], exact=exact
        )
        for row in rows
    }
    customer_ids = list(dict.fromkeys(row["customer_id"] for row in rows))
    customers = {row["id"]: decode_row(Customer, row) for row in await by_ids(Customer)(customer_ids) if row}
    about = await _about(customers, _REMINDER)
    wanted = {step["template_id"] for step in steps.values() if step is not None and step["template_id"] is not None}
    own = {row["id"]: row for row in await by_ids(Template)(sorted(wanted)) if row} if wanted else {}
    attached = {row["customer_id"] for row in rows if (steps[row["id"]] or {}).get("attach_statement")}
    stated = await _stated(sorted(attached), Period(day.replace(day=1), day))
    items = []
    for row in rows:
        step, common = steps[row["id"]], _common(row, customers, about, day)
        if step is not None:
            template = own.get(step["template_id"], about["template"])
            decided = [decision.at(row["location_id"]) for decision in about["decisions"][row["customer_id"]]]
            statement = stated.get(row["customer_id"]) if step["attach_statement"] else None
            items.append(Item(**common, step=step, template=template, decisions=decided, statement=statement))
        elif row["last_at"] is not None and row["last_at"].date() == day:
            items.append(Item(**common, step={"days": row["last_sent"]}, sent_id=row["last_id"]))
    return items


def _common(row: Row, customers: dict[str, Row], about: dict[str, Any], day: date) -> dict[str, Any]:
    return {
        "kind": _REMINDER,
        "day": day,
        "customer": customers[row["customer_id"]],
        "settings": about["settings"],
        "invoice": row,
        "workflow": row["workflow_name"],
    }


async def _statements(rows: Sequence[Row], day: date, period: Period) -> list[Item]:
    """Without the customers to whom there is nothing to tell."""
    if not rows:
        return []
    sent = {row["id"]: row["sent_id"] for row in rows}
    customers = {row["id"]: {name: row[name] for name in row if name != "sent_id"} for row in rows}
    stated = await _stated([identifier for identifier in customers if sent[identifier] is None], period)
    about = await _about(customers, _STATEMENT)
    items = []
    for identifier, customer in customers.items():
        common = {"kind": _STATEMENT, "day": day, "customer": customer, "settings": about["settings"]}
        month = _month(period)
        if sent[identifier] is not None:
            items.append(Item(**common, month=month, sent_id=sent[identifier]))
        elif identifier in stated:
            decided = about["decisions"][identifier]
            statement = stated[identifier]
            items.append(
                Item(**common, month=month, template=about["template"], decisions=decided, statement=statement)
            )
    return items


async def _about(customers: dict[str, Row], kind: CommunicationKind) -> dict[str, Any]:
    """What items of a kind are made of: settings, the standard template, and decisions by customer."""
    [settings] = await by_ids(Settings)([SETTINGS_ID])
    if settings is None:
        raise RuntimeError("there are no settings")
    ids = list(customers)
    return {
        "settings": decode_row(Settings, settings),
        "template": await templates.standard(kind),
        "decisions": dict(zip(ids, await decisions(ids, kind), strict=True)),
    }


async def _stated(customer_ids: Sequence[str], period: Period) -> dict[str, Statement]:
    """The statements in which there is something to tell, by customer."""
    found = await statements(customer_ids, period) if customer_ids else []
    return {made.customer["id"]: made for made in found if made is not None and made.sections}
