"""Questions about the schema: how much an answer may tell, and what Strawberry answers otherwise than GraphQL.

Introspection reads no rows and comes in no pages, so nodes do not measure it. It takes as long as it tells values,
objects included, and may tell twice as many as tools ask for that read the whole schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    get_named_type,
    is_abstract_type,
    is_input_object_type,
    is_introspection_type,
    is_leaf_type,
    is_wrapping_type,
    parse,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.limits import TooLarge

# Two questions for the whole schema in one operation.
_TIMES = 2
_TOLD = "Introspection could tell {} values; {} are allowed: twice what tools ask for that read the whole schema."
# Lists of parts that belong to one whole each: below `types` all of them together are told once.
_PARTS = ("fields", "args", "inputFields", "enumValues", "types", "directives")


def values_told(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> int:
    """How many values of the schema the operation of a valid document could tell."""
    told = _Told(schema, _sizes(schema), document)
    return round(told.selections(operation.selection_set, schema.query_type, False, 0))


def too_much(schema: GraphQLSchema, told: int) -> TooLarge | None:
    """The error, when so many values of the schema are too many."""
    most = _sizes(schema).most
    return TooLarge("COST", told, most, _TOLD) if told > most else None


def mend(schema: GraphQLSchema) -> None:
    """Answer `__Type.isOneOf` as GraphQL has it (4.2.2): null but for input objects, also for wrapping types."""
    asked = schema.type_map["__Type"]
    if isinstance(asked, GraphQLObjectType):
        asked.fields["isOneOf"].resolve = _is_one_of


def _is_one_of(asked: Any, _info: Any) -> bool | None:
    if not is_input_object_type(asked):
        return None
    declared = asked.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return asked.is_one_of or (declared is not None and declared.is_one_of)


class _Sizes:
    """How long the lists of a schema are: on average, and at most; how deep its types are wrapped; what is allowed."""

    def __init__(self, schema: GraphQLSchema) -> None:
        lengths: dict[str, list[int]] = {}
        self.wrappers = 0
        for name, found in _lists(schema):
            lengths.setdefault(name, []).append(len(found))
            for part in found if name in ("__Type.fields", "__Type.inputFields", "__Field.args") else ():
                self.wrappers = max(self.wrappers, _wrappers(part.type))
        self.average = {name: sum(found) / len(found) for name, found in lengths.items()}
        self.largest = {name: max(found) for name, found in lengths.items()}
        whole = parse(
            get_introspection_query(
                specified_by_url=True,
                directive_is_repeatable=True,
                schema_description=True,
                input_value_deprecation=True,
                one_of=True,
            )
        )
        [operation] = (part for part in whole.definitions if isinstance(part, OperationDefinitionNode))
        told = _Told(schema, self, whole).selections(operation.selection_set, schema.query_type, False, 0)
        self.most = _TIMES * round(told)


_sizes = lru_cache(4)(_Sizes)


def _lists(schema: GraphQLSchema) -> Iterator[tuple[str, list[Any]]]:
    """Every list that introspection could tell, with the field that tells it."""
    types = list(schema.type_map.values())
    yield "__Schema.types", types
    yield "__Schema.directives", list(schema.directives)
    for directive in schema.directives:
        yield "__Directive.args", list(directive.args.values())
    for kind in types:
        fields: list[Any] = list(getattr(kind, "fields", {}).values())
        given = is_input_object_type(kind)
        yield "__Type.inputFields", fields if given else []
        yield "__Type.fields", [] if given else fields
        yield "__Type.enumValues", list(getattr(kind, "values", {}))
        yield "__Type.interfaces", list(getattr(kind, "interfaces", ()))
        yield "__Type.possibleTypes", _possible(schema, kind)
        for field in () if given else fields:
            yield "__Field.args", list(field.args.values())


def _possible(schema: GraphQLSchema, kind: GraphQLNamedType) -> list[Any]:
    return list(schema.get_possible_types(kind)) if is_abstract_type(kind) else []


def _wrappers(kind: Any) -> int:
    return 1 + _wrappers(kind.of_type) if is_wrapping_type(kind) else 0


class _Told:
    """Counts the values that introspection could tell at most; each fragment is walked once for each kind of place.

    `whole`: the place is below `types` or `directives`, where each part of the schema stands once. `wrappers`: how
    often `ofType` leads on from there.
    """

    def __init__(self, schema: GraphQLSchema, sizes: _Sizes, document: DocumentNode) -> None:
        self._schema = schema
        self._sizes = sizes
        self._fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, bool, int], float] = {}

    def selections(
        self, node: SelectionSetNode | None, parent: GraphQLNamedType | None, whole: bool, wrappers: int
    ) -> float:
        """The values for one object of the type, the average one where `whole`, else the largest."""
        told = 0.0
        for selection in node.selections if node is not None else ():
            if isinstance(selection, FieldNode):
                told += self._field(selection, parent, whole, wrappers)
            elif isinstance(selection, InlineFragmentNode):
                told += self.selections(selection.selection_set, parent, whole, wrappers)
            elif isinstance(selection, FragmentSpreadNode):
                told += self._fragment(selection.name.value, parent, whole, wrappers)
        return told

    def _fragment(self, name: str, parent: GraphQLNamedType | None, whole: bool, wrappers: int) -> float:
        place = name, whole, wrappers
        if place not in self._known:
            self._known[place] = self.selections(self._fragments[name].selection_set, parent, whole, wrappers)
        return self._known[place]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, whole: bool, wrappers: int) -> float:
        name = node.name.value
        if name == "__schema":
            return 1 + self.selections(node.selection_set, self._schema.type_map["__Schema"], True, 0)
        if name == "__type":
            return 1 + self.selections(node.selection_set, self._schema.type_map["__Type"], False, 0)
        if not isinstance(parent, GraphQLObjectType) or not is_introspection_type(parent):
            return 0  # A root field, and nothing below it leads to the schema.
        if name == "ofType":
            return 1 + (self.selections(node.selection_set, parent, False, wrappers - 1) if wrappers else 0)
        if name == "__typename" or is_leaf_type(inner := get_named_type(parent.fields[name].type)):
            return 1
        size = (self._sizes.average if whole else self._sizes.largest).get(f"{parent.name}.{name}", 1)
        below = self._sizes.wrappers if name == "type" else 0
        return 1 + size * (1 + self.selections(node.selection_set, inner, whole and name in _PARTS, below))
