"""Before anything runs: is the document small and valid, may this actor use every field, how much could it return?

One refused field refuses the whole operation, so that nothing is half-done (docs/decisions/0004).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from audit import Actor
from counterfoil.door.documents import Documents, Known, Planned, not_signed_in, root_fields
from counterfoil.door.refusing import bad_upload
from schema.access import Need
from schema.context import Context
from schema.errors import RequestError
from schema.limits import too_large
from services.throttling import record_refusal


class Admission(SchemaExtension):
    """Reads documents with what is known of them, and refuses operations that the actor may not run."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: Known | None = None
        self._cost: dict[str, int] | None = None

    async def on_parse(self) -> AsyncIterator[None]:
        """Put the document, read now or earlier, in place of parsing."""
        execution = self.execution_context
        self._known = await self._documents.of(execution)
        # GraphQL, 6.1, GetOperation(): Strawberry would take the first of several.
        if execution._provided_operation_name is None and self._known.several:
            raise RequestError(
                "BAD_REQUEST", "The document has several operations: say with operationName which to run."
            )
        execution.graphql_document = self._known.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Put its errors in place of validation."""
        if self._known is not None:
            self.execution_context.pre_execution_errors = list(self._known.errors)
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Put a result in place of the execution when it is refused."""
        execution = self.execution_context
        if self._known is not None:
            planned = self._known.operation(execution.schema._schema, execution.operation_name)
            execution.context.needs = planned.plan.needs
            error = await self._refused(planned, execution.context)
            if error is None and execution.context.upload:
                error = _several(self._known.document, execution.operation_name)
            if error is None and execution.context.admitted is not None:
                execution.context.admitted()
            if execution.operation_type is OperationType.SUBSCRIPTION:
                _begin(execution.context, error)
            elif error is not None:
                execution.result = ExecutionResult(data=None, errors=[error])
            elif planned.introspects:
                execution.result = await self._told(self._known.document)
        yield

    def get_results(self) -> dict[str, Any]:
        """What the operation costs, for the response's `extensions`, when the request asks for it."""
        wanted = self._cost is not None and self.execution_context.context.reports_cost
        return {"cost": self._cost} if wanted else {}

    async def _told(self, document: DocumentNode) -> ExecutionResult:
        """What the schema tells of itself."""
        execution = self.execution_context
        asked = execution.query or "", execution.operation_name, execution.variables or {}
        introspections = self._documents.introspections
        try:
            return await introspections.answer(execution.schema._schema, document, asked, execution.context)
        except RequestError as error:
            return ExecutionResult(data=None, errors=[error])

    async def _refused(self, planned: Planned, context: Context) -> GraphQLError | None:
        error = _missing(planned.plan.needs, context)
        if error is not None and context.actor is not None:
            await record_refusal(context.actor, context.request, str(error))
        nodes = planned.plan.nodes(self.execution_context.variables or {})
        self._cost = {"nodes": nodes, "most": self._documents.limits.nodes, **planned.size._asdict()}
        return error or too_large("nodes", nodes, self._documents.limits) or planned.asks_too_much


def _begin(context: Context, error: GraphQLError | None) -> None:
    if error is not None:
        # Strawberry opens the stream of a subscription whatever result there is already.
        raise error
    context.following.set()
    if context.follows is not None:
        context.follows()


def _missing(needs: tuple[Need, ...], context: Context) -> GraphQLError | None:
    actor: Actor | None = context.actor
    for need in needs:
        if actor is None:
            return not_signed_in(context)
        if told := need.unmet(actor):
            return RequestError("FORBIDDEN", told)
    return None


def _several(document: DocumentNode, name: str | None) -> GraphQLError | None:
    """A form that breaks off gets an answer without `data`: no other field may have changed anything by then."""
    operation = get_operation_ast(document, name)
    fields = root_fields(document, operation) if operation is not None else []
    if len({(node.alias or node.name).value for node in fields if not node.name.value.startswith("__")}) <= 1:
        return None
    told = "An operation with a file has one field: send the others in requests of their own."
    return GraphQLError(told, original_error=bad_upload(told))
