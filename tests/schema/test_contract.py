"""The names that front ends rely on: contract.graphql is a part of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
    validate,
)

from tests.client import BY_NAME, OPERATIONS
from tests.schema.documents import SCHEMA

CONTRACT = (Path(__file__).parent / "contract.graphql").read_text("utf-8")

KINDS: dict[type[DefinitionNode], type[GraphQLNamedType]] = {
    ObjectTypeDefinitionNode: GraphQLObjectType,
    InterfaceTypeDefinitionNode: GraphQLInterfaceType,
    InputObjectTypeDefinitionNode: GraphQLInputObjectType,
    EnumTypeDefinitionNode: GraphQLEnumType,
}


def missing(contract: str) -> Iterator[str]:
    """What the contract names and the schema does not have, or has otherwise."""
    for definition in parse(contract).definitions:
        name = definition.name.value  # type: ignore[attr-defined]
        kind = SCHEMA.type_map.get(name)
        if not isinstance(kind, KINDS[type(definition)]):
            yield name
        elif isinstance(kind, GraphQLEnumType):
            yield from (f"{name}.{value}" for value in values(definition) if value not in kind.values)
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            yield from missing_fields(definition, kind)


def values(definition: DefinitionNode) -> list[str]:
    assert isinstance(definition, EnumTypeDefinitionNode)
    return [value.name.value for value in definition.values or ()]


def missing_fields(
    definition: DefinitionNode, kind: GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
) -> Iterator[str]:
    if isinstance(definition, ObjectTypeDefinitionNode) and isinstance(kind, GraphQLObjectType):
        has = {interface.name for interface in kind.interfaces}
        yield from (
            f"{kind.name} implements {wanted.name.value}"
            for wanted in definition.interfaces or ()
            if wanted.name.value not in has
        )
    for field in definition.fields:  # type: ignore[attr-defined]
        name = f"{kind.name}.{field.name.value}"
        found = kind.fields.get(field.name.value)
        if found is None or str(found.type) != print_ast(field.type):
            yield f"{name}: {print_ast(field.type)}"
            continue
        for argument in getattr(field, "arguments", None) or ():
            there = found.args.get(argument.name.value)
            if there is None or str(there.type) != print_ast(argument.type):
                yield f"{name}({argument.name.value}: {print_ast(argument.type)})"


def test_the_contract_is_a_part_of_the_schema() -> None:
    assert list(missing(CONTRACT)) == []


@pytest.mark.parametrize(
    ("contract", "found"),
    [
        ("type Nobody { id: ID! }", "Nobody"),
        ("enum Customer { A }", "Customer"),
        ("type Customer { shoeSize: Int }", "Customer.shoeSize: Int"),
        ("type Customer { name: String }", "Customer.name: String"),
        ("type UserError implements Node { code: ErrorCode! }", "UserError implements Node"),
        ("type Customer { contacts(shape: Int): ContactConnection! }", "Customer.contacts(shape: Int)"),
        ("type Customer { contacts(first: Int!): ContactConnection! }", "Customer.contacts(first: Int!)"),
        ("input AddressInput { lines: [String]! }", "AddressInput.lines: [String]!"),
        ("enum OriginKind { LOCAL STOLEN }", "OriginKind.STOLEN"),
    ],
)
def test_what_the_schema_lacks_is_found(contract: str, found: str) -> None:
    assert list(missing(contract)) == [found]


def test_the_operations_validate() -> None:
    assert validate(SCHEMA, parse(OPERATIONS)) == []
    assert len(BY_NAME) == 13
