"""Documents that are parsed, validated and planned once: short ones, of those who are signed in.

So nobody can fill the caches without being known, and nobody with megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from graphql import DocumentNode
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types.execution import ExecutionContext

from schema.plan import Plan, plan

CACHED = 256
LONGEST_CACHED = 16 * 1024

_plan = lru_cache(maxsize=CACHED)(plan)


class KnownDocuments(ParserCache):
    """Strawberry's cache of parsed documents."""

    def __init__(self) -> None:
        super().__init__(maxsize=CACHED)

    def on_parse(self) -> Iterator[None]:
        """Use the cache for what may be kept."""
        if is_kept(self.execution_context):
            yield from super().on_parse()
        else:
            yield


class KnownValidations(ValidationCache):
    """Strawberry's cache of validated documents."""

    def __init__(self) -> None:
        super().__init__(maxsize=CACHED)

    def on_validate(self) -> Iterator[None]:
        """Use the cache for what may be kept."""
        if is_kept(self.execution_context):
            yield from super().on_validate()
        else:
            yield


def is_kept(execution: ExecutionContext) -> bool:
    """Whether the document of this execution may be kept for the next time."""
    signed_in = execution.context is not None and execution.context.actor is not None
    return signed_in and len(execution.query or "") <= LONGEST_CACHED


def plan_of(execution: ExecutionContext, document: DocumentNode) -> Plan:
    """The plan of the execution's operation."""
    make = _plan if is_kept(execution) else plan
    return make(execution.schema._schema, document, execution.operation_name)
