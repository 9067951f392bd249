"""The tree of customers: who pays for whom, and who stands above whom."""

from __future__ import annotations

from collections.abc import Sequence

from models.customer import Customer
from models.database import current
from models.table import Row, column_list

# Each customer climbs as far as its own payment responsibility says; UNION ends a circle that was forced past us.
_PAYERS = f"""
WITH RECURSIVE climb (start, id, next, responsibility) AS (
    SELECT c.id, c.id, CASE WHEN c.payment_responsibility <> 'BUYER' THEN c.parent_id END, c.payment_responsibility
    FROM customer c WHERE {{member}}
    UNION
    SELECT climb.start, p.id, CASE WHEN climb.responsibility = 'TOP_LEVEL_PARENT' THEN p.parent_id END,
        climb.responsibility
    FROM climb JOIN customer p ON p.id = climb.next
)
SELECT climb.start, {column_list(Customer, "c")}
FROM climb JOIN customer c ON c.id = climb.id WHERE climb.next IS NULL"""

_ABOVE = """
WITH RECURSIVE above (id, parent_id) AS (
    SELECT c.id, c.parent_id FROM customer c WHERE c.id = ?
    UNION
    SELECT p.id, p.parent_id FROM above JOIN customer p ON p.id = above.parent_id
)
SELECT id FROM above"""


async def payers(customer_ids: Sequence[str]) -> list[Row | None]:
    """A loader: who pays for each customer; None for one whose way up is a circle. One statement, however deep."""
    bound = current()
    rows = await bound.fetch(_PAYERS.format(member=bound.member("c.id")), bound.array(list(customer_ids)))
    found = {row.pop("start"): row for row in rows}
    return [found.get(customer_id) for customer_id in customer_ids]


async def with_ancestors(customer_id: str) -> set[str]:
    """The ids of the customer and of all above it. One statement, however deep."""
    return {row["id"] for row in await current().fetch(_ABOVE, customer_id)}
