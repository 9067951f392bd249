"""Before anything runs: how many nodes an operation could return, and which of several operations is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import get_introspection_query

import models
from counterfoil.door import introspection
from models import Permission
from models.communication import ATTACHMENTS, DeliveryStatus
from schema.limits import Limits
from schema.plan import MOST_COUNTED
from schema.statement import MOST_LINES, MOST_SECTIONS
from tests import factories
from tests.client import Client, ClientWith, observed

pytestmark = pytest.mark.anyio

MAX_NODES = Limits().nodes
AN_ID = "con_00000000000000000000000000"

# The only statement of a request that is refused: who sends it.
SENDER = "FROM session"

PEOPLE = "query {0} {{ customers(first: {1}) {{ edges {{ node {{ contacts(first: {2}) {{ totalCount }} }} }} }} }}"


async def refused(client: Client, database: models.Database, text: str, variables: Mapping[str, Any]) -> bool:
    """Whether the operation is refused for its size; then nothing has been read but who sends it."""
    with observed(database) as seen:
        await client.run(text, **variables)
    if client.errors == []:
        return False
    assert client.codes == ["COST_LIMIT"], client.errors
    assert [sql for sql in seen if SENDER not in sql] == []
    return True


async def nodes_told(client: Client, text: str, **variables: Any) -> int:
    """How many nodes the refusal of a query says that it could return."""
    await client.run(text, **variables)
    assert client.codes == ["COST_LIMIT"], client.errors
    return int(client.errors[0]["message"].split(" nodes")[0].rpartition(" ")[2].replace(",", ""))


async def cost(client: Client, text: str, **variables: Any) -> int:
    """How many nodes an operation that is not refused could return."""
    headers = {"Counterfoil-Cost": "1"}
    response = await client.http.post("/graphql", json={"query": text, "variables": variables}, headers=headers)
    answer = response.json()
    assert "errors" not in answer, answer
    return int(answer["extensions"]["cost"]["nodes"])


async def test_twenty_thousand_nodes_and_no_more(client: Client, database: models.Database) -> None:
    assert MAX_NODES == 20_000
    # 99 * (1 + 100) and 100 * (1 + 99) leave room for one.
    two = "{{ customers(first: 99) {{ edges {{ node {{ contacts(first: 100) {{ totalCount }} }} }} }}"
    two += " contacts(first: 100) {{ edges {{ node {{ notes(first: {0}) {{ totalCount }} }} }} }}"
    two += " contactRoles(first: {1}) {{ totalCount }} }}"
    assert not await refused(client, database, two.format(99, 1), {})
    assert await nodes_told(client, two.format(99, 2)) == 20_001
    assert await refused(client, database, two.format(99, 2), {})


# Variable definitions, the two sizes as the document says them, and the variables that are sent.
WRITTEN: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "literals": ("", "100", "100", {}),
    "variables": ("($a: Int, $b: Int)", "$a", "$b", {"a": 100, "b": 100}),
    "defaults": ("($a: Int = 100, $b: Int! = 100)", "$a", "$b", {}),
    "variables before defaults": ("($a: Int = 1, $b: Int! = 1)", "$a", "$b", {"a": 100, "b": 100}),
    "whole numbers with a point": ("($a: Int = 1, $b: Int)", "$a", "$b", {"a": 100.0, "b": 100.0}),
}


async def test_pages_are_counted_however_they_are_written(client: Client, database: models.Database) -> None:
    for name, (given, first, second, variables) in WRITTEN.items():
        text = PEOPLE.format(given, first, second)
        assert not await refused(client, database, text, variables), name
        twice = text.removesuffix("}") + f"more: contacts(first: {first}) {{ edges {{ node {{ notes(first: {second})"
        assert await refused(client, database, f"{twice} {{ totalCount }} }} }} }} }}", variables), name


async def test_a_negative_page_makes_no_room_for_others(client: Client, database: models.Database) -> None:
    large = "contacts(first: 100) { edges { node { notes(first: 100) { edges { node { customer { contacts(first: 100)"
    large += " { totalCount } } } } } } } }"
    assert await refused(client, database, f"{{ customers(first: -2000000000) {{ totalCount }} {large} }}", {})
    text = f"query ($n: Int) {{ customers(first: $n) {{ totalCount }} {large} }}"
    assert await refused(client, database, text, {"n": -2_000_000_000})


async def test_a_smaller_variable_makes_a_large_default_harmless(client: Client, database: models.Database) -> None:
    text = "query ($n: Int = 100) { customers(first: $n) { edges { node { contacts(first: $n) { edges { node {"
    text += " notes(first: $n) { totalCount } } } } } } } }"
    assert await refused(client, database, text, {})
    assert not await refused(client, database, text, {"n": 20})
    # Null is the same as to leave it out of the field: the default page of twenty.
    assert not await refused(client, database, text, {"n": None})
    assert await nodes_told(client, text, n=100) == 100 * (1 + 100 * (1 + 100))


async def test_pages_from_the_end_and_pages_of_default_size_count_too(
    client: Client, database: models.Database
) -> None:
    text = "{ customers(last: 100) { edges { node { contacts { edges { node { notes(last: 100) { totalCount } }"
    text += " } } } } } }"
    assert await nodes_told(client, text) == 100 * (1 + 20 * (1 + 100))


async def test_fragments_count_once_for_each_time_that_they_are_spread(client: Client) -> None:
    await spread_so_often(client, 1)
    await spread_so_often(client, 3)


async def spread_so_often(client: Client, times: int) -> None:
    spread = " ".join(
        f"l{number}: customers(first: 100) {{ edges {{ node {{ ...People }} }} }}" for number in range(times)
    )
    text = f"{{ {spread} }} fragment People on Customer {{ ...More contacts(first: 100) {{ totalCount }} }}"
    text += " fragment More on Customer { ... on Customer { locations(first: 100) { totalCount } } }"
    assert await nodes_told(client, text) == times * 100 * (1 + 100 + 100)


async def test_objects_by_their_ids_count_as_many_as_there_are_ids(client: Client, database: models.Database) -> None:
    ids = [(await factories.customer(client))["id"] for _ in range(3)]
    wanted = "id ... on Customer { contacts(first: 100) { edges { node { notes(first: 99) { totalCount } } } } }"
    text = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {wanted} }} }}"
    assert not await refused(client, database, text, {"ids": ids[:1]})
    assert await nodes_told(client, text, ids=ids) == 3 * (1 + 100 * (1 + 99))
    literal = ", ".join(f'"{identifier}"' for identifier in ids)
    assert await nodes_told(client, f"{{ nodes(ids: [{literal}]) {{ {wanted} }} }}") == 3 * (1 + 100 * (1 + 99))
    assert not await refused(client, database, f'{{ nodes(ids: "{ids[0]}") {{ {wanted} }} }}', {})


async def test_lists_without_pages_count_as_many_as_they_may_hold(client: Client, database: models.Database) -> None:
    text = "query ($id: ID!) {{ contact(id: $id) {{ {} }} }}"
    everybody = "alsoAt(first: 100) { alsoAt(first: 100) { alsoAt(first: 100) { id } } }"
    assert await nodes_told(client, text.format(everybody), id=AN_ID) == 1_010_100
    assert await refused(client, database, text.format(everybody), {"id": AN_ID})
    usual = text.format("alsoAt { alsoAt { alsoAt { id } } }")
    assert await cost(client, usual, id=AN_ID) == 10 + 100 + 1000
    given = "query ($id: ID!, $n: Int = 100) { contact(id: $id) { alsoAt(first: $n) { id } } }"
    assert [await cost(client, given, id=AN_ID), await cost(client, given, id=AN_ID, n=3)] == [100, 3]
    read = "{ communications(first: 10) { edges { node { statuses { status } } } } }"
    assert await cost(client, read) == 10 * (1 + len(DeliveryStatus))
    statement = "{ customers(first: 1) { edges { node { statement { sections { lines { day } } } } } } }"
    assert await cost(client, statement) == 1 + MOST_SECTIONS * (1 + MOST_LINES)


async def test_values_of_rows_cost_nothing(client: Client) -> None:
    values = "methods { id } notifications { kind } portalPermissions { module } receives { kind included }"
    people = f"contacts(first: 20) {{ edges {{ node {{ {values} alsoAt {{ {values} }} }} }} }}"
    text = f"{{ customers(first: 50) {{ edges {{ node {{ methods {{ id }} {people} }} }} }} }}"
    assert await cost(client, text) == 50 * (1 + 20 * (1 + 10))
    pages = {
        "history": "changes { field }",
        "reminderWorkflows": "steps { days }",
        "communications": "attachments { name downloadUrl }",
    }
    for name, selected in pages.items():
        assert await cost(client, f"{{ {name}(first: 100) {{ edges {{ node {{ {selected} }} }} }} }}") == 100, name
    rest = "{ settings { notifications { kind } } templateVariables(kind: STATEMENT) { name } }"
    assert await cost(client, rest) == 0


async def test_values_count_as_soon_as_they_lead_to_rows(client: Client) -> None:
    steps = "{{ reminderWorkflows(first: 10) {{ edges {{ node {{ steps {{ days {} }} }} }} }} }}"
    fragments = " fragment A on ReminderStep { ... { ...B } } fragment B on ReminderStep { template { name } }"
    for selected, rest in (("template { name }", ""), ("...A ...B", fragments)):
        assert await cost(client, steps.format(selected) + rest) == 10 * (1 + 20)
    attached = "{ communications(first: 10) { edges { node { attachments { document { name } } } } } }"
    assert await cost(client, attached) == 10 * (1 + ATTACHMENTS)


async def test_a_mutation_of_many_counts_what_is_asked_of_each(client: Client, database: models.Database) -> None:
    contacts = [{"id": (await factories.contact(client))["id"]} for _ in range(3)]
    wanted = "contacts { customer { contacts(first: 100) { edges { node { notes(first: 99) { totalCount } } } } } }"
    given, input = "$contacts: [ContactRevisionInput!]!", "{ contacts: $contacts }"
    text = f"mutation ({given}) {{ setContactRoles(input: {input}) {{ {wanted} }} }}"
    whole = f"mutation ($input: SetContactRolesInput!) {{ setContactRoles(input: $input) {{ {wanted} }} }}"
    for document, variables in ((text, {"contacts": contacts}), (whole, {"input": {"contacts": contacts}})):
        assert await nodes_told(client, document, **variables) == 3 * (1 + 100 * (1 + 99))
        assert await refused(client, database, document, variables)
    assert not await refused(client, database, text, {"contacts": contacts[:1]})


async def test_what_does_not_come_in_pages_costs_nothing(client: Client, database: models.Database) -> None:
    names = "permissions user { role { name } } actor { name }"
    assert not await refused(client, database, f"{{ viewer {{ {names} }} __schema {{ types {{ name }} }} }}", {})


# Tools that read the whole schema, with all that they may ask for.
WHOLE = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    one_of=True,
)


def aliased(selected: str) -> str:
    """The selection as often as a document may have aliases."""
    return " ".join(f"a{number}: {selected}" for number in range(15))


# What is selected of each type of the schema.
TOO_MUCH = (
    f"fields {{ type {{ ofType {{ {aliased('fields { name description args { name type { name } } }')} }} }} }}",
    f"fields {{ {aliased('type { kind name ofType { kind name ofType { name } } }')} }}",
    "...A } } } fragment A on __Type { fields { type { ...B } } } fragment B on __Type { ... { fields { name",
    "fields { type { fields { args { name } } } }",
    f"name }} }} {aliased('__schema { types { fields { type { kind } args { name } } } }')} __schema {{ types {{ name",
)


async def test_introspection_tells_the_whole_schema_twice_and_no_more(client: Client) -> None:
    for text in (WHOLE, get_introspection_query(), get_introspection_query(type_depth=15)):
        await client.run(text)
        assert client.errors == []
    begin, end = WHOLE.index("{") + 1, WHOLE.index("fragment FullType")
    asked, fragments = WHOLE[begin:end].strip().removesuffix("}"), WHOLE[end:]
    # Twice in one operation, not thrice.
    await client.run(f"{{ {asked} again: {asked} }}{fragments}")
    assert client.errors == []
    await client.run(f"{{ {asked} again: {asked} more: __schema {{ types {{ name }} }} }}{fragments}")
    assert client.codes == ["COST_LIMIT"]


async def test_introspection_that_repeats_itself_is_refused_before_it_runs(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection, "execute_sync", None)
    for selected in TOO_MUCH:
        text = f"{{ __schema {{ types {{ {selected} }} }} }}"
        assert await client.run(text) == {}
        assert client.codes == ["COST_LIMIT"], text
        assert "Introspection" in client.errors[0]["message"]
    stranger = Client()
    assert await stranger.run("{ __schema { types { fields { type { fields { args { name } } } } } } }") == {}
    assert stranger.codes == ["COST_LIMIT"]


async def test_what_cannot_be_counted_any_more_is_told_as_the_largest_number(client: Client) -> None:
    huge = "customers(first: 2147483647) { edges { node { contacts(first: 2147483647) { edges { node {"
    huge = f"{{ {huge} history(first: 2147483647) {{ totalCount }} }} }} }} }} }} }} }}"
    for someone, wanted in ((client, "COST_LIMIT"), (Client(), "UNAUTHENTICATED")):
        headers = {"Counterfoil-Cost": "1"}
        response = await someone.http.post("/graphql", json={"query": huge}, headers=headers)
        assert response.json()["errors"][0]["extensions"]["code"] == wanted
        assert response.json()["extensions"]["cost"]["nodes"] == MOST_COUNTED
        events = {**headers, "Accept": "text/event-stream"}
        streamed = await someone.http.post("/graphql", json={"query": huge}, headers=events)
        assert wanted in streamed.text
        assert "event: complete" in streamed.text
    text = "query ($n: Int) { customers(first: $n) { edges { node { contacts(first: $n) { totalCount } } } } }"
    assert await nodes_told(client, text, n=1e300) == MOST_COUNTED


async def test_a_permission_is_asked_for_before_the_size(client_with: ClientWith) -> None:
    actor = await client_with([Permission.NOTES_READ])
    await actor.run(PEOPLE.format("", "100", "100") + " ")
    assert actor.codes == ["FORBIDDEN"]


SEVERAL = """
query a { viewer { actor { name } } }
query b { customers { totalCount } }
mutation c { signOut { errors { code } } }
"""


async def test_of_several_operations_the_request_must_name_one(client: Client) -> None:
    await client.run(SEVERAL)
    assert client.codes == ["BAD_REQUEST"]
    assert "operationName" in client.errors[0]["message"]
    response = await client.http.post("/graphql", json={"query": SEVERAL, "operationName": "b"})
    assert response.json() == {"data": {"customers": {"totalCount": 0}}}


async def test_an_operation_that_is_not_there_does_not_run(client_with: ClientWith) -> None:
    actor = await client_with()
    names: list[Any] = ["", "d", 5, {}, [], [1], True]
    for name in names:
        for text in (SEVERAL, "query b { customers { totalCount } }"):
            response = await actor.http.post("/graphql", json={"query": text, "operationName": name})
            assert response.status_code == 422, name
            assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST", name
            assert "data" not in response.json(), name


async def test_only_the_operation_that_runs_needs_its_permissions(client_with: ClientWith) -> None:
    actor = await client_with()
    response = await actor.http.post("/graphql", json={"query": SEVERAL, "operationName": "a"})
    assert response.json() == {"data": {"viewer": {"actor": {"name": "Uwe User"}}}}
    response = await actor.http.post("/graphql", json={"query": SEVERAL, "operationName": "b"})
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
