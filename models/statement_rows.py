"""Reading what statements are made of, for many customers at once, and the payments of sales documents."""

from __future__ import annotations

from collections.abc import Sequence

from models.customer import Customer
from models.database import current
from models.rows import by_ids
from models.sales_document import Payment
from models.statement import Period, Statement, statement
from models.table import Row, read_list

# Without the invoices that were settled before the period: years of them add up to nothing.
_INVOICES = """
SELECT t.id, t.customer_id, t.number, t.issued_on, t.due_on, t.currency, t.amount, t.balance FROM sales_document t
WHERE {members} AND t.kind = 'INVOICE' AND t.status IN ('POSTED', 'PAID') AND t.issued_on <= ?
AND (t.balance > 0 OR t.issued_on >= ?
    OR EXISTS (SELECT 1 FROM payment p WHERE p.sales_document_id = t.id AND p.received_on >= ?))
"""
_PAYMENTS = """
SELECT p.sales_document_id, p.amount, p.received_on, p.method, p.reference FROM payment p
WHERE {members} AND p.received_on <= ?
"""


async def statements(customer_ids: Sequence[str], period: Period) -> list[Statement | None]:
    """The customers' statements, in their order; None for an id that nobody has. Three SQL statements.

    Of customers who were merged into another one there is nothing to tell: the other one has their invoices.
    """
    bound = current()
    customers = await by_ids(Customer)(customer_ids)
    first, last = period.first.isoformat(), period.last.isoformat()
    found = await bound.fetch(
        _INVOICES.format(members=bound.member("t.customer_id")), bound.array(list(customer_ids)), last, first, first
    )
    ids = bound.array([invoice["id"] for invoice in found])
    paid = await bound.fetch(_PAYMENTS.format(members=bound.member("p.sales_document_id")), ids, last) if found else []
    invoices: dict[str, list[Row]] = {}
    payments: dict[str, list[Row]] = {}
    customer_of = {invoice["id"]: invoice["customer_id"] for invoice in found}
    for invoice in found:
        invoices.setdefault(invoice["customer_id"], []).append(invoice)
    for payment in paid:
        payments.setdefault(customer_of[payment["sales_document_id"]], []).append(payment)

    def of(customer: Row) -> Statement:
        identifier = customer["id"]
        return statement(customer, period, invoices.get(identifier, ()), payments.get(identifier, ()))

    return [None if customer is None else of(customer) for customer in customers]


async def payments_of(sales_document_ids: Sequence[str]) -> list[list[Row]]:
    """A loader: all payments of each sales document, by day. One statement."""
    bound = current()
    sql = f"SELECT {read_list(Payment)} FROM payment WHERE {bound.member('sales_document_id')} ORDER BY received_on, id"
    found: dict[str, list[Row]] = {}
    for row in await bound.fetch(sql, bound.array(list(sales_document_ids))):
        found.setdefault(row["sales_document_id"], []).append(row)
    return [found.get(identifier, []) for identifier in sales_document_ids]
