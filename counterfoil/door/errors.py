"""What goes wrong: coded errors pass to whoever asks, bugs are masked, and each leaves its line in the log."""

from __future__ import annotations

import re
from typing import Any

import strawberry
import structlog
from graphql import GraphQLError
from starlette.requests import ClientDisconnect
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionContext

from counterfoil.door.refusing import BodyRefused
from models import Busy

_log = structlog.get_logger("counterfoil.graphql")

# What is wrong with a body may show only while an operation reads a file from it.
OF_THE_BODY = (BodyRefused, ClientDisconnect)

# How a stream tells that there is no such operation, or that it is not of a kind that is allowed.
_OF_STRAWBERRY = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)

_NO_BUGS = (GraphQLError, Busy, *OF_THE_BODY, *_OF_STRAWBERRY)

# A request repeats a fault as often as it asks for what has it.
_MOST_LOGGED = 3

_SUGGESTION = re.compile(r" Did you mean [^?]*\?")

MASKED = "Something went wrong here. Tell whoever runs this server the request's ID."


def is_bug(error: GraphQLError) -> bool:
    """Whether an error was raised by code of ours that should not raise: neither a request's fault nor refused."""
    if error.original_error is None or isinstance(error.original_error, _NO_BUGS):
        return False
    # With a place in the document and none in the answer, it is a literal that cannot be read.
    return error.path is not None or not error.nodes


class LoggedSchema(strawberry.Schema):
    """Strawberry's schema, whose errors are logged once: bugs in full, others as one line without their values."""

    @staticmethod
    def remove_field_suggestion(error: GraphQLError) -> None:
        """Without introspection no error suggests a name: Strawberry itself takes away those of fields only."""
        error.message = _SUGGESTION.sub("", error.message)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what happened: the first of each kind, and how many more there are."""
        bugs = [error for error in errors if is_bug(error)]
        refused = [error for error in errors if not is_bug(error)]
        for error in bugs[:_MOST_LOGGED]:
            _log.error("bug", path=_path(error), exc_info=error.original_error)
        for error in refused[:_MOST_LOGGED]:
            _log.info("refused", path=_path(error), code=code_of(error))
        if len(bugs) > _MOST_LOGGED:
            _log.error("more bugs", count=len(bugs) - _MOST_LOGGED)
        if len(refused) > _MOST_LOGGED:
            _log.info("more refused", count=len(refused) - _MOST_LOGGED)


def _path(error: GraphQLError) -> str:
    return ".".join(str(part) for part in error.path or ())


def code_of(error: GraphQLError) -> str:
    """The error's code; what graphql-core itself refuses is a BAD_REQUEST."""
    if isinstance(error.original_error, Busy):
        return "BUSY"
    return str((error.extensions or {}).get("code", "BAD_REQUEST"))


def shown(error: GraphQLError, identifier: str) -> Any:
    """An error as it is answered: with a code, or masked with the request's `identifier`."""
    formatted = error.formatted
    if is_bug(error):
        return {**formatted, "message": MASKED, "extensions": {"code": "INTERNAL_ERROR", "requestId": identifier}}
    return {**formatted, "extensions": {**(error.extensions or {}), "code": code_of(error)}}
