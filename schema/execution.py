"""Executing rows: a value that only has to be read from its row takes a short way.

graphql-core builds a path, a list of nodes and a description of the request for each field, and asks of each value
whether it must be awaited. Two thirds of the fields in a list need none of that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

LEAVES = "counterfoil.leaves"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or enum field: how it is read from the row and written to the answer, and whether it may be null."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    nullable: bool


class RowExecution(StrawberryGraphQLCoreExecutionContext):
    """Leaves go the short way; all other fields, and leaves with which anything is wrong, go graphql-core's."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        leaves: dict[str, Leaf] = parent_type.extensions.get(LEAVES, {})
        # All names at once, in the order in which they are asked for.
        results: dict[str, Any] = dict.fromkeys(grouped_field_set)
        rest = {}
        for response_name, details in grouped_field_set.items():
            leaf = leaves.get(details[0].node.name.value)
            value = Undefined if leaf is None else _value(leaf, source_value)
            if value is Undefined:
                rest[response_name] = details
            else:
                results[response_name] = value
        if not rest:
            return results
        others = super().execute_fields(parent_type, source_value, path, rest, position_context)
        if not isinstance(others, dict):
            return _merged(results, others)
        results.update(others)
        return results


def _value(leaf: Leaf, row: Any) -> Any:
    """The value as it is answered; Undefined when graphql-core must tell what is wrong with it."""
    try:
        value = leaf.read(row)
        if value is None:
            return None if leaf.nullable else Undefined
        written = leaf.write(value)
    except Exception:
        return Undefined
    return Undefined if written is None else written


async def _merged(results: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    results.update(await others)
    return results
