"""Locations of customers, and the two levels of contacts that come with them."""

from __future__ import annotations

import pytest

from models import Permission
from models.identifier import new_id
from tests import factories
from tests.client import Client, ClientWith
from tests.factories import BERLIN, PARIS
from tests.resolvers.documents import (
    CREATE_CONTACT,
    CREATE_LOCATION,
    DELETE_CONTACT,
    DELETE_LOCATION,
    READ_CONTACT,
    SET_CONTACT_ROLES,
    UPDATE_CONTACT,
    UPDATE_LOCATION,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

LOCATIONS = """query ($id: ID!) { customer(id: $id) { locations(first: 10) { totalCount edges { node {
  name contacts(first: 10) { totalCount edges { node { lastName } } } } } } } }"""


async def test_a_location_is_created_changed_and_deleted_with_an_event_each(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    payload = await client.change(
        CREATE_LOCATION, input={"customerId": customer["id"], "name": " Mill ", "address": BERLIN}
    )
    location = payload["location"]
    assert (location["name"], location["address"], location["customer"]["id"]) == ("Mill", BERLIN, customer["id"])
    [stub] = payload["events"]
    assert (stub["category"], stub["customer"]["id"]) == ("PROFILE", customer["id"])
    assert stub["sentence"] == "Ada Admin added location Mill at Krume."
    assert changes(stub) == {
        "customerId": (None, customer["id"]),
        "name": (None, "Mill"),
        "address": (None, BERLIN),
    }
    assert texts(stub)["customerId"] == (None, "Krume")

    payload = await client.change(UPDATE_LOCATION, input={"id": location["id"], "name": "Old mill", "address": None})
    assert (payload["location"]["revision"], payload["location"]["address"]) == (2, None)
    [stub] = payload["events"]
    assert changes(stub) == {"name": ("Mill", "Old mill"), "address": (BERLIN, None)}

    payload = await client.change(DELETE_LOCATION, input={"id": location["id"], "expectedRevision": 2})
    assert payload["deletedId"] == location["id"]
    [stub] = payload["events"]
    assert changes(stub) == {"customerId": (customer["id"], None), "name": ("Old mill", None)}
    assert stub["sentence"] == "Ada Admin deleted location Old mill at Krume."


async def test_a_change_of_a_location_that_changes_nothing_leaves_no_event(client: Client) -> None:
    location = await factories.location(client, (await factories.customer(client))["id"], address=PARIS)
    async with nothing_recorded():
        payload = await client.change(
            UPDATE_LOCATION, input={"id": location["id"], "name": location["name"], "address": PARIS}
        )
    assert (payload["location"], payload["events"]) == (location, [])


async def test_names_of_locations_are_unique_at_their_customer(client: Client) -> None:
    customer, other = await factories.customer(client), await factories.customer(client)
    first = await factories.location(client, customer["id"], name="Straße")
    second = await factories.location(client, customer["id"], name="Mill")
    await factories.location(client, other["id"], name="Straße")
    async with nothing_recorded():
        fault = await client.fault(CREATE_LOCATION, input={"customerId": customer["id"], "name": "STRASSE"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
        fault = await client.fault(UPDATE_LOCATION, input={"id": second["id"], "name": "straße"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
    renamed = await client.change(UPDATE_LOCATION, input={"id": first["id"], "name": "STRASSE"})
    assert renamed["location"]["name"] == "STRASSE"


async def test_a_location_with_contacts_is_not_deleted_and_names_them(client: Client) -> None:
    customer = await factories.customer(client)
    location = await factories.location(client, customer["id"])
    contact = await factories.contact(client, customer["id"], locationId=location["id"], firstName="Eva", lastName="Q")
    async with nothing_recorded():
        fault = await client.fault(DELETE_LOCATION, input={"id": location["id"]})
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "id"])
    assert "Eva Q" in fault["message"]
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "locationId": None})
    await client.change(DELETE_LOCATION, input={"id": location["id"]})


async def test_a_contact_is_at_the_customer_or_at_one_of_its_locations(client: Client) -> None:
    customer = await factories.customer(client)
    mill, shop = [await factories.location(client, customer["id"], name=name) for name in ("Mill", "Shop")]
    await factories.contact(client, customer["id"], lastName="Everywhere")
    contact = await factories.contact(client, customer["id"], lastName="Somewhere", locationId=shop["id"])
    assert (contact["level"], contact["location"]) == ("LOCATION", {"id": shop["id"], "name": "Shop"})
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "locationId": mill["id"]})
    assert texts(payload["events"][0]) == {"locationId": ("Shop", "Mill")}
    data = await client.run(LOCATIONS, id=customer["id"])
    assert data["customer"]["locations"] == {
        "totalCount": 2,
        "edges": [
            {
                "node": {
                    "name": "Mill",
                    "contacts": {"totalCount": 1, "edges": [{"node": {"lastName": "Somewhere"}}]},
                }
            },
            {"node": {"name": "Shop", "contacts": {"totalCount": 0, "edges": []}}},
        ],
    }
    moved = (await client.change(UPDATE_CONTACT, input={"id": contact["id"], "locationId": None}))["contact"]
    assert (moved["level"], moved["location"]) == ("CUSTOMER", None)


async def test_the_location_of_another_customer_is_refused(client: Client) -> None:
    contact = await factories.contact(client)
    elsewhere = await factories.location(client, (await factories.customer(client))["id"])
    sent = {"customerId": contact["customer"]["id"], "lastName": "New", "locationId": elsewhere["id"]}
    async with nothing_recorded():
        for document, given in (
            (CREATE_CONTACT, sent),
            (UPDATE_CONTACT, {"id": contact["id"], "locationId": elsewhere["id"]}),
        ):
            fault = await client.fault(document, input=given)
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "locationId"])
            assert fault["message"] == "This location belongs to another customer."
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "locationId": new_id("loc")})
        assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "locationId"])


async def test_an_editor_of_location_contacts_maintains_these_and_no_others(
    client: Client, client_with: ClientWith
) -> None:
    customer = await factories.customer(client)
    location = await factories.location(client, customer["id"])
    everywhere = await factories.contact(client, customer["id"], lastName="Everywhere")
    editor = await client_with([Permission.CUSTOMERS_READ, Permission.LOCATION_CONTACTS_WRITE])

    there = await factories.contact(editor, customer["id"], locationId=location["id"], title="Baker")
    payload = await editor.change(UPDATE_CONTACT, input={"id": there["id"], "title": "Miller"})
    assert texts(payload["events"][0]) == {"title": ("Baker", "Miller")}

    refused = [
        (CREATE_CONTACT, {"customerId": customer["id"], "lastName": "New"}),
        (UPDATE_CONTACT, {"id": everywhere["id"], "title": "Boss"}),
        (UPDATE_CONTACT, {"id": everywhere["id"], "locationId": location["id"]}),
        (UPDATE_CONTACT, {"id": there["id"], "locationId": None}),
        (DELETE_CONTACT, {"id": everywhere["id"]}),
        (SET_CONTACT_ROLES, {"contacts": [{"id": there["id"]}, {"id": everywhere["id"]}], "roleId": None}),
    ]
    for document, given in refused[:3]:
        await editor.run(document, input=given)
        assert editor.codes == ["FORBIDDEN"]
        assert "CONTACTS_WRITE" in editor.errors[0]["message"]
    for document, given in refused[3:]:
        await editor.run(document, input=given)
        assert editor.codes == ["FORBIDDEN"]
    assert await client.run(READ_CONTACT, id=everywhere["id"]) == {"contact": everywhere}
    assert editor.user is not None
    stubs = await recorded(client, actorId=editor.user["id"])
    assert actions(stubs)[2:] == ["USER_PERMISSION_REFUSED"] * 5  # the sixth fell into the first wait
    assert stubs[-1]["reason"] == (
        "deleteContact: You may maintain location contacts only: this is a customer contact (CONTACTS_WRITE)."
    )
    assert (await editor.change(DELETE_CONTACT, input={"id": there["id"]}))["deletedId"] == there["id"]


async def test_an_editor_of_location_contacts_moves_primary_among_these_only(
    client: Client, client_with: ClientWith
) -> None:
    customer = await factories.customer(client)
    location = await factories.location(client, customer["id"])
    everywhere = await factories.contact(client, customer["id"], lastName="Everywhere")
    editor = await client_with([Permission.CUSTOMERS_READ, Permission.LOCATION_CONTACTS_WRITE])
    here, there = [await factories.contact(editor, customer["id"], locationId=location["id"]) for _ in range(2)]
    sent = {"customerId": customer["id"], "lastName": "New", "locationId": location["id"], "primary": True}
    for document, given in ((CREATE_CONTACT, sent), (UPDATE_CONTACT, {"id": here["id"], "primary": True})):
        await editor.run(document, input=given)
        assert editor.codes == ["FORBIDDEN"]
    await client.change(UPDATE_CONTACT, input={"id": here["id"], "primary": True})
    await editor.change(UPDATE_CONTACT, input={"id": there["id"], "primary": True})
    gone = {"id": there["id"], "active": False}
    await editor.run(UPDATE_CONTACT, input={**gone, "successorId": everywhere["id"]})
    assert editor.codes == ["FORBIDDEN"]
    await editor.change(UPDATE_CONTACT, input={**gone, "successorId": here["id"]})
    assert (await client.run(READ_CONTACT, id=here["id"]))["contact"]["primary"]
    assert (await client.run(READ_CONTACT, id=everywhere["id"]))["contact"] == {
        **everywhere,
        "primary": False,
        "revision": 2,
    }
