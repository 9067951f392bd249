"""Documents made from the schema itself, so that a new field is in the tests from its first day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from counterfoil.api import build_schema

SCHEMA = build_schema()._schema
AN_ID = "cus_00000000000000000000000000"
FILE = "$file"


def object_type(name: str) -> GraphQLObjectType:
    """The object type of that name."""
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return kind


QUERY = object_type("Query")
MUTATION = object_type("Mutation")
SUBSCRIPTION = object_type("Subscription")


def objects() -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    """The types with fields, those of introspection apart."""
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            yield kind


def is_connection(field: GraphQLField) -> bool:
    """Whether the field is a list in pages."""
    return get_named_type(field.type).name.endswith("Connection")


def is_list(field: GraphQLField) -> bool:
    """Whether the field is a list without pages."""
    kind = field.type
    return is_list_type(kind.of_type if isinstance(kind, GraphQLNonNull) else kind)


def can_be_omitted(field: GraphQLField) -> bool:
    """Whether no argument of the field is required."""
    return not any(is_required_argument(argument) for argument in field.args.values())


def leaves(kind: Any) -> list[str]:
    """The fields of a type that are values."""
    return [
        name
        for name, field in kind.fields.items()
        if is_leaf_type(get_named_type(field.type)) and can_be_omitted(field)
    ]


def smallest_selection(kind: GraphQLOutputType) -> str:
    """`{ __typename }`, or nothing for a value."""
    return "" if is_leaf_type(get_named_type(kind)) else " { __typename }"


def smallest_call(name: str, field: GraphQLField) -> str:
    """The field with its required arguments only, and what it must select."""
    required = [
        f"{argument}: {literal(definition.type)}"
        for argument, definition in field.args.items()
        if is_required_argument(definition)
    ]
    return name + (f"({', '.join(required)})" if required else "") + smallest_selection(field.type)


def smallest_document(operation: str, name: str, field: GraphQLField) -> str:
    """The field with its required arguments only, as the only one of an operation."""
    call = smallest_call(name, field)
    return f"{operation}{f' ({FILE}: Upload!)' if FILE in call else ''} {{ {call} }}"


def literal(kind: Any) -> str:
    """Some value of an input type, with its required fields only."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if is_list_type(kind):
        return f"[{literal(kind.of_type)}]"
    if kind.name == "Upload":
        # No literal is one: the document that calls the field declares the variable.
        return FILE
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        fields = [
            f"{name}: {literal(field.type)}" for name, field in kind.fields.items() if is_required_input_field(field)
        ]
        return "{" + ", ".join(fields) + "}"
    some: dict[str, str] = {"Int": "1", "Boolean": "true", "ID": f'"{AN_ID}"', "DateTime": '"2026-01-31T09:30:00Z"'}
    some["Date"] = '"2026-01-31"'
    return some.get(str(kind.name), '"something"')
