"""The events of the plain Strawberry schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from audit.event import instant
from audit.history import ChangedField
from audit.sentence import sentence
from bench import cursor
from bench.disclosed import change_fields
from bench.entrance import moment
from bench.plain.context import Info, Row
from bench.readers import Reader

if TYPE_CHECKING:
    from bench.plain.customers import Customer


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Actor:
    kind: str
    id: strawberry.ID | None
    name: str


@strawberry.type
class Subject:
    type: str
    id: strawberry.ID
    label: str


@strawberry.type
class Change:
    field: str
    label: str
    before: JSON | None
    after: JSON | None
    before_text: str | None
    after_text: str | None
    withheld: str | None

    @classmethod
    def of(cls, row: Row, change: ChangedField) -> Change:
        shown = change_fields(row, change)
        return cls(
            field=shown["field"],
            label=shown["label"],
            before=shown["before"],
            after=shown["after"],
            before_text=shown["beforeText"],
            after_text=shown["afterText"],
            withheld=shown["withheld"],
        )


@strawberry.type
class HistoryEvent:
    id: strawberry.ID
    seq: int
    at: str
    action: str
    category: str
    leaf_hash: str
    row: strawberry.Private[Row]

    @classmethod
    def of(cls, row: Row) -> HistoryEvent:
        return cls(
            id=strawberry.ID(f"evt_{row['seq']}"),
            seq=row["seq"],
            at=instant(moment(row["at"])),
            action=row["action"].upper().replace(".", "_"),
            category=row["category"].upper().replace("-", "_"),
            leaf_hash=row["leaf_hash"],
            row=row,
        )

    @strawberry.field
    async def actor(self, info: Info) -> Actor:
        detail = await info.context.details.load(self.seq)
        return Actor(kind=self.row["actor_kind"], id=self.row["actor_id"], name=detail.actor_name or "")

    @strawberry.field
    async def subject(self, info: Info) -> Subject:
        detail = await info.context.details.load(self.seq)
        kind = self.row["subject_type"].upper()
        return Subject(type=kind, id=self.row["subject_id"], label=detail.subject_label or "")

    @strawberry.field
    async def customer(self, info: Info) -> Annotated[Customer, strawberry.lazy("bench.plain.customers")] | None:
        from bench.plain.customers import Customer as Found  # noqa: PLC0415  (it imports this module)

        customer_id = self.row["customer_id"]
        row = await info.context.customers.load(customer_id) if customer_id else None
        return Found.of(row) if row else None

    @strawberry.field
    async def customer_label(self, info: Info) -> str | None:
        return (await info.context.details.load(self.seq)).customer_label

    @strawberry.field
    async def changes(self, info: Info) -> list[Change]:
        return [Change.of(self.row, change) for change in (await info.context.details.load(self.seq)).changes]

    @strawberry.field
    async def sentence(self, info: Info) -> str:
        return sentence(dict(self.row), await info.context.details.load(self.seq))

    @strawberry.field
    async def reason(self, info: Info) -> str | None:
        return (await info.context.details.load(self.seq)).reason


@strawberry.type
class EventEdge:
    cursor: str
    node: HistoryEvent


@strawberry.type
class EventConnection:
    edges: list[EventEdge]
    page_info: PageInfo


async def events(reader: Reader, first: int, *customer_id: str) -> EventConnection:
    """The newest events: of everything, or of one customer, into whom none was merged."""
    if customer_id:
        await reader.fetch(reader.statements.merged, reader.array(customer_id))
    rows = await reader.fetch(reader.statements.events(first, bool(customer_id)), *customer_id)
    edges = [
        EventEdge(cursor=cursor.of_event(row, of_customer=bool(customer_id)), node=HistoryEvent.of(row))
        for row in rows[:first]
    ]
    info = PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None)
    return EventConnection(edges=edges, page_info=info)
