"""Connections after the Relay specification: one declaration makes the field, its arguments and its loader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from models import Row, current
from models.listing import (
    MAX_PAGE,
    BadCursor,
    BadPage,
    Condition,
    Listing,
    Page,
    Slice,
    count,
    counts,
    fetch_page,
    fetch_pages,
    request_page,
)
from models.search import matches, narrow
from schema.access import PARENT, Access
from schema.ahead import read_ahead
from schema.context import Context, Info
from schema.errors import RequestError
from schema.field import derived, given, plain, with_signature

T = TypeVar("T")

LIST = "counterfoil.list"
LONGEST_SEARCH = 200


@strawberry.enum(description="The direction of an order.")
class Direction(Enum):
    """The direction of an order."""

    ASC = strawberry.enum_value("ASC", description="Ascending: A before Z, earlier before later.")
    DESC = strawberry.enum_value("DESC", description="Descending: Z before A, later before earlier.")


@strawberry.type(description="Where a page stands in its list.", directives=[PARENT])
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = derived(lambda page: page["slice"].has_next, "Whether something follows the page.")
    has_previous_page: bool = derived(
        lambda page: page["slice"].has_previous, "Whether something stands before the page."
    )
    start_cursor: str | None = derived(
        lambda page: _cursor(page["slice"], 0), "The cursor of the first edge; null on an empty page."
    )
    end_cursor: str | None = derived(
        lambda page: _cursor(page["slice"], -1), "The cursor of the last edge; null on an empty page."
    )


@strawberry.type(description="An object in a list.", directives=[PARENT])
class Edge(Generic[T]):
    """An object in a list."""

    cursor: str = derived(
        lambda edge: edge["page"].cursor_of(edge["node"]),
        "Where the object stands: for `after` and `before` in the same list with the same order and filter.",
    )
    node: T = plain("The object.")


async def _total_count(root: Any, info: Info) -> int:
    page: Page = root["slice"].page
    if root["parent"] is None:
        return await count(current(), page)

    async def load(parents: Sequence[str]) -> list[int]:
        return await counts(current(), page, parents)

    total: int = await info.context.loaders.load(("count", _identity(page)), load, root["parent"])
    return total


@strawberry.type(description="One page of a list.", directives=[PARENT])
class Connection(Generic[T]):
    """One page of a list."""

    edges: list[Edge[T]] = derived(
        lambda page: [{"page": page["slice"].page, "node": row} for row in page["slice"].rows],
        "The objects of the page, in the order of the list.",
    )
    page_info: PageInfo = derived(lambda page: page, "Where the page stands in the list.")

    total_count: int = strawberry.field(
        resolver=_total_count, description="How many objects the whole list has. Counted only when asked for."
    )


def _cursor(part: Slice, index: int) -> str | None:
    return part.page.cursor_of(part.rows[index]) if part.rows else None


def _identity(page: Page) -> tuple[object, ...]:
    return page.signature, page.listing.parent, page.size, page.backward, page.cursor


def argument(annotation: Any, description: str) -> Any:
    """The annotation of a field's argument."""
    return Annotated[annotation, strawberry.argument(description=description)]


_PAGING: Mapping[str, tuple[Any, Any]] = {
    "first": (
        argument(int | None, f"How many, from the beginning or after a cursor: 0 to {MAX_PAGE}."),
        None,
    ),
    "after": (argument(str | None, "Begin after the edge with this cursor."), None),
    "last": (
        argument(int | None, "How many, from the end or before a cursor; not with `first`."),
        None,
    ),
    "before": (argument(str | None, "End before the edge with this cursor."), None),
}
_SEARCH = (
    argument(
        str | None,
        "Only objects that have each of these words, or parts of words, in names, titles, emails, numbers or external"
        f" IDs; case, accents and the punctuation of numbers are ignored. At most {LONGEST_SEARCH} characters.",
    ),
    None,
)


def connection(
    listing: Listing,
    description: str,
    *,
    filter_type: type | None = None,
    conditions: Callable[[Mapping[str, Any]], list[Condition]] | None = None,
    order_type: type | None = None,
    search: bool = False,
    nested: bool = False,
    access: Access | None = None,
    shown: Callable[[Context], Sequence[Condition]] | None = None,
) -> Any:
    """A connection field over `listing`: the whole of it, or with `nested` the part that belongs to the parent row.

    `shown` are the conditions of what this viewer may see of it.
    """
    arguments: dict[str, tuple[Any, Any]] = dict(_PAGING)
    if filter_type is not None:
        arguments["filter"] = (argument(filter_type | None, "Only objects that fit all of the filter's fields."), None)
    if search:
        arguments["search"] = _SEARCH
    if order_type is not None:
        arguments["order_by"] = (argument(order_type | None, "The order of the list."), None)

    async def resolve(root: Row, info: Info, **sent: Any) -> Any:
        page = _request(listing, conditions, sent, shown(info.context) if shown is not None else ())
        if not nested:
            part = await fetch_page(current(), await narrow(current(), page))
            await read_ahead(info, part.rows)
            return {"slice": part, "parent": None}

        async def load(parents: Sequence[str]) -> list[Slice]:
            parts = await fetch_pages(current(), page, parents)
            await read_ahead(info, [row for part in parts for row in part.rows])
            return parts

        part = await info.context.loaders.load(_identity(page), load, root["id"])
        return {"slice": part, "parent": root["id"]}

    return strawberry.field(
        resolver=with_signature(resolve, arguments),
        description=description,
        directives=[access] if access else [],
        metadata={LIST: listing},
    )


def _request(
    listing: Listing,
    conditions: Callable[[Mapping[str, Any]], list[Condition]] | None,
    sent: Mapping[str, Any],
    shown: Sequence[Condition],
) -> Page:
    wanted: list[Condition] = [*shown]
    if conditions is not None:
        wanted += conditions(given(sent["filter"]) if sent.get("filter") is not None else {})
    search = sent.get("search") or ""
    if len(search) > LONGEST_SEARCH:
        raise RequestError("BAD_REQUEST", f"search: use at most {LONGEST_SEARCH} characters.")
    searched = matches(search)
    if searched is not None:
        wanted.append(searched)
    order = sent.get("order_by")
    try:
        return request_page(
            listing,
            first=sent["first"],
            after=sent["after"],
            last=sent["last"],
            before=sent["before"],
            order=order.field.value if order else None,
            descending=order.direction is Direction.DESC if order else None,
            conditions=wanted,
        )
    except BadPage as error:
        raise RequestError("BAD_PAGE", str(error)) from None
    except BadCursor:
        name = "after" if sent["after"] is not None else "before"
        raise RequestError(
            "BAD_CURSOR", f"{name}: this cursor is not from this list with this order and filter: begin without one."
        ) from None
