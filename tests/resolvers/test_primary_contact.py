"""The primary contact: exactly one at each customer that has active contacts."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories
from tests.client import Client
from tests.resolvers.documents import CREATE_CONTACT, DELETE_CONTACT, READ_CONTACTS, UPDATE_CONTACT
from tests.resolvers.stubs import actions, changes, nothing_recorded

pytestmark = pytest.mark.anyio


async def primaries(client: Client, customer_id: str) -> list[str]:
    data = await client.run(READ_CONTACTS, filter={"customerId": customer_id})
    return [edge["node"]["lastName"] for edge in data["contacts"]["edges"] if edge["node"]["primary"]]


async def people(client: Client, *names: str) -> list[dict[str, Any]]:
    customer = await factories.customer(client)
    return [await factories.contact(client, customer["id"], lastName=name) for name in names]


async def test_the_first_contact_becomes_primary_by_itself_and_the_next_does_not(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    assert (first["primary"], second["primary"]) == (True, False)
    other = await factories.contact(client, primary=False, lastName="Alone")
    assert other["primary"]


async def test_a_location_contact_can_be_primary_too(client: Client) -> None:
    customer = await factories.customer(client)
    location = await factories.location(client, customer["id"])
    assert (await factories.contact(client, customer["id"], locationId=location["id"]))["primary"]
    assert not (await factories.contact(client, customer["id"]))["primary"]


async def test_a_new_contact_takes_primary_over_when_it_says_so(client: Client) -> None:
    [first] = await people(client, "First")
    sent = {"customerId": first["customer"]["id"], "lastName": "Second", "primary": True}
    payload = await client.change(CREATE_CONTACT, input=sent)
    assert payload["contact"]["primary"]
    left, created = payload["events"]
    assert (left["subject"]["id"], changes(left)) == (first["id"], {"primary": (True, False)})
    assert (created["action"], changes(created)["primary"]) == ("CONTACT_CREATED", (None, True))
    assert await primaries(client, first["customer"]["id"]) == ["Second"]


async def test_true_moves_primary_here_with_an_event_for_each_of_both(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    payload = await client.change(UPDATE_CONTACT, input={"id": second["id"], "primary": True, "title": "CFO"})
    assert payload["contact"]["primary"]
    left, arrived = payload["events"]
    assert (left["subject"]["id"], changes(left)) == (first["id"], {"primary": (True, False)})
    assert (arrived["subject"]["id"], changes(arrived)) == (
        second["id"],
        {"title": (None, "CFO"), "primary": (False, True)},
    )
    assert await primaries(client, first["customer"]["id"]) == ["Second"]


async def test_false_on_the_primary_is_refused_and_elsewhere_changes_nothing(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": first["id"], "primary": False})
        assert (fault["code"], fault["field"]) == ("PRIMARY_REQUIRED", ["input", "primary"])
        assert fault["message"] == "A customer needs a primary contact: make another contact primary instead."
        await client.change(UPDATE_CONTACT, input={"id": second["id"], "primary": False})
    assert await primaries(client, first["customer"]["id"]) == ["First"]


@pytest.mark.parametrize("how", ["deactivate", "delete"])
async def test_the_primary_goes_only_when_its_successor_is_named(client: Client, how: str) -> None:
    first, second, third = await people(client, "First", "Second", "Third")
    stranger = await factories.contact(client)
    await client.change(UPDATE_CONTACT, input={"id": third["id"], "active": False})
    document, sent = (
        (DELETE_CONTACT, {"id": first["id"]})
        if how == "delete"
        else (UPDATE_CONTACT, {"id": first["id"], "active": False})
    )
    async with nothing_recorded():
        fault = await client.fault(document, input=sent)
        assert (fault["code"], fault["field"]) == ("SUCCESSOR_REQUIRED", ["input", "successorId"])
        for successor in (first, third, stranger):
            fault = await client.fault(document, input={**sent, "successorId": successor["id"]})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "successorId"])
            assert fault["message"] == "The successor must be another active contact of the same customer."
    payload = await client.change(document, input={**sent, "successorId": second["id"]})
    assert await primaries(client, first["customer"]["id"]) == ["Second"]
    left, arrived, last = payload["events"]
    assert (left["subject"]["id"], changes(left)) == (first["id"], {"primary": (True, False)})
    assert (arrived["subject"]["id"], changes(arrived)) == (second["id"], {"primary": (False, True)})
    assert last["subject"]["id"] == first["id"]
    assert last["action"] == ("CONTACT_DELETED" if how == "delete" else "CONTACT_UPDATED")
    assert changes(last)["active"] == (True, None if how == "delete" else False)


async def test_the_last_active_contact_may_go_and_comes_back_as_the_primary(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    customer_id = first["customer"]["id"]
    await client.change(UPDATE_CONTACT, input={"id": second["id"], "active": False})
    payload = await client.change(UPDATE_CONTACT, input={"id": first["id"], "active": False})
    assert changes(payload["events"][0]) == {"active": (True, False), "primary": (True, False)}
    assert await primaries(client, customer_id) == []
    payload = await client.change(UPDATE_CONTACT, input={"id": second["id"], "active": True})
    assert payload["contact"]["primary"]
    assert changes(payload["events"][0]) == {"active": (False, True), "primary": (False, True)}
    again = await client.change(UPDATE_CONTACT, input={"id": first["id"], "active": True})
    assert not again["contact"]["primary"]
    assert await primaries(client, customer_id) == ["Second"]


async def test_the_last_contact_may_be_deleted(client: Client) -> None:
    [only] = await people(client, "Only")
    payload = await client.change(DELETE_CONTACT, input={"id": only["id"]})
    assert actions(payload["events"]) == ["CONTACT_DELETED"]
    assert (await factories.contact(client, only["customer"]["id"]))["primary"]


async def test_an_inactive_contact_cannot_be_primary(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    async with nothing_recorded():
        sent = {"id": second["id"], "active": False, "primary": True}
        fault = await client.fault(UPDATE_CONTACT, input=sent)
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "primary"])
    await client.change(UPDATE_CONTACT, input={"id": second["id"], "active": False})
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": second["id"], "primary": True})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "primary"])
    payload = await client.change(UPDATE_CONTACT, input={"id": second["id"], "active": True, "primary": True})
    assert actions(payload["events"]) == ["CONTACT_UPDATED", "CONTACT_UPDATED"]
    assert await primaries(client, first["customer"]["id"]) == ["Second"]


async def test_a_successor_is_refused_where_nobody_has_to_follow(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    async with nothing_recorded():
        for document, sent in (
            (DELETE_CONTACT, {"id": second["id"]}),
            (UPDATE_CONTACT, {"id": second["id"], "active": False}),
            (UPDATE_CONTACT, {"id": first["id"], "title": "CFO"}),
        ):
            fault = await client.fault(document, input={**sent, "successorId": first["id"]})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "successorId"])


async def test_active_cannot_be_null(client: Client) -> None:
    [contact] = await people(client, "First")
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "active": None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "active"])


async def test_primary_null_leaves_the_primary_as_it_is(client: Client) -> None:
    first, second = await people(client, "First", "Second")
    async with nothing_recorded():
        for contact in (first, second):
            await client.change(UPDATE_CONTACT, input={"id": contact["id"], "primary": None})
    assert await primaries(client, first["customer"]["id"]) == ["First"]
