"""Long answers about the schema: made beside the event loop, one at a time, and kept, since they never change.

A whole introspection takes longer than everything else that a stranger may ask for. Small ones run as queries do.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute_sync

from counterfoil.door.pace import Pace
from counterfoil.door.turn import Turn
from schema.context import Context
from schema.errors import RequestError

# Up to so many values, which take some milliseconds, an answer is a small one.
SMALL = 500
# Answers that are kept: of many schemas' size each.
KEPT = 4
# Seconds between two answers that are made for people who are not signed in.
PAUSE = 10.0
# How many kept answers a second each of them gets: tools send the same again and again.
PER_SECOND = 20.0


class Introspections:
    """What is known of the schema's answers about itself."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._turn = Turn()
        self._free_from = 0.0
        self._pace = Pace(PER_SECOND)

    async def answer(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        asked: tuple[str, str | None, Mapping[str, Any]],
        context: Context,
    ) -> ExecutionResult:
        """The result of an operation that asks for nothing else: `asked` are its text, its name and its variables.

        RequestError when a stranger asks for a new one too soon.
        """
        text, name, variables = asked
        key = orjson.dumps([text, name, variables], option=orjson.OPT_SORT_KEYS)
        if context.actor is None:
            await self._pace.kept(context.request.client_address, 0)
        if key not in self._kept:
            if context.actor is None:
                self._claim()
            async with self._turn.taken():
                if key not in self._kept:
                    result = await asyncio.to_thread(_executed, schema, document, name, variables)
                    if result.errors or result.data is None:
                        return result
                    self._keep(key, result.data)
        self._kept.move_to_end(key)
        return ExecutionResult(data=self._kept[key])

    def _claim(self) -> None:
        now = time.monotonic()
        if now < self._free_from:
            told = f"A new introspection by somebody not signed in may come every {PAUSE:g} seconds: sign in, or wait."
            raise RequestError("TOO_MANY_INTROSPECTIONS", told)
        self._free_from = now + PAUSE

    def _keep(self, key: bytes, data: dict[str, Any]) -> None:
        self._kept[key] = data
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _executed(
    schema: GraphQLSchema, document: DocumentNode, name: str | None, variables: Mapping[str, Any]
) -> ExecutionResult:
    return execute_sync(schema, document, operation_name=name, variable_values=dict(variables))
