"""Plain Strawberry with data loaders, as its documentation teaches: types with attributes, a loader for each relation.

Two applications: Strawberry as it comes, and with its parser and validation caches.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.permission import BasePermission

from audit.history import Detail
from bench import cursor
from bench.disclosed import read_details
from bench.entrance import Visitor, visitor
from bench.plain.context import Context, Info, Row
from bench.plain.customers import Customer, CustomerConnection, CustomerEdge
from bench.plain.history import EventConnection, PageInfo, events
from bench.readers import AiosqliteReader, PostgresReader, Reader


class _Permitted(BasePermission):
    """The viewer has the permission in `needed`."""

    message = "Not permitted."
    needed: str

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        viewer = info.context.viewer
        return viewer is not None and self.needed in viewer.permissions


class _ReadsCustomers(_Permitted):
    needed = "CUSTOMERS_READ"


class _Audits(_Permitted):
    needed = "AUDIT_READ"


@strawberry.enum
class CustomerOrderField(Enum):
    NAME = "NAME"


@strawberry.enum
class Direction(Enum):
    ASC = "ASC"


@strawberry.input
class CustomerOrder:
    field: CustomerOrderField
    direction: Direction


async def _customers(
    info: Info, first: int = 20, after: str | None = None, order_by: CustomerOrder | None = None
) -> CustomerConnection:
    reader = info.context.reader
    keys = cursor.read(after) if after is not None else ()
    rows = await reader.fetch(reader.statements.customers(first, after is not None), *keys)
    edges = [CustomerEdge(cursor=cursor.of_customer(row), node=Customer.of(row)) for row in rows[:first]]
    page_info = PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None)
    return CustomerConnection(edges=edges, page_info=page_info)


async def _customer(info: Info, id: strawberry.ID) -> Customer | None:
    row = await info.context.customers.load(id)
    return Customer.of(row) if row else None


async def _history(info: Info, first: int = 20) -> EventConnection:
    return await events(info.context.reader, first)


@strawberry.type
class Query:
    customers: CustomerConnection = strawberry.field(resolver=_customers, permission_classes=[_ReadsCustomers])
    customer: Customer | None = strawberry.field(resolver=_customer, permission_classes=[_ReadsCustomers])
    history: EventConnection = strawberry.field(resolver=_history, permission_classes=[_Audits])


class _View(GraphQL[Context, None]):
    def __init__(self, schema: strawberry.Schema, reader: Reader) -> None:
        super().__init__(schema)
        self._reader = reader

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        reader = self._reader
        viewer = await visitor(reader, request.headers.get("authorization", ""))
        return _context(reader, viewer)


def _context(reader: Reader, viewer: Visitor | None) -> Context:
    statements = reader.statements

    async def roles(ids: list[str]) -> list[Row | None]:
        return _in_order(ids, await reader.fetch(statements.roles, reader.array(ids)))

    async def customers(ids: list[str]) -> list[Row | None]:
        return _in_order(ids, await reader.fetch(statements.customers_by_id, reader.array(ids)))

    async def contacts(ids: list[str]) -> list[list[Row]]:
        if len(ids) == 1:
            return [list(await reader.fetch(statements.contacts_of_one, ids[0]))]
        found: dict[str, list[Row]] = {identifier: [] for identifier in ids}
        for row in await reader.fetch(statements.contacts_of_many, reader.array(ids)):
            found[row["customer_id"]].append(row)
        return list(found.values())

    async def details(seqs: list[int]) -> list[Detail]:
        found = await read_details(reader, seqs)
        return [found[seq] for seq in seqs]

    return Context(
        reader=reader,
        viewer=viewer,
        roles=DataLoader(load_fn=roles),
        customers=DataLoader(load_fn=customers),
        contacts=DataLoader(load_fn=contacts),
        details=DataLoader(load_fn=details),
    )


def _in_order(ids: Sequence[str], rows: Sequence[Row]) -> list[Row | None]:
    found = {row["id"]: row for row in rows}
    return [found.get(identifier) for identifier in ids]


def plain(url: str, *, cached: bool) -> Starlette:
    """The application on the database at `url`; `cached`: with Strawberry's parser and validation caches."""
    reader: Reader = AiosqliteReader(url) if url.startswith("sqlite:") else PostgresReader(url)
    extensions: list[Any] = [lambda: ParserCache(maxsize=512), lambda: ValidationCache(maxsize=512)] if cached else []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await reader.open()
        yield
        await reader.close()

    view = _View(strawberry.Schema(query=Query, extensions=extensions), reader)
    return Starlette(routes=[Route("/graphql", view)], lifespan=lifespan)


def application() -> Starlette:
    """Strawberry as it comes, on the database in DATABASE_URL."""
    return plain(os.environ["DATABASE_URL"], cached=False)


def cached_application() -> Starlette:
    """The same with caches."""
    return plain(os.environ["DATABASE_URL"], cached=True)
