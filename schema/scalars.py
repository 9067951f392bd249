"""Scalars beyond GraphQL's own, each with its specification."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition


def _write_time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(cast(str, value))
        in_utc = None if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        raise GraphQLError("A DateTime is written like 2026-01-31T09:30:00Z, with its offset from UTC.")
    return in_utc


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A point in time as RFC 3339 writes it: UTC, microseconds.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_write_time,
        parse_value=_read_time,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
