"""Before anything runs: may this actor use every field of the operation, and is it small enough?

One refused field refuses the whole operation, so that nothing is half-done (docs/decisions/0004).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from audit import Actor
from counterfoil.door.documents import plan_of
from counterfoil.door.uploads import BadUpload
from schema.context import Context
from schema.errors import RequestError
from schema.limits import MAX_NODES
from schema.plan import Need
from services.throttling import record_refusal

SIGN_IN = "Sign in first."
ENDED = "Your session or key is not valid any more: sign in again."


class Admission(SchemaExtension):
    """Refuses operations that the actor may not run, or that could return too much."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Put a result in place of the execution when it is refused."""
        execution = self.execution_context
        context: Context = execution.context
        document = execution.graphql_document
        if document is not None:
            planned = plan_of(execution, document)
            error = _missing(planned.needs, context)
            if error is not None and context.actor is not None:
                await record_refusal(context.actor, context.request, str(error))
            # Strawberry takes the first of several operations when the request names none; the specification refuses.
            named = execution._provided_operation_name is not None
            error = error or _ambiguous(document, named) or _too_large(planned.nodes(execution.variables or {}))
            if error is None and context.upload:
                error = _several(document, execution.operation_name)
            if error is not None and execution.operation_type is OperationType.SUBSCRIPTION:
                # Strawberry opens the stream of a subscription whatever result there is already.
                raise error
            if error is not None:
                execution.result = ExecutionResult(data=None, errors=[error])
        yield


def _missing(needs: tuple[Need, ...], context: Context) -> GraphQLError | None:
    actor: Actor | None = context.actor
    for need in needs:
        if actor is None:
            return RequestError("UNAUTHENTICATED", ENDED if context.refused else SIGN_IN)
        if need.any_of and not actor.may(*need.any_of):
            names = " or ".join(sorted(permission.value for permission in need.any_of))
            return RequestError("FORBIDDEN", f"{need.coordinate} needs the permission {names}.")
    return None


def _ambiguous(document: DocumentNode, named: bool) -> GraphQLError | None:
    if named or sum(isinstance(part, OperationDefinitionNode) for part in document.definitions) == 1:
        return None
    return RequestError("BAD_REQUEST", "The document has several operations: say with operationName which to run.")


def _several(document: DocumentNode, name: str | None) -> GraphQLError | None:
    """A form that breaks off gets an answer without `data`: no other field may have changed anything by then."""
    operation = get_operation_ast(document, name)
    if operation is None or len(_fields(document, operation.selection_set)) <= 1:
        return None
    told = "An operation with a file has one field: send the others in requests of their own."
    return GraphQLError(told, original_error=BadUpload(told))


def _fields(document: DocumentNode, root: SelectionSetNode) -> set[str]:
    """The names in the answer of the fields at the root, also of those in fragments."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    names: set[str] = set()
    waiting = [root]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                if not node.name.value.startswith("__"):
                    names.add((node.alias or node.name).value)
            elif not isinstance(node, FragmentSpreadNode):
                waiting.append(node.selection_set)  # type: ignore[attr-defined]  # an inline fragment
            elif (fragment := fragments.pop(node.name.value, None)) is not None:
                waiting.append(fragment.selection_set)
    return names


def _too_large(nodes: int) -> GraphQLError | None:
    if nodes <= MAX_NODES:
        return None
    return RequestError(
        "LIMIT_EXCEEDED", f"The query could return {nodes:,} nodes; {MAX_NODES:,} are allowed. Ask for smaller pages."
    )
