"""Probable duplicates: customers who may be one and the same, with the reasons."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import Row
from models.duplicates import DUPLICATE_LIMIT, NEIGHBOURS, SCAN_LIMIT, Duplicate, DuplicateReason, duplicates, pairs
from models.listing import DEFAULT_PAGE, MAX_PAGE
from models.rows import by_ids
from schema.access import PARENT, Access
from schema.connection import LIST, argument
from schema.context import Info
from schema.errors import RequestError, check_reference
from schema.field import batched, derived, plain, referred, with_signature

if TYPE_CHECKING:
    from schema.customer import Customer


async def _both(keys: Sequence[tuple[str, str]]) -> list[list[Row]]:
    rows = await by_ids(models.Customer)([identifier for pair in keys for identifier in pair])
    by_id = {row["id"]: row for row in rows if row is not None}
    return [[by_id[identifier] for identifier in pair if identifier in by_id] for pair in keys]


@strawberry.type(description="Another customer who may be the same, and why.", directives=[PARENT])
class ProbableDuplicate:
    """Another customer who may be the same, and why."""

    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "The other customer."
    )
    reasons: list[DuplicateReason] = plain("Why; at least one reason.")
    similarity: float | None = plain("How alike the names are, 0.9 to 1; null when they differ more.")


@strawberry.type(description="Two customers who may be one and the same, and why.", directives=[PARENT])
class ProbableDuplicatePair:
    """Two customers who may be one and the same, and why."""

    customers: list[Annotated[Customer, strawberry.lazy("schema.customer")]] = batched(
        lambda pair: pair["customer_ids"], _both, "Both, the earlier one first.", at_most=2
    )
    reasons: list[DuplicateReason] = plain("Why; at least one reason.")
    similarity: float | None = plain("How alike the names are, 0.9 to 1; null when they differ more.")


@strawberry.type(description="The next pairs of customers who may be the same.", directives=[PARENT])
class ProbableDuplicatePage:
    """The next pairs of customers who may be the same."""

    pairs: list[ProbableDuplicatePair] = plain("The pairs, by the IDs of the earlier and of the other customer.")
    end_cursor: str | None = derived(
        lambda page: None if page["position"] is None else _cursor(page["position"]),
        "For `after`, to go on; null when all customers have been looked at.",
    )


def duplicates_of() -> Any:
    """The probable duplicates of a customer."""
    return batched(
        lambda row: row["id"],
        duplicates,
        f"Active customers who may be the same, the most probable first, at most {DUPLICATE_LIMIT}: they have the same"
        " preferred email address, phone number or tax ID, or a similar name in the same city (compared with the"
        f" {NEIGHBOURS} before and after it by name there). None for an inactive or merged customer.",
        then=lambda _, found, __: [_shown(one) for one in found],
        at_most=DUPLICATE_LIMIT,
    )


def duplicate_pairs(access: Access) -> Any:
    """Pairs of probable duplicates among all customers."""

    async def resolve(root: Any, info: Info, first: int, after: str | None) -> Row:
        if not 1 <= first <= MAX_PAGE:
            raise RequestError("BAD_PAGE", f"first must be from 1 to {MAX_PAGE}.")
        found, position = await pairs(first, None if after is None else _position(after))
        both = [(pair.customer_id, pair.duplicate.customer_id) for pair in found]
        shown = [{"customer_ids": ids, **_why(pair.duplicate)} for ids, pair in zip(both, found, strict=True)]
        return {"pairs": shown, "position": position}

    arguments = {
        "first": (argument(int, f"How many pairs at most: 1 to {MAX_PAGE}."), DEFAULT_PAGE),
        "after": (argument(str | None, "The `endCursor` of the page before."), None),
    }
    return strawberry.field(
        resolver=with_signature(resolve, arguments),
        description="Pairs of active customers who may be the same, to look through. One request looks at up to"
        f" {SCAN_LIMIT:,} customers, so a page may have fewer pairs than asked for, even none, and not be the last one:"
        " go on while there is an `endCursor`.",
        directives=[access],
        metadata={LIST: None},
    )


def _shown(duplicate: Duplicate) -> Row:
    return {"customer_id": duplicate.customer_id, **_why(duplicate)}


def _why(duplicate: Duplicate) -> Row:
    return {"reasons": list(duplicate.reasons), "similarity": duplicate.similarity}


def _cursor(position: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[str, str]:
    try:
        customer_id, other = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        check_reference("after", customer_id, models.Customer)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError, RequestError):
        raise RequestError("BAD_CURSOR", "after: this cursor is not from this list: begin without one.") from None
    return customer_id, str(other)
