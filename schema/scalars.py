"""Scalars beyond GraphQL's own, each with its specification."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NewType, cast

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from schema.upload import IncomingFile

Upload = NewType("Upload", IncomingFile)


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


def _write_date(value: date | str) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _read_date(value: object) -> date:
    try:
        day = date.fromisoformat(cast(str, value))
    except (TypeError, ValueError):
        day = None
    # It takes other forms of ISO 8601, too.
    if day is None or day.isoformat() != value:
        raise GraphQLError("A Date is written like 2026-01-31.")
    return day


def _read_upload(value: object) -> IncomingFile:
    if not isinstance(value, IncomingFile):
        raise GraphQLError("An Upload is null in `operations`, and a part of a multipart request stands for it.")
    return value


def _write_upload(_value: object) -> None:
    raise GraphQLError("An Upload is only sent, never answered.")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A point in time as RFC 3339 writes it: UTC, microseconds.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_write_time,
        parse_value=_read_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day without a time, as RFC 3339 writes it: 2026-01-31.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        serialize=_write_date,
        parse_value=_read_date,
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="A file, sent as a part of a multipart request with the header Counterfoil-Upload.",
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
        serialize=_write_upload,
        parse_value=_read_upload,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
