"""The histories: of everything, and of one customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.history import Detail
from bench import cursor
from bench.disclosed import change_fields, event_fields, read_details
from bench.floor.parts import by_id, connection, page_info, subject
from bench.readers import Reader, Rows


async def trail(reader: Reader, body: Mapping[str, Any]) -> dict[str, Any]:
    """The newest events of the whole history."""
    size = body["first"]
    found = await reader.fetch(reader.statements.events(size, False))
    page = found[:size]
    details = await read_details(reader, [row["seq"] for row in page])
    ids = list(dict.fromkeys(row["customer_id"] for row in page if row["customer_id"] is not None))
    customers = {
        row["id"]: {"id": row["id"], "name": row["name"]}
        for row in await by_id(reader, reader.statements.customers_by_id, ids)
    }
    edges = [{"node": _trail_node(row, details[row["seq"]], customers)} for row in page]
    end = cursor.of_event(page[-1]) if page else None
    return {"history": {"edges": edges, "pageInfo": page_info(found, size, end)}}


def _trail_node(row: Mapping[str, Any], detail: Detail, customers: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        **event_fields(row, detail),
        "actor": {"kind": row["actor_kind"], "name": detail.actor_name},
        "subject": subject(row, detail),
        "customer": customers.get(row["customer_id"]),
        "customerLabel": detail.customer_label,
        "leafHash": row["leaf_hash"],
    }


async def view(reader: Reader, body: Mapping[str, Any]) -> dict[str, Any]:
    """The newest events of one customer."""
    size, customer_id = body["first"], body["id"]
    if not await by_id(reader, reader.statements.customers_by_id, [customer_id]):
        return {"customer": None}
    found, details = await events_of(reader, customer_id, size)
    page = found[:size]
    cursors = [cursor.of_event(row, of_customer=True) for row in page]
    nodes = [_view_node(row, details[row["seq"]]) for row in page]
    return {"customer": {"history": connection(found, size, cursors, nodes)}}


def _view_node(row: Mapping[str, Any], detail: Detail) -> dict[str, Any]:
    return {
        "id": f"evt_{row['seq']}",
        **event_fields(row, detail),
        "reason": detail.reason,
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": detail.actor_name},
        "subject": subject(row, detail),
        "changes": [change_fields(row, change) for change in detail.changes],
    }


async def events_of(reader: Reader, customer_id: str, size: int) -> tuple[Rows, dict[int, Detail]]:
    """The newest events of a customer, one more than `size` if there are, and what those on the page disclose.

    In a seeded database no customer was merged into another, but one has to ask.
    """
    await by_id(reader, reader.statements.merged, [customer_id])
    found = await reader.fetch(reader.statements.events(size, True), customer_id)
    return found, await read_details(reader, [row["seq"] for row in found[:size]])
