"""JSON columns as values, and the small values that they hold."""

from __future__ import annotations

import json
from typing import Any

import strawberry

from models import AccountingSystem, ContactMethodKind, OriginKind, Row
from schema.access import PARENT
from schema.field import derived, plain


def stored_json(value: Any) -> Any:
    """A JSON column's value: reads bring it as text."""
    return json.loads(value) if isinstance(value, str) else value


@strawberry.type(description="A postal address.", directives=[PARENT])
class Address:
    """A postal address."""

    lines: list[str] = plain("Street, building, department: one to five lines, or none.")
    city: str | None = plain("City or town.")
    region: str | None = plain("State, province or canton, as the customer writes it.")
    postal_code: str | None = plain("Postal or ZIP code.")
    country: str | None = plain("ISO 3166-1 alpha-2, in capitals.")


@strawberry.type(description="An email address or a number.", directives=[PARENT])
class ContactMethod:
    """An email address or a number."""

    id: strawberry.ID = plain("Its ID, to keep it or to convert it. Not a node.")
    kind: ContactMethodKind = plain("What it is.")
    value: str = plain("The address or number; phone numbers in E.164, with an extension as `;ext=123`.")
    label: str | None = plain("What it is for, e.g. “office”.")
    preferred: bool = plain("Whether it is the one to use among those of its kind.")


@strawberry.type(description="Where something comes from.", directives=[PARENT])
class Origin:
    """Where something comes from."""

    kind: OriginKind = derived(
        lambda row: "LOCAL" if row["origin_system"] is None else "SYNCED", "Made here, or synced."
    )
    system: AccountingSystem | None = derived(
        lambda row: row["origin_system"], "The accounting system that delivers it; null when it was made here."
    )
    external_id: str | None = derived(
        lambda row: row["origin_external_id"], "Its ID in the accounting system; null when it was made here."
    )


def stored(column: str, description: str, *, at_most: int | None = None) -> Any:
    """A JSON column as a field; `at_most` so many objects, when it is a list."""

    def value(row: Row) -> Any:
        return stored_json(row[column])

    return derived(value, description, at_most=at_most)


def origin() -> Any:
    """The `origin` field of a row with origin columns."""
    return derived(lambda row: row, "Where it comes from. What an accounting system delivers is read-only here.")
