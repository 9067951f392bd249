"""Every field and every mutation says who may use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, parse

from counterfoil.api import sdl
from models import Permission
from schema.access import PUBLIC, SIGNED_IN, AccessRule, needs
from schema.plan import access_of, plan
from tests.schema.documents import MUTATION, QUERY, SCHEMA, SUBSCRIPTION, object_type, objects

# What somebody not signed in may call.
PUBLIC_FIELDS = {"setContactPassword", "signIn"}


def undeclared(schema: GraphQLSchema) -> Iterator[str]:
    """The fields of which nobody says who may use them."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            yield from (f"{kind.name}.{name}" for name in kind.fields if access_of(kind, name) is None)


@strawberry.type
class Leaky:
    """A type that says nothing."""

    told: int = strawberry.field(directives=[SIGNED_IN])
    untold: int


@strawberry.type(directives=[PUBLIC])
class LeakyQuery:
    """A query that leads there."""

    leaky: Leaky


LEAKY = strawberry.Schema(query=LeakyQuery)._schema


def test_every_field_names_its_access() -> None:
    assert list(undeclared(SCHEMA)) == []


def test_a_field_that_does_not_is_found() -> None:
    assert list(undeclared(LEAKY)) == ["Leaky.untold"]


def test_a_field_that_does_not_cannot_be_planned_either() -> None:
    with pytest.raises(TypeError, match=r"Leaky\.untold"):
        plan(LEAKY, parse("{ leaky { untold } }"), None)


def test_root_fields_never_lean_on_a_parent_and_say_it_themselves() -> None:
    for kind in (QUERY, MUTATION, SUBSCRIPTION):
        rules = {name: access.rule for name in kind.fields if (access := access_of(kind, name)) is not None}
        assert rules.keys() == kind.fields.keys()
        assert AccessRule.PARENT not in rules.values()
        public = {name for name, rule in rules.items() if rule is AccessRule.PUBLIC}
        assert public == (PUBLIC_FIELDS if kind is MUTATION else set())


def test_a_permission_rule_names_permissions_and_no_other_rule_does() -> None:
    for kind in objects():
        for name in kind.fields:
            access = access_of(kind, name)
            assert access is not None
            assert bool(access.any_of) is (access.rule is AccessRule.PERMISSION), f"{kind.name}.{name}"


def test_what_a_field_says_goes_before_what_its_type_says() -> None:
    assert access_of(object_type("Customer"), "name") == needs(Permission.CUSTOMERS_READ)
    assert access_of(object_type("Customer"), "notes") == needs(Permission.NOTES_READ)


def test_a_plan_collects_what_fragments_and_interfaces_lead_to() -> None:
    document = parse(
        """query a { node(id: "x") { ... on Note { body } ...C } } fragment C on Customer { history { totalCount } }
        query b { viewer { permissions } }"""
    )
    wanted = {need.coordinate: need.any_of for need in plan(SCHEMA, document, "a").needs}
    assert wanted == {
        "Query.node": frozenset(),
        "Note.body": {Permission.NOTES_READ},
        "Customer.history": {Permission.HISTORY_READ},
    }
    assert [need.coordinate for need in plan(SCHEMA, document, "b").needs] == ["Query.viewer"]


def test_the_exported_schema_tells_who_may_use_what() -> None:
    text = sdl()
    assert "type Customer implements Node @access(rule: PERMISSION, anyOf: [CUSTOMERS_READ])" in text
    assert "viewer: Viewer! @access(rule: SIGNED_IN, anyOf: [])" in text
