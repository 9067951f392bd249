"""The schema as a whole: what is committed, what is described, and which forms it keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_composite_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from counterfoil.api import sdl
from schema.connection import LIST
from schema.field import AT_MOST, SIZED_BY, Derived, kind_of
from schema.values import holds_values
from tests.schema.documents import MUTATION, QUERY, SCHEMA, is_connection, is_list, object_type, objects

COMMITTED = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"

CONNECTIONS = [kind.name for kind in objects() if kind.name.endswith("Connection")]
PAYLOADS = [kind.name for kind in objects() if kind.name.endswith("Payload") and kind.name != "Payload"]
MUTATIONS = list(MUTATION.fields)


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """The coordinates of what has no description."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        if not kind.description:
            yield kind.name
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in kind.fields.items():
                if not field.description:
                    yield f"{kind.name}.{name}"
                for argument, definition in getattr(field, "args", {}).items():
                    if not definition.description:
                        yield f"{kind.name}.{name}({argument}:)"
        if isinstance(kind, GraphQLEnumType):
            yield from (f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description)
    for directive in schema.directives:
        if not directive.description and not is_specified_directive(directive):
            yield f"@{directive.name}"


def types_of(name: str) -> dict[str, str]:
    return {field: str(definition.type) for field, definition in object_type(name).fields.items()}


def test_the_committed_schema_is_fresh() -> None:
    assert COMMITTED.read_text("utf-8") == sdl(), "run: python -m counterfoil export-schema"


def test_everything_is_described() -> None:
    assert list(undescribed(SCHEMA)) == []


def test_what_is_not_described_is_found() -> None:
    bare = build_schema(
        'directive @d on FIELD type Query { a(b: Int): E "With words." c: Int } enum E { X } input I { y: Int }'
    )
    assert set(undescribed(bare)) == {"Query", "Query.a", "Query.a(b:)", "E", "E.X", "I", "I.y", "@d"}


def test_scalars_of_our_own_say_where_they_are_specified() -> None:
    ours = [
        kind
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLScalarType) and not is_specified_scalar_type(kind)
    ]
    assert {kind.name for kind in ours} == {"Date", "DateTime", "JSON", "Upload"}
    assert all((kind.specified_by_url or "").startswith("https://") for kind in ours)


def test_node_is_the_interface_of_relay() -> None:
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    assert {name: str(field.type) for name, field in node.fields.items()} == {"id": "ID!"}
    one, several = QUERY.fields["node"], QUERY.fields["nodes"]
    assert (str(one.type), str(one.args["id"].type)) == ("Node", "ID!")
    assert (str(several.type), str(several.args["ids"].type)) == ("[Node]!", "[ID!]!")


def test_whatever_has_an_id_of_its_own_is_a_node() -> None:
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    parts_of_others = {"Actor", "Subject", "ContactMethod", "Reference"}
    with_id = {kind.name for kind in objects() if "id" in kind.fields and isinstance(kind, GraphQLObjectType)}
    assert with_id - parts_of_others == {kind.name for kind in SCHEMA.get_possible_types(node)}


def test_page_info_has_the_fields_of_relay() -> None:
    assert types_of("PageInfo") == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


@pytest.mark.parametrize("name", CONNECTIONS)
def test_connections_have_the_form_of_relay(name: str) -> None:
    item = name.removesuffix("Connection")
    assert types_of(name) == {"edges": f"[{item}Edge!]!", "pageInfo": "PageInfo!", "totalCount": "Int!"}
    assert types_of(f"{item}Edge") == {"cursor": "String!", "node": f"{item}!"}


def test_fields_that_return_connections_take_the_arguments_of_relay() -> None:
    paging = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
    for kind in objects():
        for name, field in kind.fields.items():
            if is_connection(field):
                arguments = {argument: str(definition.type) for argument, definition in field.args.items()}
                assert arguments.items() >= paging.items(), f"{kind.name}.{name}"
                assert isinstance(field.type, GraphQLNonNull), f"{kind.name}.{name}"


def test_lists_hold_no_nulls_but_where_an_object_may_be_gone() -> None:
    holes = [
        f"{kind.name}.{name}"
        for kind in objects()
        for name, field in kind.fields.items()
        if is_list(field) and "!]" not in str(field.type)
    ]
    assert holes == ["Query.nodes"]


# Lists of objects whose length no field says, and why what they may cost is bounded all the same.
SIZED_ELSEWHERE = {
    "edges": "the connection counts them",
    "Payload.events": "what the mutation left: to write it costs more than to read it",
    "Payload.errors": "values only, one for each fault of the input",
    "ProbableDuplicatePage.pairs": "Query.probableDuplicates counts them",
    "Recipients.recipients": "whatever returns Recipients counts them",
    "ReminderPlanPage.emails": "Query.reminderPlan counts them",
    "CommunicationPreview.deliveries": "Query.previewCommunication counts them",
    "CommunicationPreview.attachments": "Query.previewCommunication counts more than there may be of them",
    "CommunicationPreview.errors": "values only, one for each fault of the input",
    "TemplatePreview.problems": "values only, as many as the source has, whose length is limited",
    "SetContactRolesPayload.contacts": "Mutation.setContactRoles counts them",
    "LinkContactsPayload.contacts": "Mutation.linkContacts counts them",
}


def test_the_size_of_every_list_of_objects_is_known_before_it_is_read() -> None:
    unsized = set()
    for kind in objects():
        for name, field in kind.fields.items():
            declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            sizes = {LIST, AT_MOST, SIZED_BY} & set(declared.metadata if declared else ())
            if (is_list(field) and is_composite_type(get_named_type(field.type))) and not sizes:
                payload = kind.name.endswith("Payload") and name in ("events", "errors")
                unsized.add("edges" if kind.name in CONNECTIONS else f"{'Payload' if payload else kind.name}.{name}")
            assert not is_connection(field) or sizes == {LIST}, f"{kind.name}.{name}"
    assert unsized == set(SIZED_ELSEWHERE)


# Lists of values of their row that no derived field declares, and what is read for all of their objects at once.
READ_AT_ONCE = {
    "Contact.notifications": "the settings, one row for all contacts",
    "Contact.portalPermissions": "the settings, one row for all contacts",
    "Contact.receives": "the contact's role and settings, once for each contact",
    "HistoryEvent.changes": "the detail of the event, which is part of it",
    "Query.templateVariables": "nothing: the program knows them",
}


def test_lists_that_cost_no_nodes_are_values_of_their_row() -> None:
    values = {
        f"{kind.name}.{name}": kind_of(field)
        for kind in objects()
        for name, field in kind.fields.items()
        if holds_values(kind, field)
    }
    assert {name for name, kind in values.items() if not isinstance(kind, Derived)} == set(READ_AT_ONCE)
    assert {"Contact.methods", "Customer.methods", "ReminderWorkflow.steps", "Settings.notifications"} <= set(values)
    assert not {"StatementSection.lines", "Delivery.timeline", "Communication.statuses"} & set(values)


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutations_are_named_verb_noun_with_an_input_and_a_payload_of_that_name(name: str) -> None:
    field = MUTATION.fields[name]
    stem = name[0].upper() + name[1:]
    # Nullable: a mutation that fails does not erase the results of its siblings.
    assert str(field.type) == f"{stem}Payload"
    arguments = {argument: str(definition.type) for argument, definition in field.args.items()}
    assert arguments == ({} if name == "signOut" else {"input": f"{stem}Input!"})


@pytest.mark.parametrize("name", PAYLOADS)
def test_payloads_have_events_and_errors_and_nothing_else_that_is_never_null(name: str) -> None:
    fields = types_of(name)
    assert fields.pop("events") == "[HistoryEvent!]!"
    assert fields.pop("errors") == "[UserError!]!"
    assert [field for field, kind in fields.items() if kind.endswith("!")] == []


def test_every_payload_belongs_to_a_mutation() -> None:
    assert sorted(PAYLOADS) == sorted(get_named_type(field.type).name for field in MUTATION.fields.values())


def test_inputs_of_changes_may_say_which_revision_they_expect() -> None:
    without = [
        kind.name
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLInputObjectType) and "id" in kind.fields and "expectedRevision" not in kind.fields
    ]
    assert without == ["ContactMethodInput", "ReferenceInput"]
