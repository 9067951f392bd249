"""One operation that may answer more than once, as sockets and event streams run it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.http import GraphQLHTTPResponse, process_result
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from counterfoil.door.errors import code_of, shown
from schema.context import Context

ANY = frozenset(OperationType)


@dataclass(frozen=True)
class Sent:
    """An operation as it was sent: `query`, `variables`, `operationName` and `extensions`."""

    query: str | None
    variables: dict[str, Any] | None = None
    name: str | None = None
    extensions: dict[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """One result. `refused`: a request error (GraphQL, 7.1.2), nothing was executed, and nothing follows.

    `signed_out`: the session or key of the sender has ended. `cursor`: how far a feed has come with it.
    """

    body: GraphQLHTTPResponse
    refused: bool
    signed_out: bool
    cursor: str | None


async def answers(
    schema: strawberry.Schema, sent: Sent, context: Context, allowed: Collection[OperationType] = ANY
) -> AsyncGenerator[Answer, None]:
    """The results of an operation, one for a query or a mutation; the same errors as over HTTP."""
    stream = await schema.stream(
        sent.query,
        variable_values=sent.variables,
        context_value=context,
        operation_name=sent.name,
        operation_extensions=sent.extensions,
        allowed_operation_types=allowed,
    )
    first = True
    async with aclosing(_with_syntax_errors(schema, stream)) as results:
        async for result in results:
            errors = result.errors or []
            body = process_result(result)
            if errors:
                body["errors"] = [shown(error, context.request.id) for error in errors]
            refused = first and bool(errors) and result.data is None and not any(error.path for error in errors)
            signed_out = any(code_of(error) == "UNAUTHENTICATED" for error in errors)
            yield Answer(body, refused, signed_out, context.cursor)
            first = False


async def _with_syntax_errors(
    schema: strawberry.Schema, stream: AsyncGenerator[Any, None]
) -> AsyncGenerator[ExecutionResult, None]:
    """The results; where Strawberry raises an error of the document, which its cache of documents does, that one."""
    try:
        async with aclosing(stream):
            async for result in stream:
                yield result
    except GraphQLError as error:
        schema.process_errors([error])
        yield ExecutionResult(data=None, errors=[error])


def as_sent(payload: Mapping[str, Any]) -> Sent | None:
    """The operation in a JSON object; None when something in it has another type than it must have."""
    query, variables = payload.get("query"), payload.get("variables")
    name, extensions = payload.get("operationName"), payload.get("extensions")
    if (
        not isinstance(query, str)
        or not isinstance(variables, dict | None)
        or not isinstance(name, str | None)
        or not isinstance(extensions, dict | None)
    ):
        return None
    return Sent(query, variables, name, extensions)
