"""Documents that are parsed, validated and planned once: short ones, of those who are signed in, and trusted ones.

So nobody can fill the caches without being known, and nobody with megabytes. Nothing is validated before it is known
to be small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import ExecutionContext

from schema.limits import Limits, Size, TextRule, excess, size_of
from schema.plan import Plan, plan
from schema.scan import flood

CACHED = 256
LONGEST_CACHED = 16 * 1024
# Each suggestion in an error compares a name with all there are.
_MOST_ERRORS = 10
# The rules of Strawberry's validate_document, and one of ours.
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, TextRule)


@dataclass(frozen=True)
class Planned:
    """One operation of a document: what it needs, and how large it is."""

    plan: Plan
    size: Size


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
            self.planned[name] = Planned(plan(schema, self.document, name), size)
        return self.planned[name]


class Documents:
    """What is known of documents. `trusted` ones are known by their text from the start."""

    def __init__(self, limits: Limits, *, introspection: bool) -> None:
        self.limits = limits
        self.trusted: dict[str, Known] = {}
        self._introspection = introspection
        self._rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
        self._kept = lru_cache(CACHED)(self.read)

    def read(self, schema: GraphQLSchema, text: str) -> Known:
        """Parse and validate a document. GraphQLError when it is too large or cannot be parsed."""
        if error := flood(text, self.limits):
            raise error
        document = parse(text, max_tokens=self.limits.tokens)
        if too_much := excess(document, self.limits):
            return Known(document, (too_much,))
        errors = validate(schema, document, self._rules, _MOST_ERRORS, hide_suggestions=not self._introspection)
        return Known(document, tuple(errors))

    def of(self, execution: ExecutionContext) -> Known:
        """The document of an execution, read now or earlier. GraphQLError as `read`."""
        text = execution.query or ""
        known = self.trusted.get(text)
        if known is None:
            signed_in = execution.context is not None and execution.context.actor is not None
            read = self._kept if signed_in and len(text) <= LONGEST_CACHED else self.read
            known = read(execution.schema._schema, text)
        return known
