"""Documents that are parsed, validated and planned once: short ones, and trusted ones.

Those of strangers, who sign in and introspect, have a small cache of their own: nobody can fill that of others without
being known, and nobody any with megabytes. Nothing is validated before it is known
to be small.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    NoFragmentCyclesRule,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    ValidationContext,
    get_operation_ast,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import ExecutionContext

from counterfoil.door.introspection import SMALL, Introspections
from counterfoil.door.parsing import parse
from counterfoil.door.turn import Turn
from schema.context import Context
from schema.errors import RequestError
from schema.introspection import too_much, values_told
from schema.limits import Limits, Size, TextRule, excess, is_cyclic, size_of
from schema.plan import Plan, plan
from schema.scan import flood

SIGN_IN = "Sign in first."
ENDED = "Your session or key is not valid any more: sign in again."

CACHED = 256
# Tokens of all cached documents together: parsed, each takes up to 300 bytes.
CACHED_TOKENS = 50_000
CACHED_OF_STRANGERS = 16
LONGEST_CACHED = 16 * 1024
# Characters: longer documents are read beside the event loop, one at a time. Two threads at it would keep it waiting
# twice as long as one.
_ASIDE_FROM = 2048
_MOST_ERRORS = 5
_MOST_SUGGESTIONS = 1


class FewSuggestions(ASTValidationRule):
    """Only the first error suggests something: each suggestion compares a name with all there are."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        report, reported = context.report_error, 0

        def count(error: GraphQLError) -> None:
            nonlocal reported
            reported += 1
            context._hide_suggestions = context.hide_suggestions or reported >= _MOST_SUGGESTIONS
            report(error)

        context.report_error = count  # type: ignore[method-assign]  # of this context only


# The rules of Strawberry's validate_document, and two of ours.
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, TextRule, FewSuggestions)


@dataclass(frozen=True)
class Planned:
    """One operation of a document: what it needs, how large it is, and what it asks about the schema."""

    plan: Plan
    size: Size
    introspects: bool
    """Whether it asks for much of the schema, which an operation may when it asks for nothing else."""
    asks_too_much: GraphQLError | None


@dataclass(frozen=True)
class Known:
    """A parsed document, what is wrong with it, and its operations by name as far as they have been asked for."""

    document: DocumentNode
    errors: tuple[GraphQLError, ...] = ()
    planned: dict[str | None, Planned] = field(default_factory=dict)

    @property
    def several(self) -> bool:
        """Whether a request has to say which operation it means."""
        return sum(isinstance(part, OperationDefinitionNode) for part in self.document.definitions) > 1

    def operation(self, schema: GraphQLSchema, name: str | None) -> Planned:
        """What the operation of a valid document needs."""
        if name not in self.planned:
            operation = get_operation_ast(self.document, name)
            size = size_of(self.document, operation) if operation is not None else Size()
            told = values_told(schema, self.document, operation) if operation is not None else 0
            error: GraphQLError | None = too_much(schema, told)
            if told > SMALL and operation is not None and error is None:
                fields = root_fields(self.document, operation)
                if not all(node.name.value.startswith("__") for node in fields):
                    error = RequestError("COST_LIMIT", "Ask for much of the schema in an operation of its own.")
            self.planned[name] = Planned(plan(schema, self.document, name), size, told > SMALL, error)
        return self.planned[name]


class _Kept:
    """Documents by their text: so many, with so many tokens together. What was asked for longest ago goes first."""

    def __init__(self, most: int, tokens: int) -> None:
        self._most = most
        self._most_tokens = tokens
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._tokens = 0

    def get(self, text: str) -> Known | None:
        return self._known.get(text)

    def keep(self, text: str, known: Known) -> None:
        if text not in self._known:
            self._tokens += known.document.token_count
        self._known[text] = known
        self._known.move_to_end(text)
        while len(self._known) > self._most or self._tokens > self._most_tokens:
            self._tokens -= self._known.popitem(last=False)[1].document.token_count

    def clear(self) -> None:
        self._known.clear()
        self._tokens = 0


class Documents:
    """What is known of documents. `trusted` ones are known by their text from the start."""

    def __init__(self, limits: Limits, *, introspection: bool) -> None:
        self.limits = limits
        self._of_strangers = limits.of_strangers
        self.trusted: dict[str, Known] = {}
        self.introspections = Introspections()
        self._introspection = introspection
        self._rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
        self._kept = _Kept(CACHED, CACHED_TOKENS)
        self._kept_of_strangers = _Kept(CACHED_OF_STRANGERS, CACHED_OF_STRANGERS * self._of_strangers.tokens)
        self._turn = Turn()

    def read(self, schema: GraphQLSchema, text: str, *, suggests: bool = True) -> Known:
        """Parse and validate a document. GraphQLError when it is too large or cannot be parsed."""
        if error := flood(text, self.limits):
            raise error
        document = parse(text, self.limits.tokens)
        if too_much := excess(document, self.limits):
            return Known(document, (too_much,))
        # With cycles, the other rules go round in circles for long.
        rules = [NoFragmentCyclesRule] if is_cyclic(document) else self._rules
        errors = validate(
            schema, document, rules, _MOST_ERRORS, hide_suggestions=not (suggests and self._introspection)
        )
        return Known(document, tuple(errors))

    async def of(self, execution: ExecutionContext) -> Known:
        """The document of an execution, read now or earlier. GraphQLError as `read`, and for a stranger's long one."""
        text, context = execution.query or "", execution.context
        known = self.trusted.get(text)
        if known is not None:
            return known
        signed_in = context is not None and context.actor is not None
        if context is not None and not signed_in and flood(text, self._of_strangers):
            # All that strangers may use fits; of the rest it need not be known what it asks for.
            raise flood(text, self.limits) or not_signed_in(context)
        kept = self._kept if signed_in else self._kept_of_strangers
        known = kept.get(text) or await self._read(execution.schema._schema, text, signed_in)
        # What is refused is not kept: it is seldom sent again, but by attackers.
        if len(text) <= LONGEST_CACHED and not known.errors:
            kept.keep(text, known)
        return known

    async def _read(self, schema: GraphQLSchema, text: str, suggests: bool) -> Known:
        if len(text) < _ASIDE_FROM:
            return self.read(schema, text, suggests=suggests)
        async with self._turn.taken() as aside:
            return await aside(partial(self.read, schema, text, suggests=suggests))


def not_signed_in(context: Context) -> RequestError:
    """Who sends this is not known, or not any more."""
    return RequestError("UNAUTHENTICATED", ENDED if context.refused else SIGN_IN)


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[FieldNode]:
    """The fields at the root of an operation, also those in fragments."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    found: list[FieldNode] = []
    waiting = [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif (
                isinstance(node, FragmentSpreadNode) and (fragment := fragments.pop(node.name.value, None)) is not None
            ):
                waiting.append(fragment.selection_set)
    return found
