"""Reading what reminders and monthly statements are about: open invoices by the steps of their workflows, customers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from models.customer import Customer
from models.database import current
from models.preference_values import steps_of
from models.reminder import windows
from models.sales_document import SalesDocument
from models.statement import Period
from models.table import Row, decode_row, read_list

_WORKFLOW = """CASE WHEN p.reminder_workflow_id IS NOT NULL OR p.reminders IS NOT NULL
    THEN p.reminder_workflow_id ELSE s.reminder_workflow_id END"""
# The latest step that was sent, whatever became of it.
_LAST = """SELECT max(x.reminder_step) FROM communication x
    WHERE x.sales_document_id = d.id AND x.reminder_step IS NOT NULL"""
_STATE = f"""
SELECT {{columns}}, w.id AS workflow_id, w.name AS workflow_name, w.steps AS workflow_steps,
    m.id AS last_id, m.reminder_step AS last_sent, m.created_at AS last_at
FROM sales_document d JOIN customer c ON c.id = d.customer_id LEFT JOIN preferences p ON p.customer_id = c.id
    CROSS JOIN settings s JOIN reminder_workflow w ON w.id = {_WORKFLOW}
    LEFT JOIN communication m ON m.sales_document_id = d.id AND m.reminder_step = ({_LAST})
"""
_OPEN = """d.kind = 'INVOICE' AND d.status = 'POSTED' AND d.balance > 0 AND d.due_on IS NOT NULL
    AND c.active AND c.merged_into_id IS NULL"""
# Materialized: without statistics PostgreSQL would compare every invoice with every window.
_DUE = f"""due (workflow_id, days, first, last) AS MATERIALIZED ({{windows}}),
open (id, due_on, workflow_id, last_sent) AS MATERIALIZED (
    SELECT d.id, d.due_on, {_WORKFLOW}, ({_LAST})
    FROM sales_document d JOIN customer c ON c.id = d.customer_id LEFT JOIN preferences p ON p.customer_id = c.id
        CROSS JOIN settings s WHERE {_OPEN} AND d.id > ?)
SELECT o.id FROM open o JOIN due ON due.workflow_id = o.workflow_id AND o.due_on BETWEEN due.first AND due.last
WHERE (o.last_sent IS NULL OR o.last_sent < due.days{{or_sent}}) ORDER BY o.id"""
_WINDOWS = {
    "postgres": "SELECT * FROM unnest(?::text[], ?::int[], ?::text[], ?::text[])",
    "sqlite": "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
}
_OR_SENT = """ OR EXISTS (SELECT 1 FROM communication m WHERE m.sales_document_id = o.id
    AND m.reminder_step = o.last_sent AND m.created_at >= ?)"""

# What went to nobody counts for whom it was meant only: a survivor has people of their own.
_SENT = """SELECT x.id FROM communication x WHERE x.customer_id = c.id AND x.statement_month = ?
    UNION ALL SELECT x.id FROM customer l JOIN communication x ON x.customer_id = l.id
    WHERE l.merged_into_id = c.id AND x.statement_month = ? AND x.suppressed IS NULL LIMIT 1"""


async def due_invoices(
    day: date, after: str, limit: int, *, exact: bool = False, with_sent: bool = True
) -> tuple[list[Row], str | None]:
    """The next open invoices, by their ids after a position, of which a reminder is due on the day (see
    models.reminder.windows for `exact`), or, `with_sent`, was sent on it; and the position to go on from, None at the
    end. The columns are those of `open_invoices`. Three statements.
    """
    bound = current()
    found = [
        (workflow["id"], window.days, window.first.isoformat(), window.last.isoformat())
        for workflow in await bound.fetch("SELECT id, steps FROM reminder_workflow")
        for window in windows(steps_of(json.loads(workflow["steps"])), day, exact=exact)
    ]
    if not found:
        return [], None
    args: list[Any] = list(map(list, zip(*found, strict=True))) if bound.dialect == "postgres" else [json.dumps(found)]
    sql = _DUE.format(windows=_WINDOWS[bound.dialect], or_sent=_OR_SENT if with_sent else "")
    sent = [_beginning(day)] if with_sent else []
    ids = [row["id"] for row in await bound.fetch(f"WITH {sql} LIMIT {limit:d}", *args, after, *sent)]
    rows = [row for row in await open_invoices(ids) if row is not None] if ids else []
    return rows, ids[-1] if len(ids) == limit else None


async def open_invoices(ids: Sequence[str]) -> list[Row | None]:
    """A loader: these invoices with the columns of their workflow (`workflow_id`, `workflow_name`, `workflow_steps`:
    decoded) and of the reminder that was sent last (`last_id`, `last_sent`: its step, `last_at`; None without any).

    None for an invoice of which no reminders are sent: paid, void, a draft, without a due date, or of a customer who
    gets none. One statement.
    """
    bound = current()
    columns = read_list(SalesDocument, "d")
    sql = f"{_STATE.format(columns=columns)} WHERE {_OPEN} AND {bound.member('d.id')}"
    found = {row["id"]: _decoded(row) for row in await bound.fetch(sql, bound.array(list(ids)))}
    return [found.get(identifier) for identifier in ids]


async def statement_customers(
    month: str, period: Period, day: date, after: str, limit: int, *, with_sent: bool = True
) -> list[Row]:
    """The next customers, by their ids after a position, who get the statement of the month and have not got it, or,
    `with_sent`, got it on the day: those of whom something was open in the period, or happened in it. What somebody
    got who was merged into them since, they have got. One statement.

    With the columns of the customer and `sent_id`: the communication that it was, None when it was not sent.
    """
    bound = current()
    first, last = period.first.isoformat(), period.last.isoformat()
    or_sent = " OR m.created_at >= ?" if with_sent else ""
    sql = (
        _customers()
        + f""" AND coalesce(p.monthly_statement, s.monthly_statement) AND (m.id IS NULL{or_sent})
        AND c.id > ? AND EXISTS (SELECT 1 FROM sales_document t WHERE t.customer_id = c.id AND t.kind = 'INVOICE'
            AND t.status IN ('POSTED', 'PAID') AND t.issued_on <= ? AND (t.balance > 0 OR t.issued_on >= ?
            OR EXISTS (SELECT 1 FROM payment y WHERE y.sales_document_id = t.id AND y.received_on >= ?)))"""
        + f" ORDER BY c.id LIMIT {limit:d}"
    )
    sent = [_beginning(day)] if with_sent else []
    rows = await bound.fetch(sql, month, month, *sent, after, last, first, first)
    return [decode_row(Customer, row) for row in rows]


async def statements_due(ids: Sequence[str], month: str) -> list[Row]:
    """Those of these customers who get the statement of the month and have not got it: as `statement_customers`."""
    bound = current()
    sql = (
        f"{_customers()} AND coalesce(p.monthly_statement, s.monthly_statement) AND m.id IS NULL"
        f" AND {bound.member('c.id')} ORDER BY c.id"
    )
    return [decode_row(Customer, row) for row in await bound.fetch(sql, month, month, bound.array(list(ids)))]


def _customers() -> str:
    return f"""SELECT {read_list(Customer, "c")}, m.id AS sent_id
        FROM customer c LEFT JOIN preferences p ON p.customer_id = c.id CROSS JOIN settings s
        LEFT JOIN communication m ON m.id = ({_SENT})
        WHERE c.active AND c.merged_into_id IS NULL"""


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _decoded(row: Row) -> Row:
    row["workflow_steps"] = steps_of(json.loads(row["workflow_steps"]))
    return row
