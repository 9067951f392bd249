"""What an operation needs before it runs: permissions, and how many nodes it may return at most.

Everything is counted once per fragment, however often that is spread: repeated walks are how small queries take hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_operation_ast,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from models.listing import DEFAULT_PAGE
from schema.access import Access, AccessRule, Need
from schema.connection import LIST
from schema.field import AT_MOST, SIZED_BY
from schema.values import holds_values, leads_to_rows

# The largest Int of GraphQL: JSON has no place for what pages in pages multiply to.
MOST_COUNTED = 2**31 - 1


class Variables(dict[str, Any]):
    """The variables of a request, and what the fragments cost with them."""

    def __init__(self, sent: Mapping[str, Any]) -> None:
        super().__init__(sent)
        self.fragments: dict[str, int] = {}


Cost = Callable[[Variables], int]


@dataclass(frozen=True)
class Plan:
    """What an operation needs, and how many nodes it may return."""

    needs: tuple[Need, ...]
    cost: Cost

    def nodes(self, variables: Mapping[str, Any]) -> int:
        """How many nodes it may return at most with these variables, as they were sent; beyond MOST_COUNTED, that."""
        return min(self.cost(Variables(variables)), MOST_COUNTED)


def access_of(graphql_type: GraphQLObjectType | GraphQLInterfaceType, field_name: str) -> Access | None:
    """Who may use a field: as the field says, else as its type says; None when neither does."""
    field = graphql_type.fields[field_name].extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    definition = graphql_type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    for directives in (field.directives if field else (), (definition.directives if definition else None) or ()):
        for directive in directives:
            if isinstance(directive, Access):
                return directive
    return None


def plan(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> Plan:
    """The plan of a valid operation."""
    operation = get_operation_ast(document, operation_name)
    if not isinstance(operation, OperationDefinitionNode):
        return Plan((), lambda _: 0)
    planner = _Planner(schema, document, operation)
    root = schema.get_root_type(operation.operation)
    cost = planner.selections(operation.selection_set, root) if root is not None else _nothing
    return Plan(tuple(planner.needs.values()), cost)


def _nothing(_: Variables) -> int:
    return 0


def _a_row(_: Variables) -> int:
    # It costs nothing by itself, and yet is not nothing: each value that leads to one counts.
    return 0


class _Planner:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.needs: dict[str, Need] = {}
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._spread: dict[str, Cost] = {}
        self._defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}

    def selections(self, node: SelectionSetNode | None, parent: GraphQLNamedType) -> Cost:
        costs: list[Cost] = []
        for selection in node.selections if node else ():
            if isinstance(selection, FieldNode):
                costs.append(self._field(selection, parent))
            elif isinstance(selection, FragmentSpreadNode):
                costs.append(self._fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                costs.append(self.selections(selection.selection_set, inner))
        costs = [cost for cost in costs if cost is not _nothing]
        if not costs:
            return _nothing
        return costs[0] if len(costs) == 1 else lambda variables: sum(cost(variables) for cost in costs)

    def _fragment(self, name: str) -> Cost:
        if name not in self._spread:
            node = self._fragments[name]
            self._spread[name] = _nothing
            inner = self.selections(node.selection_set, self._schema.type_map[node.type_condition.name.value])
            self._spread[name] = _once(name, inner)
        return self._spread[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> Cost:
        name = node.name.value
        if name.startswith("__") or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return _nothing
        field = parent.fields[name]
        self._need(parent, name)
        inner = self.selections(node.selection_set, get_named_type(field.type))
        declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if declared is not None and SIZED_BY in declared.metadata:
            sent = {argument.name.value: argument.value for argument in node.arguments or ()}
            return lambda variables: (
                _length(self._sent(sent, declared.metadata[SIZED_BY], variables)) * (1 + inner(variables))
            )
        if inner is _nothing and holds_values(parent, field):
            return _nothing
        if declared is not None and AT_MOST in declared.metadata:
            return lambda variables: declared.metadata[AT_MOST] * (1 + inner(variables))
        if declared is None or LIST not in declared.metadata:
            return _a_row if inner is _nothing and leads_to_rows(field) else inner
        sizes = [argument.value for argument in node.arguments or () if argument.name.value in ("first", "last")]
        usual = _usual(field)

        def cost(variables: Variables) -> int:
            size = max((self._size(value, variables, usual) for value in sizes), default=usual)
            return size * (1 + inner(variables))

        return cost

    def _need(self, parent: GraphQLObjectType | GraphQLInterfaceType, name: str) -> None:
        access = access_of(parent, name)
        coordinate = f"{parent.name}.{name}"
        if access is None:
            raise TypeError(f"{coordinate} does not say who may use it")
        if access.rule in (AccessRule.PERMISSION, AccessRule.SIGNED_IN):
            self.needs[coordinate] = Need(coordinate, frozenset(access.any_of))

    def _size(self, value: ValueNode, variables: Variables, usual: int) -> int:
        if isinstance(value, VariableNode):
            name = value.name.value
            if name in variables:
                sent = variables[name]
                # GraphQL takes 100.0 as an Int.
                return max(0, int(sent)) if isinstance(sent, int | float) else usual
            default = self._defaults.get(name)
            return self._size(default, variables, usual) if default is not None else usual
        # A negative size is refused when it runs; here it must not make room for others.
        return max(0, int(value.value)) if isinstance(value, IntValueNode) else usual

    def _sent(self, value: Any, path: tuple[str, ...], variables: Variables) -> Any:
        """What stands at `path` in an argument: a node of the document, or a value of a variable; None for nothing."""
        if isinstance(value, VariableNode):
            name = value.name.value
            return self._sent(variables[name] if name in variables else self._defaults.get(name), path, variables)
        if isinstance(value, ObjectValueNode):
            value = {field.name.value: field.value for field in value.fields}
        if not path:
            return value
        return self._sent(value.get(path[0]), path[1:], variables) if isinstance(value, Mapping) else None


def _usual(field: GraphQLField) -> int:
    """The size of a list's page when nothing is said about it."""
    first = field.args["first"].default_value
    return first if isinstance(first, int) else DEFAULT_PAGE


def _length(value: Any) -> int:
    # One item may stand for a list of one.
    return len(value.values) if isinstance(value, ListValueNode) else len(value) if isinstance(value, list) else 1


def _once(name: str, cost: Cost) -> Cost:
    """The cost of a fragment, counted once in a request however often it is spread."""
    if cost is _nothing:
        return cost

    def counted(variables: Variables) -> int:
        if name not in variables.fragments:
            variables.fragments[name] = cost(variables)
        return variables.fragments[name]

    return counted
