"""Reading what belongs to deliveries: their bodies, and how many have come how far."""

from __future__ import annotations

from collections.abc import Sequence

from models.communication import DeliveryStatus
from models.database import current
from models.table import Row


async def bodies(delivery_ids: Sequence[str]) -> list[Row | None]:
    """A loader: {text, html} of each delivery; None for an id that nobody has. One statement."""
    bound = current()
    sql = f"SELECT id, text, html FROM delivery WHERE {bound.member('id')}"
    found = {row["id"]: row for row in await bound.fetch(sql, bound.array(list(delivery_ids)))}
    return [found.get(identifier) for identifier in delivery_ids]


async def status_counts(communication_ids: Sequence[str]) -> list[list[Row]]:
    """A loader: for each communication {status, deliveries}, in the order of DeliveryStatus; no status without any.
    One statement.
    """
    bound = current()
    rows = await bound.fetch(
        "SELECT communication_id, status, count(*) AS deliveries FROM delivery"
        f" WHERE {bound.member('communication_id')} GROUP BY communication_id, status",
        bound.array(list(communication_ids)),
    )
    order = [status.value for status in DeliveryStatus]
    rows.sort(key=lambda row: order.index(row["status"]))
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["communication_id"], []).append(row)
    return [found.get(identifier, []) for identifier in communication_ids]
