"""Origin: what an accounting system delivers is read-only here, and what is local stays editable."""

from __future__ import annotations

from typing import Any

import pytest

from audit import Change
from models import Contact, ContactRole, WellKnownRole
from services import contact_roles, contacts
from tests import factories
from tests.client import Client
from tests.factories import BERLIN, QUICKBOOKS
from tests.resolvers.documents import (
    CONTACT_ROLES,
    CONVERT_TO_CONTACT,
    CREATE_LOCATION,
    DELETE_CONTACT,
    READ_CONTACT,
    READ_CUSTOMER,
    SET_CONTACT_ROLES,
    UPDATE_CONTACT,
    UPDATE_CONTACT_ROLE,
    UPDATE_CUSTOMER,
)
from tests.resolvers.stubs import changes, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

READ_ONLY = "This comes from the accounting system: change it there, and it will sync."


async def synced(client: Client) -> dict[str, Any]:
    customer = await factories.synced_customer(name="Krume")
    row = await factories.synced_contact(customer["id"], first_name="Eva", last_name="Quinn")
    contact = (await client.run(READ_CONTACT, id=row["id"]))["contact"]
    assert isinstance(contact, dict)
    return contact


async def test_a_synced_contact_says_where_it_comes_from_and_who_delivered_it(client: Client) -> None:
    contact = await synced(client)
    assert contact["origin"]["kind"] == "SYNCED"
    assert contact["origin"]["system"] == "QUICKBOOKS_ONLINE"
    [stub] = await recorded(client, subjectId=contact["id"])
    assert stub["actor"] == {"kind": "ACCOUNTING", "id": QUICKBOOKS.id, "name": "QuickBooks Online"}
    assert stub["sentence"] == "QuickBooks Online added contact Eva Quinn at Krume."
    assert changes(stub)["originExternalId"] == (None, contact["origin"]["externalId"])


async def test_what_the_sync_delivers_to_a_contact_is_read_only(client: Client) -> None:
    contact = await synced(client)
    delivered: list[tuple[dict[str, Any], str]] = [
        ({"firstName": "Ada"}, "firstName"),
        ({"title": "CFO", "lastName": None}, "lastName"),
        ({"priority": 1, "methods": []}, "methods"),
        ({"address": BERLIN}, "address"),
    ]
    for given, field in delivered:
        async with nothing_recorded():
            fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], **given})
        assert (fault["code"], fault["field"], fault["message"]) == ("READ_ONLY", ["input", field], READ_ONLY)
    assert await client.run(READ_CONTACT, id=contact["id"]) == {"contact": contact}


async def test_a_copied_address_is_refused_by_its_own_name(client: Client) -> None:
    customer = await factories.customer(client, billingAddress=BERLIN)
    row = await factories.synced_contact(customer["id"])
    async with nothing_recorded():
        sent = {"id": row["id"], "title": "CFO", "copyCustomerAddress": True}
        fault = await client.fault(UPDATE_CONTACT, input=sent)
    assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "copyCustomerAddress"])


async def test_what_is_local_of_a_synced_contact_stays_editable(client: Client) -> None:
    contact = await synced(client)
    customer_id = contact["customer"]["id"]
    role = await factories.contact_role(client, communication=True)
    location = await factories.location(client, customer_id)
    payload = await client.change(
        UPDATE_CONTACT,
        input={
            "id": contact["id"],
            "title": "CFO",
            "priority": 7,
            "roleId": role["id"],
            "locationId": location["id"],
            "preferredMethod": "EMAIL",
            # What is delivered may be sent along as it is.
            "firstName": "Eva",
            "methods": [{"kind": "EMAIL", "value": contact["email"]}],
            "address": None,
        },
    )
    [stub] = payload["events"]
    assert set(changes(stub)) == {"title", "priority", "roleId", "locationId", "preferredMethod"}
    assert stub["actor"]["kind"] == "USER"
    other = await factories.contact(client, customer_id)
    await client.change(UPDATE_CONTACT, input={"id": other["id"], "primary": True})
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "active": False})
    after = (await client.run(READ_CONTACT, id=contact["id"]))["contact"]
    assert (after["active"], after["primary"], after["isCommunicationContact"]) == (False, False, True)
    assert after["origin"] == contact["origin"]


async def test_a_synced_contact_cannot_be_deleted(client: Client) -> None:
    contact = await synced(client)
    other = await factories.contact(client, contact["customer"]["id"])
    async with nothing_recorded():
        for sent in ({"id": contact["id"]}, {"id": contact["id"], "successorId": other["id"]}):
            fault = await client.fault(DELETE_CONTACT, input=sent)
            assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "id"])
            assert "comes from the accounting system" in fault["message"]
    assert await client.run(READ_CONTACT, id=contact["id"]) == {"contact": contact}


async def test_the_accounting_system_itself_changes_what_it_delivers(client: Client) -> None:
    contact = await synced(client)

    async def deliver(change: Change) -> None:
        await contacts.update(change, contact["id"], None, {"last_name": "Quick"})

    await factories.by_quickbooks(deliver)
    stub = (await recorded(client, subjectId=contact["id"]))[-1]
    assert changes(stub) == {"lastName": ("Quinn", "Quick")}
    assert stub["sentence"] == (
        "QuickBooks Online changed contact Eva Quick at Krume: last name from “Quinn” to “Quick”."
    )


async def test_what_the_sync_delivers_to_a_customer_is_read_only(client: Client) -> None:
    row = await factories.synced_customer(name="Krume")
    delivered: list[tuple[dict[str, Any], str]] = [
        ({"name": "Kruste"}, "name"),
        ({"name": "Krume", "kind": "PERSON"}, "kind"),
        ({"name": "Krume", "phone": "+14155550101"}, "phone"),
        ({"kind": "COMPANY", "email": None}, "email"),
        ({"methods": []}, "methods"),
        ({"website": "https://krume.example.com"}, "website"),
        ({"billingAddress": BERLIN}, "billingAddress"),
        ({"shippingAddress": BERLIN}, "shippingAddress"),
    ]
    for given, field in delivered:
        async with nothing_recorded():
            fault = await client.fault(UPDATE_CUSTOMER, input={"id": row["id"], **given})
        assert (fault["code"], fault["field"], fault["message"]) == ("READ_ONLY", ["input", field], READ_ONLY)


async def test_a_synced_customer_gets_local_contacts_and_locations(client: Client) -> None:
    row = await factories.synced_customer(name="Krume", email="info@krume.example.com")
    await client.change(CREATE_LOCATION, input={"customerId": row["id"], "name": "Mill"})
    contact = await factories.contact(client, row["id"])
    assert contact["origin"]["kind"] == "LOCAL"
    method = row["methods"][0]["id"]
    async with nothing_recorded():
        fault = await client.fault(CONVERT_TO_CONTACT, input={"customerId": row["id"], "methodIds": [method]})
        assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "methodIds"])
    sent = {"customerId": row["id"], "methodIds": [method], "keep": True}
    payload = await client.change(CONVERT_TO_CONTACT, input=sent)
    assert payload["contact"]["email"] == "info@krume.example.com"
    customer = (await client.run(READ_CUSTOMER, id=row["id"]))["customer"]
    assert customer["origin"] == {
        "kind": "SYNCED",
        "system": "QUICKBOOKS_ONLINE",
        "externalId": row["origin_external_id"],
    }


async def test_a_local_contact_may_be_deleted_at_a_synced_customer(client: Client) -> None:
    row = await factories.synced_customer()
    contact = await factories.contact(client, row["id"])
    await client.change(DELETE_CONTACT, input={"id": contact["id"]})


async def test_a_sync_designates_the_company_contact_until_a_user_decides(client: Client) -> None:
    async def designate(change: Change) -> None:
        await contact_roles.designate_by_sync(change, WellKnownRole.COMPANY_CONTACT)

    async def company_contact() -> dict[str, Any]:
        edges = (await client.run(CONTACT_ROLES))["contactRoles"]["edges"]
        [role] = [edge["node"] for edge in edges if edge["node"]["wellKnown"] == "COMPANY_CONTACT"]
        assert isinstance(role, dict)
        return role

    role = await company_contact()
    assert (role["communication"], role["designatedBy"]) == (False, "DEFAULT")
    await factories.by_quickbooks(designate)
    role = await company_contact()
    assert (role["communication"], role["designatedBy"]) == (True, "ACCOUNTING")
    async with nothing_recorded():
        await factories.by_quickbooks(designate)
    await client.change(UPDATE_CONTACT_ROLE, input={"id": role["id"], "communication": False, "name": "Office"})
    async with nothing_recorded():
        await factories.by_quickbooks(designate)
    role = await company_contact()
    assert (role["name"], role["communication"], role["designatedBy"]) == ("Office", False, "USER")


async def test_synced_and_local_contacts_get_roles_together(client: Client) -> None:
    contact = await synced(client)
    local = await factories.contact(client, contact["customer"]["id"])
    role = await factories.contact_role(client)
    sent = {"contacts": [{"id": contact["id"]}, {"id": local["id"]}], "roleId": role["id"]}
    payload = await client.change(SET_CONTACT_ROLES, input=sent)
    assert [given["role"]["id"] for given in payload["contacts"]] == [role["id"]] * 2
    assert ContactRole.prefix == role["id"].partition("_")[0]
    assert Contact.prefix == contact["id"].partition("_")[0]
