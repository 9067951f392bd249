"""Long answers about the schema: made beside the event loop, one at a time, and kept, since they never change.

A whole introspection takes longer than everything else that a stranger may ask for. Small ones run as queries do.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute_sync, get_operation_ast

from counterfoil.door.pace import Pace
from counterfoil.door.turn import Turn
from schema.context import Context
from schema.errors import RequestError
from schema.scan import words

# Up to so many values, which take some milliseconds, an answer is a small one.
SMALL = 1000
# Answers that are kept for strangers, and as many for people who are signed in: neither push out the others'.
KEPT = 4
# Seconds between two answers that are made for one address whose people are not signed in.
PAUSE = 10.0
# How many answers a second such an address gets, also of those that are kept.
PER_SECOND = 20.0

# Written as JSON already: that takes longer than all the rest of an answer.
_Answers = OrderedDict[bytes, orjson.Fragment]


class Introspections:
    """What is known of the schema's answers about itself."""

    def __init__(self) -> None:
        self._of_strangers: _Answers = OrderedDict()
        self._of_known: _Answers = OrderedDict()
        self._turn = Turn()
        self._new = Pace(1 / PAUSE)
        self._any = Pace(PER_SECOND)

    async def answer(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        asked: tuple[str, str | None, Mapping[str, Any]],
        context: Context,
    ) -> ExecutionResult:
        """The result of an operation that asks for nothing else: `asked` are its text, its name and its variables.

        RequestError when a stranger asks for a new one too soon, or too often.
        """
        text, name, variables = asked
        if context.actor is None:
            _claim(self._any, context, f"{PER_SECOND:g} introspections a second are answered")
        kept = self._of_known if context.actor is not None else self._of_strangers
        key = _key(document, text, name, variables)
        if key is None or key not in kept:
            async with self._turn.taken() as aside:
                # Somebody else may have asked the same meanwhile.
                if key is None or key not in kept:
                    if context.actor is None:
                        _claim(self._new, context, f"a new introspection is answered every {PAUSE:g} seconds")
                    result = await aside(partial(_executed, schema, document, name, variables))
                    if key is None or not isinstance(result, orjson.Fragment):
                        return _answer(result)
                    _keep(kept, key, result)
        kept.move_to_end(key)
        return _answer(kept[key])


def _claim(pace: Pace, context: Context, told: str) -> None:
    if not pace.free(context.request.client_address, asyncio.get_running_loop().time()):
        # Refused, it waits for its turn as all refusals do, where it keeps no place that others could have.
        raise RequestError("TOO_MANY_INTROSPECTIONS", f"To people who are not signed in {told}: sign in, or wait.")


def _key(document: DocumentNode, text: str, name: str | None, variables: Mapping[str, Any]) -> bytes | None:
    """What the same questions have in common, however they are written; None for one that is not worth keeping."""
    operation = get_operation_ast(document, name)
    declared = {each.variable.name.value for each in operation.variable_definitions or ()} if operation else set()
    meaning = [word for word in words(text, len(text)) if word[0] != "#"]
    try:
        return orjson.dumps([meaning, name, {each: variables[each] for each in sorted(declared) if each in variables}])
    except orjson.JSONEncodeError:
        return None


def _keep(kept: _Answers, key: bytes, data: orjson.Fragment) -> None:
    kept[key] = data
    if len(kept) > KEPT:
        kept.popitem(last=False)


def _executed(
    schema: GraphQLSchema, document: DocumentNode, name: str | None, variables: Mapping[str, Any]
) -> ExecutionResult | orjson.Fragment:
    """The data as JSON; a result when there are errors."""
    result = execute_sync(schema, document, operation_name=name, variable_values=dict(variables))
    if result.errors or result.data is None:
        return result
    return orjson.Fragment(orjson.dumps(result.data))


def _answer(made: ExecutionResult | orjson.Fragment) -> ExecutionResult:
    # What it has as data is written into the answer, and not looked at before.
    return made if isinstance(made, ExecutionResult) else ExecutionResult(data=cast(Any, made))
