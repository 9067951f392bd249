"""The floor: what the same answers cost when each endpoint is written by hand, without GraphQL and without layers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from audit.history import Detail
from bench import cursor
from bench.disclosed import change_fields, event_fields, read_details
from bench.entrance import Visitor, visitor
from bench.floor.writer import Writer, open_writer
from bench.floor.writes import create_contact, update_contact
from bench.readers import BlockingSqliteReader, PostgresReader, Reader, Rows
from bench.statements import NESTED

Body = Mapping[str, Any]


def application() -> Starlette:
    """The application on the database in DATABASE_URL."""
    return floor(os.environ["DATABASE_URL"])


def floor(url: str) -> Starlette:
    """The application on the database at `url`."""
    reader: Reader = BlockingSqliteReader(url) if url.startswith("sqlite:") else PostgresReader(url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await reader.open()
        app.state.writer = await open_writer(url, reader)
        yield
        await app.state.writer.close()
        await reader.close()

    def read(
        permission: str, answer: Callable[[Reader, Body], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            who = await visitor(reader, request.headers.get("authorization", ""))
            if who is None or permission not in who.permissions:
                return Response(status_code=403)
            return _json(await answer(reader, orjson.loads(await request.body())))

        return endpoint

    def write(
        permission: str, answer: Callable[[Writer, Visitor, str, Body], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            who = await visitor(reader, request.headers.get("authorization", ""))
            if who is None or permission not in who.permissions or request.client is None:
                return Response(status_code=403)
            body = orjson.loads(await request.body())
            return _json(await answer(request.app.state.writer, who, request.client.host, body))

        return endpoint

    return Starlette(
        routes=[
            Route("/CustomerList", read("CUSTOMERS_READ", customers), methods=["POST"]),
            Route("/AuditTrail", read("AUDIT_READ", trail), methods=["POST"]),
            Route("/HistoryView", read("HISTORY_READ", view), methods=["POST"]),
            Route("/CreateContact", write("CONTACTS_WRITE", create_contact), methods=["POST"]),
            Route("/UpdateContact", write("CONTACTS_WRITE", update_contact), methods=["POST"]),
        ],
        lifespan=lifespan,
    )


def _json(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


async def customers(reader: Reader, body: Body) -> dict[str, Any]:
    """A page of customers by name, their contacts, each contact's role."""
    size, after = body["first"], body["after"]
    sql = reader.statements.customers(size, after is not None)
    found = await reader.fetch(sql, *(cursor.read(after) if after is not None else ()))
    page = found[:size]
    by_customer: dict[str, list[dict[str, Any]]] = {row["id"]: [] for row in page}
    contacts = await _contacts(reader, list(by_customer))
    role_ids = dict.fromkeys(row["role_id"] for row in contacts if row["role_id"] is not None)
    roles = {row["id"]: _role(row) for row in await _by_id(reader, reader.statements.roles, list(role_ids))}
    for row in contacts:
        shown = by_customer[row["customer_id"]]
        if len(shown) < NESTED:
            shown.append({"node": _contact(row, roles)})
    cursors = [cursor.of_customer(row) for row in page]
    nodes = [_customer(row, by_customer[row["id"]]) for row in page]
    return {"customers": _connection(found, size, cursors, nodes)}


async def _contacts(reader: Reader, customer_ids: list[str]) -> Rows:
    if len(customer_ids) == 1:
        return await reader.fetch(reader.statements.contacts_of_one, customer_ids[0])
    return await reader.fetch(reader.statements.contacts_of_many, reader.array(customer_ids))


async def _by_id(reader: Reader, sql: str, ids: list[str] | list[int]) -> Rows:
    return await reader.fetch(sql, reader.array(ids)) if ids else []


def _customer(row: Mapping[str, Any], contacts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "email": row["email"],
        "phone": row["phone"],
        "contacts": {"edges": contacts},
    }


def _contact(row: Mapping[str, Any], roles: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "email": row["email"],
        "phone": row["phone"],
        "title": row["title"],
        "role": roles.get(row["role_id"]),
    }


def _role(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "invoicePresentment": bool(row["invoice_presentment"]),
        "communication": bool(row["communication"]),
    }


async def trail(reader: Reader, body: Body) -> dict[str, Any]:
    """The newest events of the whole history."""
    size = body["first"]
    found = await reader.fetch(reader.statements.events(size, False))
    page = found[:size]
    details = read_details(await _by_id(reader, reader.statements.details, [row["seq"] for row in page]))
    ids = list(dict.fromkeys(row["customer_id"] for row in page if row["customer_id"] is not None))
    customers = {
        row["id"]: {"id": row["id"], "name": row["name"]}
        for row in await _by_id(reader, reader.statements.customers_by_id, ids)
    }
    edges = [{"node": _trail_node(row, details[row["seq"]], customers)} for row in page]
    end = cursor.of_event(page[-1]) if page else None
    return {"history": {"edges": edges, "pageInfo": _page_info(found, size, end)}}


def _trail_node(row: Mapping[str, Any], detail: Detail, customers: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        **event_fields(row, detail),
        "actor": {"kind": row["actor_kind"], "name": detail.actor_name},
        "subject": _subject(row, detail),
        "customer": customers.get(row["customer_id"]),
        "customerLabel": detail.customer_label,
        "leafHash": row["leaf_hash"],
    }


async def view(reader: Reader, body: Body) -> dict[str, Any]:
    """The newest events of one customer."""
    size, customer_id = body["first"], body["id"]
    if not await _by_id(reader, reader.statements.customers_by_id, [customer_id]):
        return {"customer": None}
    found = await reader.fetch(reader.statements.events(size, True), customer_id)
    page = found[:size]
    details = read_details(await _by_id(reader, reader.statements.details, [row["seq"] for row in page]))
    cursors = [cursor.of_event(row, of_customer=True) for row in page]
    nodes = [_view_node(row, details[row["seq"]]) for row in page]
    return {"customer": {"history": _connection(found, size, cursors, nodes)}}


def _view_node(row: Mapping[str, Any], detail: Detail) -> dict[str, Any]:
    return {
        "id": f"evt_{row['seq']}",
        **event_fields(row, detail),
        "reason": detail.reason,
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": detail.actor_name},
        "subject": _subject(row, detail),
        "changes": [change_fields(change) for change in detail.changes],
    }


def _subject(row: Mapping[str, Any], detail: Detail) -> dict[str, Any]:
    return {"type": row["subject_type"].upper(), "id": row["subject_id"], "label": detail.subject_label}


def _connection(found: Rows, size: int, cursors: list[str], nodes: list[dict[str, Any]]) -> dict[str, Any]:
    edges = [{"cursor": place, "node": node} for place, node in zip(cursors, nodes, strict=True)]
    return {"edges": edges, "pageInfo": _page_info(found, size, cursors[-1] if cursors else None)}


def _page_info(found: Rows, size: int, end: str | None) -> dict[str, Any]:
    return {"hasNextPage": len(found) > size, "endCursor": end}
