"""Bad input: each answered with a clear error that names the field, and leaving no event and no change.

What can be said of every mutation is tried on every mutation of the schema, with the examples of the mutation walk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, get_named_type

from models import Permission, clock
from models.identifier import new_id
from tests import factories
from tests.client import Client, ClientWith, new_session
from tests.dialects import on_sqlite
from tests.factories import BERLIN
from tests.resolvers.documents import (
    CREATE_CONTACT,
    CREATE_CUSTOMER,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
)
from tests.resolvers.stubs import actions, last_seq, nothing_recorded, recorded
from tests.schema.documents import MUTATION
from tests.schema.examples import EXAMPLES
from tests.schema.test_mutation_walk import document

pytestmark = pytest.mark.anyio

Sent = dict[str, Any]

# Anybody may send them.
PUBLIC = {"signIn", "setContactPassword"}
# Who sends them is known by other means than a permission.
OWN = {*PUBLIC, "signOut", "changePassword"}
# Texts that are no names: passwords and links may be any text, and a wrong one is told otherwise.
SECRETS = {"password", "currentPassword", "orderPassword", "token"}
# What may be longer than 10,000 characters.
LONGEST = {"body": 20_000, "text": 100_000, "html": 300_000, "textSource": 102_400, "htmlSource": 102_400}
# What is taken only together: each of these fields is tried beside the others.
TOGETHER = {"sendCommunication": {"subject": "Your invoice", "text": "It is attached.", "html": None}}
OF_THE_SAME = {"successorId", "primaryContactId"}
PREFIXES = {
    "parentId": "cus",
    "customerId": "cus",
    "locationId": "loc",
    "contactId": "con",
    "roleId": "rol",
    "replacementId": "rol",
    "userId": "usr",
    "templateId": "tpl",
}


def inputs(name: str) -> dict[str, Any]:
    """The fields of the mutation's input."""
    arguments = MUTATION.fields[name].args
    if not arguments:
        return {}
    kind = get_named_type(arguments["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    return dict(kind.fields)


def of_type(name: str, type_name: str) -> Iterator[str]:
    """The input fields of that type that are no lists."""
    for field, definition in inputs(name).items():
        kind = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
        if str(kind) == type_name:
            yield field


async def every_mutation(client: Client) -> AsyncIterator[tuple[str, Client, Sent]]:
    """Each mutation that has an input, with somebody who may send it, and what would work."""
    for name, make in EXAMPLES.items():
        sender, sent = await make(client)
        if sent is not None:
            yield name, sender, sent


async def faulted(sender: Client, name: str, sent: Sent) -> dict[str, Any]:
    """The only error of a mutation that must leave nothing behind."""
    async with nothing_recorded():
        data = await sender.run(document(name), input=sent)
        assert sender.errors == [], (name, sent)
        payload = data[name]
        [error] = payload["errors"]
    assert payload["events"] == []
    assert error["message"]
    assert isinstance(error, dict)
    return error


@on_sqlite("It is refused before the database sees it.")
async def test_ids_of_no_type_and_of_other_types_are_refused_by_every_mutation(client: Client) -> None:
    tried = set()
    role = await factories.contact_role(client)
    note = await factories.note(client, (await factories.customer(client))["id"])
    async for name, sender, sent in every_mutation(client):
        other = role["id"] if name.endswith("Note") else note["id"]
        for field in of_type(name, "ID"):
            for bad in ("nonsense", "", "cus_", "cus_1", "CUS_01kwef3q8seemv6gzaf2w8kdhe", "evt_1", other):
                error = await faulted(sender, name, {**sent, field: bad})
                assert (error["code"], error["field"]) == ("INVALID", ["input", field]), (name, field, bad)
                tried.add((name, field))
    assert len(tried) >= 30


async def test_ids_that_nobody_has_are_refused_by_every_mutation(client: Client) -> None:
    tried = set()
    async for name, sender, sent in every_mutation(client):
        for field in of_type(name, "ID"):
            if field in OF_THE_SAME:  # it must be a contact of the same customer: an unknown one is not
                continue
            prefix = str(sent.get(field) or PREFIXES.get(field)).partition("_")[0]
            prefix = "uro" if name in ("createUser", "updateUser") and field == "roleId" else prefix
            error = await faulted(sender, name, {**sent, field: new_id(prefix)})
            assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", field]), (name, field)
            assert error["message"].startswith("There is no ")
            tried.add((name, field))
    assert len(tried) >= 28


@on_sqlite("It is refused before the database sees it.")
async def test_long_empty_and_unreadable_texts_are_refused_by_every_mutation(client: Client) -> None:
    tried = set()
    async for name, sender, sent in every_mutation(client):
        for field in of_type(name, "String"):
            if field in SECRETS or name == "signIn":
                continue
            required = isinstance(inputs(name)[field].type, GraphQLNonNull)
            beside = TOGETHER.get(name, {})
            given = {**sent, **beside} if field in beside else sent
            long = "x" * (LONGEST.get(field, 9_999) + 1)
            for bad in (long, "bell\u0007", "next\u0085line", "\u202egnp.exe", *([""] if required else [])):
                error = await faulted(sender, name, {**given, field: bad})
                assert (error["code"], error["field"]) == ("INVALID", ["input", field]), (name, field, bad[:20])
                assert bad[:20] not in error["message"] or not bad
            tried.add((name, field))
    assert len(tried) >= 25


async def test_stale_revisions_are_refused_by_every_mutation_that_takes_one(client: Client) -> None:
    tried = []
    async for name, sender, sent in every_mutation(client):
        if "expectedRevision" in inputs(name):
            for stale in (0, 99):
                error = await faulted(sender, name, {**sent, "expectedRevision": stale})
                assert (error["code"], error["field"]) == ("CONFLICT", ["input", "expectedRevision"]), name
                assert "Somebody changed this in the meantime" in error["message"]
            tried.append(name)
    assert tried == [name for name in EXAMPLES if "expectedRevision" in inputs(name)]
    # Every change and every end of something takes one, but for those that name several things or none.
    assert {name for name in EXAMPLES if name.startswith(("update", "delete", "revoke"))} <= set(tried)


@on_sqlite("It is refused before the database sees it.")
async def test_whoever_lacks_a_permission_is_refused_by_every_mutation(client: Client, client_with: ClientWith) -> None:
    requests = [(name, sent) async for name, _, sent in every_mutation(client) if name not in OWN]
    # Only the first refusal of somebody is an event.
    senders = [await client_with() for _ in requests]
    before = await last_seq()
    for nobody, (name, sent) in zip(senders, requests, strict=True):
        await nobody.run(document(name), input=sent)
        assert nobody.codes == ["FORBIDDEN"], name
        assert "needs the permission" in nobody.errors[0]["message"], name
    assert actions(await recorded(client, after=before)) == ["USER_PERMISSION_REFUSED"] * len(requests)


@on_sqlite("It is refused before the database sees it.")
async def test_without_a_session_every_mutation_that_is_not_public_is_refused(client: Client) -> None:
    assert client.user is not None
    expired = Client(await new_session(client.user["id"]))
    later = clock.now() + timedelta(minutes=31)
    requests = [(name, sent) async for name, _, sent in every_mutation(client) if name not in PUBLIC]
    async with nothing_recorded():
        for name, sent in requests:
            await Client().run(document(name), input=sent)
            with clock.set_to(lambda: later):
                await expired.run(document(name), input=sent)
            assert expired.codes == ["UNAUTHENTICATED"], name
            assert expired.errors[0]["message"] == "Your session or key is not valid any more: sign in again."


async def test_nobody_who_is_not_signed_in_gets_an_answer() -> None:
    stranger = Client()
    for text in ("{ viewer { permissions } }", "{ customers { totalCount } }", '{ node(id: "cus_1") { id } }'):
        await stranger.run(text)
        assert stranger.codes == ["UNAUTHENTICATED"]
        assert stranger.errors[0]["message"] == "Sign in first."


METHODS = [
    ({"kind": "EMAIL", "value": "eva"}, "value"),
    ({"kind": "EMAIL", "value": "eva@"}, "value"),
    ({"kind": "EMAIL", "value": "eva@localhost"}, "value"),
    ({"kind": "EMAIL", "value": "eva@example.com, max@example.com"}, "value"),
    ({"kind": "EMAIL", "value": "Eva <eva@example.com>"}, "value"),
    ({"kind": "EMAIL", "value": f"eva@{'e' * 60}.{'e' * 60}.{'e' * 60}.{'e' * 60}.{'e' * 20}.com"}, "value"),
    ({"kind": "EMAIL", "value": ""}, "value"),
    ({"kind": "PHONE", "value": "12"}, "value"),
    ({"kind": "PHONE", "value": "call me"}, "value"),
    ({"kind": "MOBILE", "value": "+999 12345678"}, "value"),
    ({"kind": "FAX", "value": "+1 415 555 01010101"}, "value"),
    ({"kind": "OTHER", "value": " "}, "value"),
    ({"kind": "OTHER", "value": "x" * 201}, "value"),
    ({"kind": "OTHER", "value": "x", "label": "x" * 61}, "label"),
    ({"kind": "OTHER", "value": "x", "id": "nonsense"}, "id"),
]


@on_sqlite("It is refused before the database sees it.")
async def test_contact_methods_that_reach_nobody_are_refused(client: Client) -> None:
    customer = await factories.customer(client)
    good = {"kind": "EMAIL", "value": "good@example.com"}
    for method, part in METHODS:
        field = ["input", "methods", "1", part]
        async with nothing_recorded():
            fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], "methods": [good, method]})
            assert (fault["code"], fault["field"]) == ("INVALID", field), method
            fault = await client.fault(CREATE_CONTACT, input={"customerId": customer["id"], "methods": [good, method]})
            assert (fault["code"], fault["field"]) == ("INVALID", field), method
            short = {"EMAIL": "email", "PHONE": "phone"}.get(method["kind"])
            if short and method["value"]:
                fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], short: method["value"]})
                assert (fault["code"], fault["field"]) == ("INVALID", ["input", short]), method


async def test_more_than_twenty_contact_methods_are_refused(client: Client) -> None:
    methods = [{"kind": "OTHER", "value": f"way {number}"} for number in range(21)]
    async with nothing_recorded():
        fault = await client.fault(CREATE_CUSTOMER, input={"name": "Krume", "methods": methods})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "methods"])
    await factories.customer(client, methods=methods[:20])


ADDRESSES: list[tuple[Sent, list[str]]] = [
    ({"country": "XX"}, ["country"]),
    ({"country": "Germany"}, ["country"]),
    ({"lines": ["1", "2", "3", "4", "5", "6"]}, ["lines"]),
    ({"lines": ["1", "x" * 10_000]}, ["lines", "1"]),
    ({"lines": ["a\nb"]}, ["lines", "0"]),
    ({"city": "x" * 101}, ["city"]),
    ({"region": "bell\u0007"}, ["region"]),
    ({"postalCode": "1" * 31}, ["postalCode"]),
]


@on_sqlite("It is refused before the database sees it.")
async def test_addresses_that_no_letter_finds_are_refused(client: Client) -> None:
    contact = await factories.contact(client)
    for change, part in ADDRESSES:
        address = {**BERLIN, **change}
        async with nothing_recorded():
            for name in ("billingAddress", "shippingAddress"):
                fault = await client.fault(CREATE_CUSTOMER, input={"name": "Krume", name: address})
                assert (fault["code"], fault["field"]) == ("INVALID", ["input", name, *part])
            fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "address": address})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "address", *part])


@on_sqlite("It is refused before the database sees it.")
async def test_websites_that_lead_nowhere_are_refused(client: Client) -> None:
    for website in ("not a website", "ftp://example.com", "javascript:alert(1)", "https://a:b@example.com"):
        async with nothing_recorded():
            fault = await client.fault(CREATE_CUSTOMER, input={"name": "Krume", "website": website})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "website"])


PAGES = [
    ("first: 101", "BAD_PAGE", "first must be from 0 to 100"),
    ("first: -1", "BAD_PAGE", "first must be from 0 to 100"),
    ("last: 101", "BAD_PAGE", "last must be from 0 to 100"),
    ("first: 5, last: 5", "BAD_PAGE", "first or last"),
    ('last: 5, after: "x"', "BAD_PAGE", "first with after, or last with before"),
    ('first: 5, before: "x"', "BAD_PAGE", "first with after, or last with before"),
    ('after: "nonsense"', "BAD_CURSOR", "after: "),
    ('before: "é"', "BAD_CURSOR", "before: "),
    ('after: ""', "BAD_CURSOR", "after: "),
    ('after: "W10"', "BAD_CURSOR", "after: "),
]


@on_sqlite("It is refused before the database sees it.")
async def test_pages_that_cannot_be_are_refused(client: Client) -> None:
    await factories.contact(client)
    lists = ["customers", "contacts", "contactRoles", "users", "userRoles", "apiKeys", "history"]
    for arguments, code, words in PAGES:
        documents = [f"{{ {name}({arguments}) {{ edges {{ cursor }} }} }}" for name in lists]
        for name in ("contacts", "locations", "notes", "history"):
            nested = f"{name}({arguments}) {{ totalCount }}"
            documents.append(f"{{ customers(first: 1) {{ edges {{ node {{ {nested} }} }} }} }}")
        for text in documents:
            await client.run(text)
            assert client.codes == [code], text
            assert words in client.errors[0]["message"]


async def test_a_cursor_from_another_order_filter_search_or_list_is_refused(client: Client) -> None:
    contact = await factories.contact(client)
    await factories.contact(client, contact["customer"]["id"])
    text = "query ($after: String) {{ contacts(first: 1, after: $after{}) {{ edges {{ cursor }} }} }}"
    cursor = (await client.run(text.format("")))["contacts"]["edges"][0]["cursor"]
    assert (await client.run(text.format(""), after=cursor))["contacts"]["edges"]
    for other in (
        ", orderBy: {field: NAME, direction: DESC}",
        ", orderBy: {field: CREATED_AT, direction: ASC}",
        ", filter: {active: true}",
        ', search: "e"',
    ):
        await client.run(text.format(other), after=cursor)
        assert client.codes == ["BAD_CURSOR"]
        assert client.errors[0]["message"] == (
            "after: this cursor is not from this list with this order and filter: begin without one."
        )
        assert client.errors[0]["path"] == ["contacts"]
    await client.run("query ($after: String) { customers(after: $after) { totalCount } }", after=cursor)
    assert client.codes == ["BAD_CURSOR"]


@on_sqlite("It is refused before the database sees it.")
async def test_ids_that_cannot_be_are_refused_by_queries(client: Client) -> None:
    role = await factories.contact_role(client)
    single = ["customer", "location", "contact", "note", "user", "userRole"]
    for bad in ("nonsense", "", role["id"], "cus_01", "x" * 10_000):
        for name in single:
            await client.run(f"query ($id: ID!) {{ {name}(id: $id) {{ id }} }}", id=bad)
            assert client.codes == ["BAD_ID"], (name, bad)
            assert client.errors[0]["message"].startswith("id: this is not the ID of a ")
    await client.run('query { contactRole(id: "cus_1") { id } }')
    assert client.errors[0]["message"] == "id: this is not the ID of a contact role: rol_…"
    for bad in ("nonsense", "abc_01kwef3q8seemv6gzaf2w8kdhe", new_id("mth")):
        for text in ("query ($id: ID!) { node(id: $id) { id } }", "query ($id: ID!) { nodes(ids: [$id]) { id } }"):
            await client.run(text, id=bad)
            assert client.codes == ["BAD_ID"], (text, bad)
    assert await client.run(f'{{ node(id: "{new_id("cus")}") {{ id }} }}') == {"node": None}
    assert await client.run(f'{{ customer(id: "{new_id("cus")}") {{ id }} }}') == {"customer": None}
    assert client.errors == []


@on_sqlite("It is refused before the database sees it.")
async def test_ids_that_cannot_be_are_refused_in_filters(client: Client) -> None:
    for name, field in (("contacts", "customerId"), ("contacts", "roleId"), ("history", "customerId")):
        for bad in ("nonsense", new_id("con")):
            await client.run(f'{{ {name}(filter: {{{field}: "{bad}"}}) {{ totalCount }} }}')
            assert client.codes == ["BAD_ID"]
            assert client.errors[0]["message"].startswith(f"filter.{field}: this is not the ID of a ")


@on_sqlite("It is refused before the database sees it.")
async def test_requests_that_do_not_fit_the_schema_are_refused(client: Client) -> None:
    misfits: list[Sent] = [
        {"name": None},
        {},
        {"name": 5},
        {"name": "Krume", "kind": "CASTLE"},
        {"name": "Krume", "unknown": 1},
        {"name": "Krume", "billingAddress": {"city": "Berlin"}},
        {"name": "Krume", "methods": [{"kind": "EMAIL"}]},
        {"name": "nul\0"},
    ]
    for sent in misfits:
        async with nothing_recorded():
            await client.run(CREATE_CUSTOMER, input=sent)
        assert client.codes == ["BAD_REQUEST"], sent


async def test_numbers_and_times_out_of_range_are_refused(client: Client) -> None:
    contact = await factories.contact(client)
    async with nothing_recorded():
        for name in ("priority", "expectedRevision"):
            await client.run(UPDATE_CONTACT, input={"id": contact["id"], name: 2**31})
            assert client.codes == ["BAD_REQUEST"]
        for time in ("yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "", 5):
            text = "query ($from: DateTime) { history(filter: {from: $from}) { totalCount } }"
            await client.run(text, **{"from": time})
            assert client.codes == ["BAD_REQUEST"], time


async def test_one_field_that_fails_leaves_its_siblings_alone(client: Client) -> None:
    text = """mutation ($contact: ID!) {
      bad: createCustomer(input: {name: ""}) { customer { id } errors { code } }
      good: createCustomer(input: {name: "Krume"}) { customer { name } errors { code } }
      worse: updateContact(input: {id: $contact, title: "CFO"}) { contact { id } errors { code } }
    }"""
    data = await client.run(text, contact=new_id("con"))
    assert data == {
        "bad": {"customer": None, "errors": [{"code": "INVALID"}]},
        "good": {"customer": {"name": "Krume"}, "errors": []},
        "worse": {"contact": None, "errors": [{"code": "NOT_FOUND"}]},
    }


async def test_one_field_that_is_not_permitted_refuses_the_whole_request(
    client: Client, client_with: ClientWith
) -> None:
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE])
    before = await last_seq()
    text = """mutation { a: createCustomer(input: {name: "Krume"}) { errors { code } }
      b: createContactRole(input: {name: "Mine"}) { errors { code } } }"""
    assert await clerk.run(text) == {}
    assert clerk.codes == ["FORBIDDEN"]
    assert clerk.errors[0]["message"] == "Mutation.createContactRole needs the permission CONTACT_ROLES_WRITE."
    assert actions(await recorded(client, after=before)) == ["USER_PERMISSION_REFUSED"]
