"""The customers of the plain Strawberry schema: attributes made from rows, and resolvers that ask data loaders."""

from __future__ import annotations

import strawberry

from bench.plain.context import Info, Row
from bench.plain.history import EventConnection, PageInfo, events


@strawberry.type
class ContactRole:
    id: strawberry.ID
    name: str
    invoice_presentment: bool
    communication: bool

    @classmethod
    def of(cls, row: Row) -> ContactRole:
        return cls(
            id=row["id"],
            name=row["name"],
            invoice_presentment=bool(row["invoice_presentment"]),
            communication=bool(row["communication"]),
        )


@strawberry.type
class Contact:
    id: strawberry.ID
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    title: str | None
    role_id: strawberry.Private[str | None]

    @classmethod
    def of(cls, row: Row) -> Contact:
        return cls(
            id=row["id"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            email=row["email"],
            phone=row["phone"],
            title=row["title"],
            role_id=row["role_id"],
        )

    @strawberry.field
    async def role(self, info: Info) -> ContactRole | None:
        row = await info.context.roles.load(self.role_id) if self.role_id else None
        return ContactRole.of(row) if row else None


@strawberry.type
class ContactEdge:
    node: Contact


@strawberry.type
class ContactConnection:
    edges: list[ContactEdge]


@strawberry.type
class Customer:
    id: strawberry.ID
    name: str
    email: str | None
    phone: str | None

    @classmethod
    def of(cls, row: Row) -> Customer:
        return cls(id=row["id"], name=row["name"], email=row["email"], phone=row["phone"])

    @strawberry.field
    async def contacts(self, info: Info, first: int = 20) -> ContactConnection:
        rows = await info.context.contacts.load(self.id)
        return ContactConnection(edges=[ContactEdge(node=Contact.of(row)) for row in rows[:first]])

    @strawberry.field
    async def history(self, info: Info, first: int = 20) -> EventConnection:
        return await events(info.context.reader, first, self.id)


@strawberry.type
class CustomerEdge:
    cursor: str
    node: Customer


@strawberry.type
class CustomerConnection:
    edges: list[CustomerEdge]
    page_info: PageInfo
