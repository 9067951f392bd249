"""Which fields read rows, and which only tell what their row has in itself: that costs no nodes."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLField, GraphQLNamedType, get_named_type, is_leaf_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.field import AT_MOST, KIND, VALUES, Batched, Derived


def holds_values(parent: GraphQLNamedType, graphql_field: GraphQLField) -> bool:
    """Whether a list reads no rows for its objects: what a row of a table has in itself, and what is declared so."""
    declared = _declaration(graphql_field)
    if declared is None or AT_MOST not in declared.metadata:
        return False
    return VALUES in declared.metadata or (_is_node(parent) and isinstance(declared.metadata.get(KIND), Derived))


def leads_to_rows(graphql_field: GraphQLField) -> bool:
    """Whether a field's object is a row, or made of rows that were read for it."""
    inner, declared = get_named_type(graphql_field.type), _declaration(graphql_field)
    if is_leaf_type(inner):
        return False
    made = declared is None or not declared.is_basic_field or isinstance(declared.metadata.get(KIND), Batched)
    return made or _is_node(inner)


def _is_node(graphql_type: GraphQLNamedType) -> bool:
    # Its source is a row of a table; that of other types may be made of several.
    return graphql_type.name == "Node" or "Node" in {each.name for each in getattr(graphql_type, "interfaces", ())}


def _declaration(graphql_field: GraphQLField) -> Any:
    return graphql_field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
