"""Errors of a request: they carry a code and pass to the client. Everything else that is raised is a bug."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError

from models import Audited, ErrorCode
from models.identifier import prefix_of
from schema.access import PUBLIC
from schema.field import plain

# Trying the same again, later, is all there is to do.
UNAVAILABLE = "UNAVAILABLE"


class RequestError(GraphQLError):
    """A top-level error with `extensions.code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


def check_reference(name: str, identifier: str, table: type[Audited]) -> None:
    """BAD_ID, naming the argument, unless the ID has the form of those of the table."""
    if prefix_of(identifier) != table.prefix:
        kind = table.subject.value.replace("_", " ")
        raise RequestError("BAD_ID", f"{name}: this is not the ID of a {kind}: {table.prefix}_…")


@strawberry.type(description="Something expected went wrong; nothing changed.", directives=[PUBLIC])
class UserError:
    """Something expected went wrong; nothing changed."""

    code: ErrorCode = plain("Why, for programs.")
    field: list[str] | None = plain(
        'Path into the variables, e.g. ["input", "methods", "0", "value"]; null when no single field is at fault.'
    )
    message: str = plain("Why, for people, and what to do.")
    current_revision: int | None = plain("The revision that the object has now; only with CONFLICT.")
    retry_after: int | None = plain("Seconds to wait; only with THROTTLED.")
