"""The same person at several customers: linked by hand, or one and the same in an accounting system."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    DELETE_CONTACT,
    LINK_CONTACTS,
    MERGE_CUSTOMERS,
    UNLINK_CONTACT,
    UPDATE_CONTACT,
)
from tests.resolvers.stubs import actions, nothing_recorded

pytestmark = pytest.mark.anyio

ALSO_AT = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { alsoAt { id customer { name } } } } }"


async def also_at(client: Client, *ids: str) -> list[list[str]]:
    """For each contact the ids of the others who are the same person."""
    data = await client.run(ALSO_AT, ids=list(ids))
    assert client.errors == []
    return [[other["id"] for other in node["alsoAt"]] for node in data["nodes"]]


def named(*contacts: dict[str, Any]) -> dict[str, Any]:
    """The input that links the contacts."""
    return {"contacts": [{"id": contact["id"], "expectedRevision": contact["revision"]} for contact in contacts]}


async def test_linked_contacts_are_the_same_person_and_stay_contacts_of_their_own(client: Client) -> None:
    here = await factories.contact(client, lastName="Quinn", firstName="Eva")
    there = await factories.contact(client, lastName="Quinn", firstName="E.")
    payload = await client.change(LINK_CONTACTS, input=named(here, there))
    assert [contact["revision"] for contact in payload["contacts"]] == [2, 2]
    assert [contact["primary"] for contact in payload["contacts"]] == [True, True]
    assert actions(payload["events"]) == ["CONTACT_UPDATED", "CONTACT_UPDATED"]
    name = payload["events"][0]["customerLabel"]
    assert payload["events"][0]["sentence"] == (
        f"Ada Admin changed contact Eva Quinn at {name}: linked as the same person."
    )
    assert await also_at(client, here["id"], there["id"]) == [[there["id"]], [here["id"]]]


async def test_as_many_are_told_as_are_asked_for(client: Client) -> None:
    first, *others = await factories.linked(client, 13)
    text = "query ($id: ID!, $n: Int = 10) { contact(id: $id) { all: alsoAt(first: 100) { id } alsoAt { id }"
    text += " some: alsoAt(first: $n) { id } } }"
    found = (await client.run(text, id=first["id"], n=3))["contact"]
    assert {contact["id"] for contact in found["all"]} == {contact["id"] for contact in others}
    assert (found["alsoAt"], found["some"]) == (found["all"][:10], found["all"][:3])
    for bad in (-1, 101):
        await client.run(text, id=first["id"], n=bad)
        assert client.codes == ["BAD_PAGE"]


async def test_links_join(client: Client) -> None:
    one, two, three, four = await factories.linked(client, 2) + await factories.linked(client, 2)
    alone = await factories.contact(client)
    payload = await client.change(LINK_CONTACTS, input=named(two, three, alone))
    # Two and three bring those with them whom they are linked to; the first pair keeps its person.
    assert {event["subject"]["id"] for event in payload["events"]} in (
        {three["id"], four["id"], alone["id"]},
        {one["id"], two["id"], alone["id"]},
    )
    for group in await also_at(client, *(contact["id"] for contact in (one, two, three, four, alone))):
        assert len(group) == 4
    async with nothing_recorded():
        again = await client.change(LINK_CONTACTS, input={"contacts": [{"id": one["id"]}, {"id": alone["id"]}]})
    assert again["events"] == []


async def test_an_unlinked_contact_is_nobody_else(client: Client) -> None:
    one, two, three = await factories.linked(client, 3)
    payload = await client.change(UNLINK_CONTACT, input={"id": one["id"], "expectedRevision": 2})
    [event] = payload["events"]
    assert event["sentence"].endswith(": not linked with the same person elsewhere any more.")
    assert await also_at(client, one["id"], two["id"], three["id"]) == [[], [three["id"]], [two["id"]]]
    async with nothing_recorded():
        error = await client.fault(UNLINK_CONTACT, input={"id": one["id"]})
        assert (error["code"], error["field"]) == ("INVALID", ["input", "id"])
        error = await client.fault(UNLINK_CONTACT, input={"id": two["id"], "expectedRevision": 1})
        assert (error["code"], error["currentRevision"]) == ("CONFLICT", 2)


async def test_a_deleted_contact_is_nowhere_any_more(client: Client) -> None:
    one, two = await factories.linked(client, 2)
    await client.change(DELETE_CONTACT, input={"id": one["id"]})
    assert await also_at(client, two["id"]) == [[]]


async def test_one_contact_of_an_accounting_system_is_one_person(client: Client) -> None:
    origin = {"origin_system": "NETSUITE", "origin_external_id": "C-77"}
    customers = [await factories.customer(client) for _ in range(3)]
    here, there = [await factories.synced_contact(customer["id"], **origin) for customer in customers[:2]]
    other = await factories.synced_contact(customers[2]["id"], origin_external_id="C-77")
    assert await also_at(client, here["id"], there["id"], other["id"]) == [[there["id"]], [here["id"]], []]
    # Who is linked with one of them is the same as all of them, and may be unlinked again; they may not.
    await client.change(LINK_CONTACTS, input={"contacts": [{"id": there["id"]}, {"id": other["id"]}]})
    assert [set(found) for found in await also_at(client, here["id"], other["id"])] == [
        {there["id"], other["id"]},
        {here["id"], there["id"]},
    ]
    await client.change(UNLINK_CONTACT, input={"id": there["id"]})
    assert await also_at(client, here["id"], other["id"]) == [[there["id"]], []]
    assert (await client.fault(UNLINK_CONTACT, input={"id": here["id"]}))["code"] == "INVALID"


async def test_linked_contacts_whose_customers_were_merged_can_be_linked_further(client: Client) -> None:
    one, two, elsewhere = await factories.linked(client, 3)
    merged = {"id": one["customer"]["id"], "mergedId": two["customer"]["id"]}
    await client.change(MERGE_CUSTOMERS, input=merged)
    ids = [one["id"], two["id"], elsewhere["id"]]
    found = await also_at(client, *ids)
    assert [set(group) for group in found] == [{elsewhere["id"]}, {elsewhere["id"]}, {one["id"], two["id"]}]
    other = await factories.contact(client)
    payload = await client.change(LINK_CONTACTS, input={"contacts": [{"id": one["id"]}, {"id": other["id"]}]})
    assert [event["subject"]["id"] for event in payload["events"]] == [other["id"]]
    assert [set(group) for group in await also_at(client, two["id"])] == [{elsewhere["id"], other["id"]}]
    # Whoever else is at that customer is still somebody else, named or linked with who is named.
    colleague = await factories.contact(client, one["customer"]["id"])
    outside = await factories.contact(client)
    await client.change(LINK_CONTACTS, input={"contacts": [{"id": colleague["id"]}, {"id": outside["id"]}]})
    async with nothing_recorded():
        for first, second in ((one, colleague), (elsewhere, outside)):
            contacts = [{"id": first["id"]}, {"id": second["id"]}]
            error = await client.fault(LINK_CONTACTS, input={"contacts": contacts})
            assert error["code"] == "INVALID"
            assert error["field"][:2] == ["input", "contacts"]


async def test_bad_links_are_refused(client: Client) -> None:
    one = await factories.contact(client)
    colleague = await factories.contact(client, one["customer"]["id"])
    two = await factories.contact(client)
    linked = await factories.linked(client, 2)
    beside_linked = await factories.contact(client, linked[1]["customer"]["id"])
    nobody = {"id": "con_01jxxxxxxxfxxbzzzzzzzzzzzz"}
    bad: list[tuple[list[dict[str, Any]], str, list[str]]] = [
        ([], "INVALID", []),
        ([{"id": one["id"]}], "INVALID", []),
        ([{"id": one["id"]}] * 21, "INVALID", []),
        ([{"id": one["id"]}, {"id": one["id"]}], "INVALID", ["1", "id"]),
        ([{"id": one["id"]}, {"id": colleague["id"]}], "INVALID", ["1", "id"]),
        ([{"id": linked[0]["id"]}, {"id": beside_linked["id"]}], "INVALID", ["1", "id"]),
        ([{"id": one["id"]}, nobody], "NOT_FOUND", ["1", "id"]),
        ([{"id": one["id"]}, {"id": one["customer"]["id"]}], "INVALID", ["1", "id"]),
        ([{"id": one["id"]}, {"id": two["id"], "expectedRevision": 9}], "CONFLICT", ["1", "expectedRevision"]),
    ]
    async with nothing_recorded():
        for contacts, code, field in bad:
            error = await client.fault(LINK_CONTACTS, input={"contacts": contacts})
            assert (error["code"], error["field"]) == (code, ["input", "contacts", *field]), contacts
    assert await also_at(client, one["id"], two["id"]) == [[], []]


async def test_whoever_may_maintain_location_contacts_links_those_only(client: Client, client_with: ClientWith) -> None:
    contacts = [await factories.contact(client) for _ in range(3)]
    for contact in contacts[:2]:
        place = await factories.location(client, contact["customer"]["id"])
        await client.change(UPDATE_CONTACT, input={"id": contact["id"], "locationId": place["id"]})
    document = "mutation ($input: LinkContactsInput!) { linkContacts(input: $input) { errors { code } } }"
    editor = await client_with([Permission.LOCATION_CONTACTS_WRITE])
    ids = [{"id": contact["id"]} for contact in contacts]
    await editor.change(document, input={"contacts": ids[:2]})
    await editor.run(document, input={"contacts": ids[1:]})
    assert editor.codes == ["FORBIDDEN"]
    assert await also_at(client, *(contact["id"] for contact in contacts)) == [[ids[1]["id"]], [ids[0]["id"]], []]
