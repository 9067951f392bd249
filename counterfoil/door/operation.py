"""Operations that may answer more than once, as sockets and event streams run them; with the limits of the others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from counterfoil.door.answering import body_of, was_executed
from counterfoil.door.crowd import Crowd
from counterfoil.door.errors import code_of
from counterfoil.door.pace import Pace
from counterfoil.door.parameters import Parameters
from counterfoil.door.patience import at_most
from counterfoil.door.persisted import Persisted
from counterfoil.door.refusing import Refused
from models.failure import is_out_of_reach
from schema.context import Context
from schema.errors import UNAVAILABLE

ANY = frozenset(OperationType)


@dataclass(frozen=True)
class Answer:
    """One result. `refused`: errors of the request, or of what it follows, without `data`; nothing follows.

    `signed_out`: the session or key of the sender has ended. `lost`: the database is out of reach, and what is followed
    can be followed again after the last cursor. `cursor`: how far a feed has come with it.
    """

    body: dict[str, Any]
    refused: bool
    signed_out: bool = False
    lost: bool = False
    cursor: str | None = None


class Operations:
    """What runs operations. One of a kind that ends, a query or a mutation, may take so many `seconds`."""

    def __init__(
        self, schema: strawberry.Schema, persisted: Persisted, crowd: Crowd, pace: Pace, seconds: float
    ) -> None:
        self._schema = schema
        self._persisted = persisted
        self._crowd = crowd
        self._pace = pace
        self._seconds = seconds

    async def answers(
        self, asked: Parameters, context: Context, allowed: Collection[OperationType] = ANY
    ) -> AsyncGenerator[Answer, None]:
        """The results of an operation, one for a query or a mutation; the same errors as over HTTP.

        What is refused waits for its turn; but what has ended while it was followed was none.
        """
        async with aclosing(self.unpaced(asked, context, allowed)) as answers:
            async for answer in answers:
                if answer.refused and not context.following.is_set():
                    await self._pace.kept(context.request.client_address, len(asked.query or ""))
                yield answer

    def owed(self, address: str | None, asked: Parameters) -> float:
        """So many seconds are to pass after a refusal, before the client at this address has its next operation."""
        return self._pace.owed(address, len(asked.query or ""))

    async def unpaced(
        self, asked: Parameters, context: Context, allowed: Collection[OperationType] = ANY
    ) -> AsyncGenerator[Answer, None]:
        """The same, of which nothing waits: for those who see to it that what is `owed` passes."""
        try:
            async with aclosing(self._results(asked, context, allowed)) as results:
                async for result in results:
                    body = body_of(result, context.request.id)
                    errors = result.errors or ()
                    signed_out = any(code_of(error) == "UNAUTHENTICATED" for error in errors)
                    lost = context.following.is_set() and any(map(_is_lost, errors))
                    yield Answer(body, not was_executed(result), signed_out, lost, context.cursor)
        except Refused as error:
            yield Answer({"errors": [{"message": str(error), "extensions": {"code": error.code}}]}, refused=True)

    async def _results(
        self, asked: Parameters, context: Context, allowed: Collection[OperationType]
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Refused for what the endpoint would refuse, too."""
        text = self._persisted.text_of(asked, context)
        stream: Any = await self._schema.stream(
            text,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            operation_extensions=dict(asked.extensions),
            allowed_operation_types=allowed,
        )
        async with aclosing(stream):
            first = await self._first(stream, context)
            if first is not None:
                yield first
            async for result in stream:
                yield result

    async def _first(self, stream: AsyncGenerator[ExecutionResult, None], context: Context) -> ExecutionResult | None:
        """The first result; None when there is none. What follows something leaves the crowd, and takes its time."""
        try:
            with ExitStack() as joined:
                joined.enter_context(self._crowd.joined(context))
                async with at_most(self._seconds) as patience:

                    def follows() -> None:
                        joined.close()
                        patience.extend(None)

                    context.follows = follows
                    return await anext(stream, None)
        except GraphQLError as error:
            # Strawberry raises what is wrong with a document instead of answering it, when an extension reads it.
            self._schema.process_errors([error])
            return ExecutionResult(data=None, errors=[error])


def _is_lost(error: GraphQLError) -> bool:
    """Whether it says that the database is out of reach: of what is followed, or of a field of an event."""
    original = error.original_error
    return code_of(error) == UNAVAILABLE or (original is not None and is_out_of_reach(original))
