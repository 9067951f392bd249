"""How many SQL statements a query costs depends on its shape, never on its rows: tried for every list of the schema."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type

import models
from counterfoil.app import create_app
from counterfoil.settings import read_settings
from schema.context import Loaders
from tests import factories
from tests.client import Client, observed
from tests.schema.documents import SCHEMA, can_be_omitted, is_connection, is_list, leaves, objects
from tests.schema.world import World

pytestmark = pytest.mark.anyio

# From the root to a list: type and name of each field on the way.
Way = tuple[tuple[str, GraphQLField], ...]

# Lists that no query reaches without arguments; a test of their own tries them.
APART = {
    "Query.nodes",
    "Query.templateVariables",
    "TemplatePreview.problems",
    "SetContactRolesPayload.contacts",
    "LinkContactsPayload.contacts",
    "ProbableDuplicatePage.pairs",
    "ProbableDuplicatePair.customers",
    "ReminderPlanPage.emails",
    "CommunicationPreview.deliveries",
    "CommunicationPreview.attachments",
    "CommunicationPreview.errors",
    "Recipients.recipients",
    "Settings.notifications",
    "Settings.portalPermissions",
}
# Of few rows all have been read a level above: with many it takes one statement more.
READ_ABOVE = {"Contact.alsoAt alsoAt"}
IN_EVERY_PAYLOAD = {"events", "errors"}


def lists() -> Iterator[tuple[str, str, GraphQLField]]:
    """All fields that return many objects: (type, name, field)."""
    for kind in objects():
        for name, field in kind.fields.items():
            many = is_connection(field) or (is_list(field) and not is_leaf_type(get_named_type(field.type)))
            if many and not kind.name.endswith("Connection"):
                yield kind.name, name, field


def item(field: GraphQLField) -> GraphQLObjectType | GraphQLInterfaceType:
    """The type of the objects to which a field leads, through the edges of a connection."""
    kind = get_named_type(field.type)
    if is_connection(field):
        kind = SCHEMA.type_map[kind.name.removesuffix("Connection")]
    assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    return kind


def ways() -> dict[str, Way]:
    """The shortest way from the root, through lists of the root, to each type."""
    found: dict[str, Way] = {"Query": ()}
    waiting = deque(["Query"])
    while waiting:
        name = waiting.popleft()
        kind = SCHEMA.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        for field_name, field in kind.fields.items():
            if is_leaf_type(get_named_type(field.type)) or not can_be_omitted(field):
                continue
            to = item(field).name
            if (
                to not in found
                and isinstance(item(field), GraphQLObjectType)
                and (name != "Query" or is_connection(field))
            ):
                found[to] = (*found[name], (field_name, field))
                waiting.append(to)
    return found


def selections(kind: GraphQLObjectType | GraphQLInterfaceType) -> Iterator[tuple[str, str]]:
    """What is selected of a type, in turn: all values; then each object with all of its values."""
    yield "values", " ".join(leaves(kind))
    for name, field in kind.fields.items():
        if is_leaf_type(get_named_type(field.type)) or is_connection(field):
            continue
        to = item(field)
        if isinstance(to, GraphQLInterfaceType):
            for possible in SCHEMA.get_possible_types(to):
                yield (
                    f"{name}:{possible.name}",
                    f"{name} {{ ... on {possible.name} {{ {' '.join(leaves(possible))} }} }}",
                )
        else:
            yield name, f"{name} {{ {' '.join(leaves(to))} }}"


def queries() -> Iterator[tuple[str, str]]:
    """For each list of each type that the root leads to: a name, and a query of each of its selections."""
    reached = ways()
    for kind, name, field in lists():
        if kind not in reached or f"{kind}.{name}" in APART:
            continue
        way = (*reached[kind], (name, field))
        pages = sum(is_connection(step) or is_list(step) for _, step in way)
        for selected, text in selections(item(field)):
            inner = item(field).fields.get(selected)
            together = pages + (inner is not None and is_list(inner))
            size = 50 if together <= 2 else 20
            for step_name, step in reversed(way):
                if is_connection(step):
                    text = f"{step_name}(first: {size}) {{ totalCount edges {{ cursor node {{ {text} }} }} }}"
                else:
                    text = f"{step_name} {{ {text} }}"
            yield f"{kind}.{name} {selected}", f"{{ {text} }}"


QUERIES = dict(queries())
NODE = SCHEMA.type_map["Node"]
assert isinstance(NODE, GraphQLInterfaceType)
POSSIBLE = SCHEMA.get_possible_types(NODE)
VALUES = {kind.name: " ".join(leaves(kind)) for kind in POSSIBLE}


def test_every_list_of_the_schema_is_tried() -> None:
    tried = {name.partition(" ")[0] for name in QUERIES}
    untried = {
        f"{kind}.{name}"
        for kind, name, _ in lists()
        if not (kind.endswith("Payload") and name in IN_EVERY_PAYLOAD) and f"{kind}.{name}" not in tried
    }
    assert untried == APART
    assert {"Customer.contacts", "Location.contacts", "HistoryEvent.changes", "Query.customers"} <= tried


async def counted(client: Client, database: models.Database, texts: dict[str, str]) -> dict[str, int]:
    counts = {}
    now = models.clock.now()
    # With each minute that passes, a session is written to once.
    with models.clock.set_to(lambda: now):
        await client.run("{ viewer { permissions } }")
        for name, text in texts.items():
            with observed(database) as seen:
                await client.run(text)
            assert client.errors == [], (name, text)
            counts[name] = len(seen)
    return counts


def without_cost(client: Client) -> Client:
    """The same person, who may ask for long lists in each other: QUERIES cost more than a query may."""
    return Client(client.token, client.user, app=create_app(read_settings(max_nodes=10_000_000)))


async def test_statements_do_not_grow_with_rows(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    roomy = without_cost(client)
    await world.grow(2, 1)
    few = await counted(roomy, database, QUERIES)
    await world.grow(6, 4)
    many = await counted(roomy, database, QUERIES)
    found = await client.run("{ customers { totalCount } contacts { totalCount } }")
    assert [part["totalCount"] for part in found.values()] == [8, 26]
    grown = {name: many[name] - few[name] for name in QUERIES if few[name] != many[name]}
    assert grown == dict.fromkeys(READ_ABOVE, 1)


async def test_a_field_that_reads_row_by_row_is_found(
    client: Client, database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def alone(
        self: Loaders, name: object, fetch: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]], key: object
    ) -> Any:
        return (await fetch([key]))[0]

    monkeypatch.setattr(Loaders, "load", alone)
    assert client.user is not None
    world = World(client.user)
    texts = {
        name: QUERIES[name] for name in ("Query.contacts role", "Customer.contacts values", "Contact.methods values")
    }
    await world.grow(2, 1)
    few = await counted(client, database, texts)
    await world.grow(3, 2)
    many = await counted(client, database, texts)
    assert [name for name in texts if few[name] < many[name]] == ["Query.contacts role", "Customer.contacts values"]


async def test_objects_by_their_ids(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    counts: dict[str, list[int]] = {}
    for parents, children in ((1, 1), (2, 3)):
        await world.grow(parents, children)
        ids = [identifier for some in world.ids.values() for identifier in some[: parents * children]]
        ids += [f"evt_{number + 1}" for number in range(parents)]
        for wanted, values in VALUES.items():
            text = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on {wanted} {{ {values} }} }} }}"
            with observed(database) as seen:
                found = await client.run(text, ids=ids)
            assert client.errors == [], wanted
            assert [node["id"] for node in found["nodes"]] == ids
            counts.setdefault(wanted, []).append(len(seen))
    assert {wanted: (few, many) for wanted, (few, many) in counts.items() if few != many} == {}


async def test_pairs_of_probable_duplicates(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    values = f"{VALUES['Customer']} primaryContact {{ id }}"
    text = f"{{ probableDuplicates(first: 100) {{ pairs {{ reasons customers {{ {values} }} }} endCursor }} }}"
    counts = []
    for parents in (2, 12):
        await world.grow(parents, 1)
        with observed(database) as seen:
            found = (await client.run(text))["probableDuplicates"]
        assert len(found["pairs"]) >= parents / 2
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_the_plan_of_reminders(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    values = f"customer {{ name }} salesDocument {{ {VALUES['SalesDocument']} nextReminder {{ on }} }}"
    values += " recipients { recipients { contact { id } portalAccess { allowed } permitted } } communication { id }"
    text = f"""query ($date: Date!) {{
      reminderPlan(date: $date, first: 100) {{ endCursor emails {{ kind {values} template {{ name }} }} }} }}"""
    counts = []
    for parents in (2, 6):
        await world.grow(parents, 2)
        with observed(database) as seen:
            found = (await client.run(text, date=models.clock.now().date().isoformat()))["reminderPlan"]
        assert client.errors == []
        assert len(found["emails"]) >= parents
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_recipients(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    one = f"included reasons email portalAccess {{ allowed reasons }} permitted contact {{ {VALUES['Contact']} }}"
    text = f"""query ($id: ID!, $document: ID!) {{
      recipients(customerId: $id, kind: INVOICE, salesDocumentId: $document) {{
        recipients {{ {one} }} further warning {{ code message }}
      }}
    }}"""
    counts = []
    for children in (1, 12):
        await world.grow(1, children)
        with observed(database) as seen:
            found = await client.run(text, id=world.ids["cus"][0], document=world.ids["sdo"][0])
        assert len(found["recipients"]["recipients"]) == children
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_lists_of_the_settings(client: Client, database: models.Database) -> None:
    counts = []
    for more in ("", "notifications { kind enabled } portalPermissions { module enabled }"):
        with observed(database) as seen:
            await client.run(f"{{ settings {{ id {more} }} }}")
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_what_templates_can_name_and_say(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    named = "{ templateVariables(kind: INVOICE) { name description example repeated } }"
    text = """query ($input: PreviewTemplateInput!) {
      previewTemplate(input: $input) { subject text html problems { field line message } } }"""
    counts = []
    for parents in (1, 6):
        await world.grow(parents, 3)
        about = {"customerId": world.ids["cus"][0], "salesDocumentId": world.ids["sdo"][0]}
        with observed(database) as seen:
            await client.run(named)
            for sent in (
                {"templateId": world.ids["tpl"][0], **about},
                {"kind": "STATEMENT", **about},
                {"kind": "TASK", "textSource": "{{ a }}{{ b }}"},
            ):
                await client.run(text, input=sent)
                assert client.errors == []
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_a_preview_of_an_email(client: Client, database: models.Database) -> None:
    customer = await factories.customer(client)
    text = f"""query ($input: SendCommunicationInput!) {{ previewCommunication(input: $input) {{
      deliveries {{ email reasons text contact {{ {VALUES["Contact"]} }} }} attachments {{ name document {{ id }} }}
      errors {{ code }}
    }} }}"""
    counts, ids = [], []
    for number in (1, 8):
        ids += [(await factories.document(client, customer["id"]))["id"] for _ in range(number)]
        people = [await factories.recipient(client, customer["id"]) for _ in range(number)]
        chosen = [{"contactId": person["id"]} for person in people]
        sent = {"kind": "TASK", "customerId": customer["id"], "recipients": chosen, "documentIds": ids}
        with observed(database) as seen:
            found = (await client.run(text, input=sent))["previewCommunication"]
        assert (len(found["deliveries"]), len(found["attachments"])) == (number, len(ids))
        counts.append(len(seen))
    assert counts[0] == counts[1]


CONTACTS = f"contacts {{ {VALUES['Contact']} role {{ name }} customer {{ name }} }}"
EVENTS = (
    "events { sentence reason actor { name } subject { label node { id } } customer { name } changes { label } }"
    " errors { code }"
)


def reads(database: models.Database, seen: list[str]) -> list[str]:
    """The statements, without what SQLite is given event by event, in the same hop as the COMMIT."""
    if database.dialect == "postgres":
        return seen
    return [sql for sql in seen if not sql.startswith(("INSERT INTO event ", "INSERT INTO event_detail "))]


async def test_what_a_mutation_of_many_answers(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    await world.grow(4, 5)
    contacts, roles = world.ids["con"], world.ids["rol"]
    text = f"mutation ($input: SetContactRolesInput!) {{ setContactRoles(input: $input) {{ {CONTACTS} {EVENTS} }} }}"
    counts, stubs = [], []
    for some, role in ((contacts[:1], roles[1]), (contacts, roles[2])):
        sent = {"contacts": [{"id": identifier} for identifier in some], "roleId": role}
        with observed(database) as seen:
            payload = await client.change(text, input=sent)
        assert len(payload["contacts"]) == len(some)
        stubs.append(len(payload["events"]))
        counts.append(len(reads(database, seen)))
    # Four of the twenty had the role already.
    assert stubs == [1, 16]
    assert counts[0] == counts[1]


async def test_what_links_answer(client: Client, database: models.Database) -> None:
    text = f"mutation ($input: LinkContactsInput!) {{ linkContacts(input: $input) {{ {CONTACTS} {EVENTS} }} }}"
    counts = []
    for number in (2, 10):
        people = [{"id": (await factories.contact(client))["id"]} for _ in range(number)]
        with observed(database) as seen:
            payload = await client.change(text, input={"contacts": people})
        assert len(payload["contacts"]) == len(payload["events"]) == number
        # Each contact is looked up once, before all are locked in one statement.
        counts.append(len(reads(database, seen)) - number)
    assert counts[0] == counts[1]


async def test_what_the_replacement_of_a_role_answers(client: Client, database: models.Database) -> None:
    assert client.user is not None
    world = World(client.user)
    text = f"mutation ($input: DeleteContactRoleInput!) {{ deleteContactRole(input: $input) {{ {EVENTS} }} }}"
    counts = []
    for parents in (1, 12):
        await world.grow(parents, 2)
        role, replacement = world.ids["rol"]
        with observed(database) as seen:
            payload = await client.change(text, input={"id": role, "replacementId": replacement})
        assert len(payload["events"]) == parents + 1
        counts.append(len(reads(database, seen)))
    assert counts[0] == counts[1]
