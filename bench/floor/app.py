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

from bench import cursor
from bench.entrance import Visitor, visitor
from bench.floor.history import trail, view
from bench.floor.parts import by_id, connection
from bench.floor.profile import profile
from bench.floor.search import search
from bench.floor.writer import Writer, open_writer
from bench.floor.writes import create_contact, update_contact
from bench.readers import BlockingSqliteReader, PostgresReader, Reader, Rows
from bench.statements import NESTED

Body = Mapping[str, Any]

_PROFILE = {"CUSTOMERS_READ", "NOTES_READ", "DOCUMENTS_READ", "SALES_DOCUMENTS_READ", "HISTORY_READ"}


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
        permissions: set[str], answer: Callable[[Reader, Body], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            who = await visitor(reader, request.headers.get("authorization", ""))
            if who is None or not permissions <= who.permissions:
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
            Route("/Door", read(set(), nothing), methods=["POST"]),
            Route("/CustomerList", read({"CUSTOMERS_READ"}, customers), methods=["POST"]),
            Route("/AuditTrail", read({"AUDIT_READ"}, trail), methods=["POST"]),
            Route("/HistoryView", read({"CUSTOMERS_READ", "HISTORY_READ"}, view), methods=["POST"]),
            Route("/Profile", read(_PROFILE, profile), methods=["POST"]),
            Route("/ContactSearch", read({"CUSTOMERS_READ"}, search), methods=["POST"]),
            Route("/CreateContact", write("CONTACTS_WRITE", create_contact), methods=["POST"]),
            Route("/UpdateContact", write("CONTACTS_WRITE", update_contact), methods=["POST"]),
        ],
        lifespan=lifespan,
    )


def _json(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


async def nothing(_reader: Reader, _body: Body) -> dict[str, Any]:
    """What every schema answers without reading anything."""
    return {"__typename": "Query"}


async def customers(reader: Reader, body: Body) -> dict[str, Any]:
    """A page of customers by name, their contacts, each contact's role."""
    size, after = body["first"], body["after"]
    sql = reader.statements.customers(size, after is not None)
    found = await reader.fetch(sql, *(cursor.read(after) if after is not None else ()))
    page = found[:size]
    by_customer: dict[str, list[dict[str, Any]]] = {row["id"]: [] for row in page}
    contacts = await _contacts(reader, list(by_customer))
    role_ids = dict.fromkeys(row["role_id"] for row in contacts if row["role_id"] is not None)
    roles = {row["id"]: _role(row) for row in await by_id(reader, reader.statements.roles, list(role_ids))}
    for row in contacts:
        shown = by_customer[row["customer_id"]]
        if len(shown) < NESTED:
            shown.append({"node": _contact(row, roles)})
    cursors = [cursor.of_customer(row) for row in page]
    nodes = [_customer(row, by_customer[row["id"]]) for row in page]
    return {"customers": connection(found, size, cursors, nodes)}


async def _contacts(reader: Reader, customer_ids: list[str]) -> Rows:
    if len(customer_ids) == 1:
        return await reader.fetch(reader.statements.contacts_of_one, customer_ids[0])
    return await reader.fetch(reader.statements.contacts_of_many, reader.array(customer_ids))


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
