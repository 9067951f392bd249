"""Contacts: created, changed, cleared and deleted, with their methods, address, role and priority."""

from __future__ import annotations

from typing import Any

import pytest

from models.identifier import new_id
from tests import factories
from tests.client import Client
from tests.factories import BERLIN, PARIS
from tests.resolvers.documents import (
    CREATE_CONTACT,
    DELETE_CONTACT,
    READ_CONTACT,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded, texts

pytestmark = pytest.mark.anyio

EMAIL = {"kind": "EMAIL", "value": "eva@example.com"}


async def test_a_contact_is_created_with_all_that_it_can_have(client: Client) -> None:
    customer = await factories.customer(client, name="Krume", billingAddress=BERLIN)
    role = await factories.contact_role(client, name="Billing", invoicePresentment=True)
    payload = await client.change(
        CREATE_CONTACT,
        input={
            "customerId": customer["id"],
            "firstName": " Eva ",
            "lastName": "Quinn",
            "title": "Chief  accountant",
            "roleId": role["id"],
            "priority": 5,
            "methods": [EMAIL, {"kind": "MOBILE", "value": "0171 1234567", "label": "private"}],
            "address": PARIS,
            "preferredMethod": "MOBILE",
            "doNotSendWelcome": True,
        },
    )
    contact = payload["contact"]
    methods = contact.pop("methods")
    assert [(m["kind"], m["value"], m["label"], m["preferred"]) for m in methods] == [
        ("EMAIL", "eva@example.com", None, True),
        ("MOBILE", "+491711234567", "private", True),
    ]
    assert contact == {
        "id": contact["id"],
        "revision": 1,
        "firstName": "Eva",
        "lastName": "Quinn",
        "title": "Chief accountant",
        "priority": 5,
        "email": "eva@example.com",
        "phone": None,
        "preferredMethod": "MOBILE",
        "address": PARIS,
        "level": "CUSTOMER",
        "primary": True,
        "active": True,
        "origin": {"kind": "LOCAL", "system": None, "externalId": None},
        "role": {"id": role["id"], "name": "Billing"},
        "isCommunicationContact": False,
        "receivesInvoices": True,
        "customer": {"id": customer["id"]},
        "location": None,
    }
    [stub] = payload["events"]
    assert (stub["action"], stub["category"], stub["revision"]) == ("CONTACT_CREATED", "CONTACT", 1)
    assert stub["subject"] == {"type": "CONTACT", "id": contact["id"], "label": "Eva Quinn"}
    assert (stub["customer"]["id"], stub["customerLabel"]) == (customer["id"], "Krume")
    assert stub["sentence"] == "Ada Admin added contact Eva Quinn at Krume."
    assert changes(stub) == {
        "customerId": (None, customer["id"]),
        "roleId": (None, role["id"]),
        "firstName": (None, "Eva"),
        "lastName": (None, "Quinn"),
        "title": (None, "Chief accountant"),
        "priority": (None, 5),
        "primary": (None, True),
        "methods": (None, methods),
        "preferredMethod": (None, "MOBILE"),
        "address": (None, PARIS),
        "active": (None, True),
    }
    assert texts(stub)["roleId"] == (None, "Billing")
    assert texts(stub)["primary"] == (None, "yes")


async def test_a_contact_needs_a_name_or_a_contact_method(client: Client) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        fault = await client.fault(CREATE_CONTACT, input={"customerId": customer["id"], "title": "CFO", "lastName": ""})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "firstName"])
    payload = await client.change(CREATE_CONTACT, input={"customerId": customer["id"], "methods": [EMAIL]})
    assert payload["events"][0]["subject"]["label"] == "eva@example.com"


async def test_the_last_name_or_method_cannot_be_taken_away(client: Client) -> None:
    contact = await factories.contact(client, lastName="Quinn")
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "title": "CFO", "lastName": None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "lastName"])
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "lastName": None, "firstName": "Eva"})
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "firstName": None, "methods": [EMAIL]})
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "methods": []})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "methods"])


async def test_what_is_omitted_stays_and_null_clears(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing", communication=True)
    contact = await factories.contact(
        client,
        firstName="Eva",
        lastName="Quinn",
        title="CFO",
        priority=0,
        roleId=role["id"],
        methods=[EMAIL],
        address=PARIS,
        preferredMethod="EMAIL",
    )
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "lastName": "Quick"})
    assert payload["contact"] == {**contact, "lastName": "Quick", "revision": 2}
    assert payload["events"][0]["sentence"].endswith("last name from “Quinn” to “Quick”.")
    cleared = ("firstName", "title", "priority", "roleId", "methods", "address", "preferredMethod")
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], **dict.fromkeys(cleared)})
    assert payload["contact"] == {
        **contact,
        "revision": 3,
        "lastName": "Quick",
        **dict.fromkeys(("firstName", "title", "priority", "role", "email", "address", "preferredMethod")),
        "methods": [],
        "isCommunicationContact": False,
    }
    [stub] = payload["events"]
    assert changes(stub) == {
        "roleId": (role["id"], None),
        "firstName": ("Eva", None),
        "title": ("CFO", None),
        "priority": (0, None),
        "methods": (contact["methods"], []),
        "preferredMethod": ("EMAIL", None),
        "address": (PARIS, None),
    }
    assert texts(stub)["roleId"] == ("Billing", None)


async def test_a_change_of_a_contact_that_changes_nothing_leaves_no_event(client: Client) -> None:
    contact = await factories.contact(client, methods=[EMAIL], address=PARIS, priority=3)
    same = {"lastName": contact["lastName"], "methods": [{**EMAIL, "value": "eva@EXAMPLE.com"}], "address": PARIS}
    async with nothing_recorded():
        payload = await client.change(
            UPDATE_CONTACT, input={"id": contact["id"], **same, "priority": 3, "active": True}
        )
        assert (payload["contact"], payload["events"]) == (contact, [])
        payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "primary": True})
        assert (payload["contact"], payload["events"]) == (contact, [])


async def test_the_address_of_the_customer_can_be_copied(client: Client) -> None:
    customer = await factories.customer(client, billingAddress=BERLIN)
    contact = await factories.contact(client, customer["id"], copyCustomerAddress=True)
    assert contact["address"] == BERLIN
    await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "billingAddress": PARIS})
    assert (await client.run(READ_CONTACT, id=contact["id"]))["contact"]["address"] == BERLIN
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "copyCustomerAddress": True})
    assert payload["contact"]["address"] == PARIS
    assert changes(payload["events"][0]) == {"address": (BERLIN, PARIS)}


@pytest.mark.parametrize(
    ("billing", "given", "field"),
    [
        (BERLIN, {"copyCustomerAddress": True, "address": PARIS}, "address"),
        (None, {"copyCustomerAddress": True}, "copyCustomerAddress"),
    ],
    ids=["with another address", "without one"],
)
async def test_an_address_that_cannot_be_copied_is_refused(
    client: Client, billing: Any, given: dict[str, Any], field: str
) -> None:
    customer = await factories.customer(client, billingAddress=billing)
    contact = await factories.contact(client, customer["id"])
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], **given})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", field])
        fault = await client.fault(CREATE_CONTACT, input={"customerId": customer["id"], "lastName": "Q", **given})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", field])


async def test_numbers_without_country_code_are_read_as_those_of_the_customers_country(client: Client) -> None:
    customer = await factories.customer(client, billingAddress=BERLIN)
    phone = {"kind": "PHONE", "value": "030 123456"}
    contact = await factories.contact(client, customer["id"], methods=[phone])
    assert contact["phone"] == "+4930123456"
    async with nothing_recorded():
        await client.change(UPDATE_CONTACT, input={"id": contact["id"], "methods": [phone]})


async def test_a_changed_method_keeps_its_id_when_it_is_named_or_the_same(client: Client) -> None:
    contact = await factories.contact(client, methods=[EMAIL, {"kind": "PHONE", "value": "+14155550101"}])
    email, phone = contact["methods"]
    changed = [{"id": phone["id"], "kind": "PHONE", "value": "+14155550199"}, {**EMAIL, "label": "work"}]
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "methods": changed})
    assert payload["contact"]["methods"] == [
        {**phone, "value": "+14155550199"},
        {**email, "label": "work"},
    ]
    assert texts(payload["events"][0]) == {
        "methods": ("eva@example.com, +14155550101", "+14155550199, eva@example.com")
    }


async def test_the_preferred_method_is_one_that_the_contact_has(client: Client) -> None:
    contact = await factories.contact(client, methods=[EMAIL])
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "preferredMethod": "FAX"})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "preferredMethod"])
        sent = {"customerId": contact["customer"]["id"], "lastName": "Q", "preferredMethod": "EMAIL"}
        fault = await client.fault(CREATE_CONTACT, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "preferredMethod"])
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "preferredMethod": "EMAIL"})
    phone = [{"kind": "PHONE", "value": "+14155550101"}]
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "methods": phone})
    assert payload["contact"]["preferredMethod"] is None
    assert changes(payload["events"][0])["preferredMethod"] == ("EMAIL", None)


@pytest.mark.parametrize("priority", [-1, 1001])
async def test_priority_is_from_0_to_1000(client: Client, priority: int) -> None:
    contact = await factories.contact(client, priority=1000)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT, input={"id": contact["id"], "priority": priority})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "priority"])
    assert fault["message"] == "Priority must be from 0 to 1000."


async def test_a_local_contact_is_deleted_with_its_notes(client: Client) -> None:
    contact = await factories.contact(client, firstName="Eva", lastName="Quinn")
    note = await factories.note(client, contact["id"], body="Prefers letters")
    payload = await client.change(DELETE_CONTACT, input={"id": contact["id"]})
    assert payload["deletedId"] == contact["id"]
    assert actions(payload["events"]) == ["NOTE_DELETED", "CONTACT_DELETED"]
    deleted = payload["events"][1]
    assert deleted["subject"] == {"type": "CONTACT", "id": contact["id"], "label": "Eva Quinn"}
    assert changes(deleted)["lastName"] == ("Quinn", None)
    document = "query ($id: ID!, $ids: [ID!]!) { nodes(ids: $ids) { id } contact(id: $id) { id } }"
    found = await client.run(document, id=contact["id"], ids=[contact["id"], note["id"]])
    assert found == {"nodes": [None, None], "contact": None}
    async with nothing_recorded():
        fault = await client.fault(DELETE_CONTACT, input={"id": contact["id"]})
    assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "id"])


async def test_unknown_references_are_told_apart(client: Client) -> None:
    contact = await factories.contact(client)
    for given, field in (({"customerId": new_id("cus")}, "customerId"), ({"roleId": new_id("rol")}, "roleId")):
        async with nothing_recorded():
            sent = {"customerId": contact["customer"]["id"], "lastName": "Q", **given}
            fault = await client.fault(CREATE_CONTACT, input=sent)
        assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", field])
