"""Deactivated and reactivated: customers, contacts and users, and what cannot come back."""

from __future__ import annotations

import pytest

from models import Permission
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CREATE_NOTE,
    DELETE_CONTACT,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
    UPDATE_USER,
)
from tests.resolvers.stubs import changes, nothing_recorded

pytestmark = pytest.mark.anyio

LIST = "query ($filter: CustomerFilter) { customers(filter: $filter) { edges { node { name active } } } }"


async def test_a_customer_is_deactivated_and_reactivated(client: Client) -> None:
    customer = await factories.customer(client, name="Acme")
    for active, told in ((False, "deactivated"), (True, "reactivated")):
        payload = await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "active": active})
        [stub] = payload["events"]
        assert payload["customer"]["active"] is active
        assert stub["action"] == "CUSTOMER_UPDATED"
        assert stub["sentence"] == f"Ada Admin {told} customer Acme."
        assert changes(stub) == {"active": (not active, active)}


async def test_a_contact_and_a_user_are_deactivated_in_the_same_words(client: Client) -> None:
    customer = await factories.customer(client, name="Acme")
    await factories.contact(client, customer["id"], lastName="First")
    contact = await factories.contact(client, customer["id"], firstName="Eva", lastName="Quinn")
    user = await factories.user(client, name="Uwe")
    for active, told in ((False, "deactivated"), (True, "reactivated")):
        [stub] = (await client.change(UPDATE_CONTACT, input={"id": contact["id"], "active": active}))["events"]
        assert stub["sentence"] == f"Ada Admin {told} contact Eva Quinn at Acme."
        [stub] = (await client.change(UPDATE_USER, input={"id": user["id"], "active": active}))["events"]
        assert stub["sentence"] == f"Ada Admin {told} user Uwe."


async def test_a_change_of_more_says_all_of_it(client: Client) -> None:
    customer = await factories.customer(client, name="Acme")
    sent = {"id": customer["id"], "active": False, "name": "Acme (closed)"}
    [stub] = (await client.change(UPDATE_CUSTOMER, input=sent))["events"]
    told = "changed customer Acme (closed): name from “Acme” to “Acme (closed)”; active from “yes” to “no”"
    assert stub["sentence"] == f"Ada Admin {told}."


async def test_to_deactivate_what_is_inactive_changes_nothing(client: Client) -> None:
    customer = await factories.customer(client)
    await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "active": False})
    async with nothing_recorded():
        payload = await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "active": False})
    assert payload["customer"]["revision"] == 2


async def test_a_deactivated_customer_can_still_be_changed(client: Client) -> None:
    customer = await factories.customer(client)
    await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "active": False})
    sent = {"id": customer["id"], "website": "https://acme.example.com"}
    assert (await client.change(UPDATE_CUSTOMER, input=sent))["customer"]["active"] is False
    await factories.contact(client, customer["id"])
    await client.change(CREATE_NOTE, input={"subjectId": customer["id"], "body": "Closed down."})


async def test_lists_are_filtered_by_the_mark(client: Client) -> None:
    open_one = await factories.customer(client, name="Open")
    closed = await factories.customer(client, name="Closed")
    await client.change(UPDATE_CUSTOMER, input={"id": closed["id"], "active": False})
    for wanted, names in (({"active": True}, ["Open"]), ({"active": False}, ["Closed"]), (None, ["Closed", "Open"])):
        edges = (await client.run(LIST, filter=wanted))["customers"]["edges"]
        assert [edge["node"]["name"] for edge in edges] == names
    assert open_one["active"]


async def test_active_cannot_be_null(client: Client) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], "active": None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "active"])


async def test_a_synced_customer_is_deactivated_where_it_comes_from(client: Client) -> None:
    customer = await factories.synced_customer()
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], "active": False})
    assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "active"])


async def test_a_deleted_contact_cannot_be_reactivated(client: Client) -> None:
    contact = await factories.contact(client)
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "active": False})
    await client.change(DELETE_CONTACT, input={"id": contact["id"]})
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "active": True})
    assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "id"])
    assert fault["message"] == "There is no contact with this ID."


async def test_who_may_not_see_contacts_does_not_read_that_one_was_deactivated(
    client: Client, client_with: ClientWith
) -> None:
    customer = await factories.customer(client)
    await factories.contact(client, customer["id"])
    contact = await factories.contact(client, customer["id"])
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "active": False})
    auditor = await client_with([Permission.AUDIT_READ])
    data = await auditor.run("{ history(first: 3) { edges { node { action sentence } } } }")
    told = {edge["node"]["action"]: edge["node"]["sentence"] for edge in data["history"]["edges"]}
    assert told["CONTACT_UPDATED"].startswith("Ada Admin changed contact (withheld)")
