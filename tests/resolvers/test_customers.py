"""Customers: created, changed, cleared, and their contact methods turned into contacts."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from models.identifier import new_id
from tests import factories
from tests.client import Client, ClientWith
from tests.factories import BERLIN, PARIS
from tests.resolvers.documents import CONVERT_TO_CONTACT, CREATE_CUSTOMER, READ_CUSTOMER, UPDATE_CUSTOMER
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio


def methods(*of: tuple[str, str, bool]) -> list[dict[str, Any]]:
    return [{"kind": kind, "value": value, "preferred": preferred} for kind, value, preferred in of]


def shown(customer: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(method["kind"], method["value"], method["preferred"]) for method in customer["methods"]]


async def test_a_customer_is_created_with_cleaned_values(client: Client) -> None:
    payload = await client.change(
        CREATE_CUSTOMER,
        input={
            "name": "  Bäckerei   Krume ",
            "kind": "PERSON",
            "email": "Eva.Quinn@KRUME.example.com",
            "phone": "030 123456",
            "website": "krume.example.com/brot",
            "billingAddress": {
                "lines": [" Torstraße 1 ", ""],
                "city": "Berlin",
                "postalCode": "10119",
                "country": "de",
            },
        },
    )
    customer = payload["customer"]
    assert customer == {
        "id": customer["id"],
        "revision": 1,
        "kind": "PERSON",
        "name": "Bäckerei Krume",
        "email": "Eva.Quinn@krume.example.com",
        "phone": "+4930123456",
        "website": "https://krume.example.com/brot",
        "methods": [
            {"id": method["id"], "kind": kind, "value": value, "label": None, "preferred": True}
            for method, kind, value in zip(
                customer["methods"],
                ("EMAIL", "PHONE"),
                ("Eva.Quinn@krume.example.com", "+4930123456"),
                strict=True,
            )
        ],
        "taxId": None,
        "active": True,
        "billingAddress": BERLIN,
        "shippingAddress": None,
        "origin": {"kind": "LOCAL", "system": None, "externalId": None},
        "primaryContact": None,
    }
    assert await client.run(READ_CUSTOMER, id=customer["id"]) == {"customer": customer}


async def test_creating_a_customer_leaves_one_event_that_holds_all_it_has(client: Client) -> None:
    assert client.user is not None
    payload = await client.change(CREATE_CUSTOMER, input={"name": "Krume", "website": "https://krume.example.com"})
    [stub] = payload["events"]
    customer = payload["customer"]
    assert stub["action"] == "CUSTOMER_CREATED"
    assert stub["category"] == "PROFILE"
    assert stub["revision"] == 1
    assert stub["actor"] == {"kind": "USER", "id": client.user["id"], "name": "Ada Admin"}
    assert stub["subject"] == {"type": "CUSTOMER", "id": customer["id"], "label": "Krume"}
    assert stub["customer"] == {"id": customer["id"], "name": "Krume"}
    assert stub["customerLabel"] == "Krume"
    assert stub["sentence"] == "Ada Admin added customer Krume."
    assert stub["requestId"] == client.response.headers["x-request-id"]
    assert changes(stub) == {
        "name": (None, "Krume"),
        "kind": (None, "COMPANY"),
        "methods": (None, []),
        "website": (None, "https://krume.example.com"),
        "active": (None, True),
        "paymentResponsibility": (None, "BUYER"),
    }


async def test_a_customer_is_a_company_unless_it_says_otherwise(client: Client) -> None:
    assert (await factories.customer(client))["kind"] == "COMPANY"


async def test_methods_may_be_given_instead_of_email_and_phone(client: Client) -> None:
    given = [
        {"kind": "EMAIL", "value": "a@example.com"},
        {"kind": "EMAIL", "value": "b@example.com", "preferred": True, "label": "office"},
        {"kind": "FAX", "value": "+44 20 7946 0958"},
        {"kind": "OTHER", "value": "Signal: @krume"},
    ]
    customer = await factories.customer(client, methods=given)
    assert shown(customer) == [
        ("EMAIL", "a@example.com", False),
        ("EMAIL", "b@example.com", True),
        ("FAX", "+442079460958", True),
        ("OTHER", "Signal: @krume", True),
    ]
    assert customer["methods"][1]["label"] == "office"
    assert (customer["email"], customer["phone"]) == ("b@example.com", None)


async def test_methods_and_their_shorthands_do_not_go_together(client: Client) -> None:
    async with nothing_recorded():
        fault = await client.fault(CREATE_CUSTOMER, input={"name": "Krume", "email": "a@example.com", "methods": []})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "methods"])


@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"kind": "EMAIL", "value": "A@EXAMPLE.com"}, "value"),
        ({"kind": "EMAIL", "value": "b@example.com", "preferred": True}, "preferred"),
    ],
)
async def test_methods_are_each_there_once_and_one_of_a_kind_is_preferred(
    client: Client, second: dict[str, Any], field: str
) -> None:
    first = {"kind": "EMAIL", "value": "a@example.com", "preferred": True}
    async with nothing_recorded():
        fault = await client.fault(CREATE_CUSTOMER, input={"name": "Krume", "methods": [first, second]})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "methods", "1", field])


async def test_a_new_email_takes_the_place_of_the_preferred_one_and_keeps_its_id(client: Client) -> None:
    given = methods(("EMAIL", "a@example.com", False), ("EMAIL", "b@example.com", True), ("OTHER", "Signal", True))
    before = await factories.customer(client, methods=given)
    payload = await client.change(UPDATE_CUSTOMER, input={"id": before["id"], "email": "c@example.com"})
    after = payload["customer"]
    assert shown(after) == [
        ("EMAIL", "a@example.com", False),
        ("EMAIL", "c@example.com", True),
        ("OTHER", "Signal", True),
    ]
    assert [method["id"] for method in after["methods"]] == [method["id"] for method in before["methods"]]
    [stub] = payload["events"]
    assert changes(stub) == {"methods": (before["methods"], after["methods"])}
    assert texts(stub) == {
        "methods": ("a@example.com, b@example.com, Signal", "a@example.com, c@example.com, Signal"),
    }


async def test_an_email_that_is_there_already_becomes_the_preferred_one(client: Client) -> None:
    given = methods(("EMAIL", "a@example.com", False), ("EMAIL", "b@example.com", True))
    before = await factories.customer(client, methods=given)
    after = (await client.change(UPDATE_CUSTOMER, input={"id": before["id"], "email": "A@example.com"}))["customer"]
    assert shown(after) == [("EMAIL", "a@example.com", True), ("EMAIL", "b@example.com", False)]


async def test_a_cleared_email_leaves_the_next_one_preferred(client: Client) -> None:
    given = methods(
        ("EMAIL", "a@example.com", True), ("EMAIL", "b@example.com", False), ("PHONE", "+14155550101", True)
    )
    customer = await factories.customer(client, methods=given)
    after = (await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "email": None}))["customer"]
    assert shown(after) == [("EMAIL", "b@example.com", True), ("PHONE", "+14155550101", True)]
    after = (await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "email": None, "phone": ""}))["customer"]
    assert (after["email"], after["phone"], after["methods"]) == (None, None, [])


async def test_a_change_holds_what_differs_with_before_and_after(client: Client) -> None:
    customer = await factories.customer(client, name="Krume", website="https://old.example.com", billingAddress=BERLIN)
    payload = await client.change(
        UPDATE_CUSTOMER,
        input={
            "id": customer["id"],
            "name": "Kruste",
            "kind": "COMPANY",
            "website": None,
            "billingAddress": PARIS,
            "shippingAddress": BERLIN,
        },
    )
    after = payload["customer"]
    assert (after["revision"], after["name"], after["website"]) == (2, "Kruste", None)
    assert (after["billingAddress"], after["shippingAddress"]) == (PARIS, BERLIN)
    [stub] = payload["events"]
    assert (stub["action"], stub["revision"]) == ("CUSTOMER_UPDATED", 2)
    assert changes(stub) == {
        "name": ("Krume", "Kruste"),
        "website": ("https://old.example.com", None),
        "billingAddress": (BERLIN, PARIS),
        "shippingAddress": (None, BERLIN),
    }
    assert [change["label"] for change in stub["changes"]] == ["Name", "Website", "Billing address", "Shipping address"]
    assert stub["sentence"] == (
        "Ada Admin changed customer Kruste: name from “Krume” to “Kruste”; website “https://old.example.com” removed;"
        " billing address from “Torstraße 1, Berlin, 10119, DE” to “12 rue Cler, Étage 3, Paris, 75007, FR”"
        " and 1 more."
    )


async def test_addresses_read_in_the_order_in_which_they_are_written(client: Client) -> None:
    customer = await factories.customer(client, billingAddress=BERLIN, shippingAddress=BERLIN)
    payload = await client.change(
        UPDATE_CUSTOMER, input={"id": customer["id"], "billingAddress": PARIS, "shippingAddress": None}
    )
    [stub] = payload["events"]
    assert texts(stub) == {
        "billingAddress": ("Torstraße 1, Berlin, 10119, DE", "12 rue Cler, Étage 3, Paris, 75007, FR"),
        "shippingAddress": ("Torstraße 1, Berlin, 10119, DE", None),
    }


@pytest.mark.parametrize("name", ["name", "kind"])
async def test_what_a_customer_must_have_cannot_be_cleared(client: Client, name: str) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], name: None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])


async def test_an_address_of_blanks_is_none(client: Client) -> None:
    customer = await factories.customer(client, billingAddress={"lines": [" "], "city": "", "country": None})
    assert customer["billingAddress"] is None


async def test_a_change_that_changes_nothing_leaves_no_event_and_no_revision(client: Client) -> None:
    customer = await factories.customer(
        client, name="Krume", email="a@example.com", phone="+14155550101", billingAddress=BERLIN
    )
    same = {"name": " Krume", "email": "a@EXAMPLE.com", "phone": "(415) 555-0101", "billingAddress": BERLIN}
    async with nothing_recorded():
        payload = await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], **same, "phone": "+1 415 555 0101"})
        assert payload["events"] == []
        assert payload["customer"] == customer
        assert (await client.change(UPDATE_CUSTOMER, input={"id": customer["id"]}))["customer"] == customer


async def test_one_contact_method_converts_into_a_contact(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing", communication=True)
    given = methods(("EMAIL", "eva@example.com", True), ("EMAIL", "info@example.com", False))
    customer = await factories.customer(client, name="Krume", methods=given)
    moved, left = customer["methods"]
    payload = await client.change(
        CONVERT_TO_CONTACT,
        input={
            "customerId": customer["id"],
            "methodIds": [moved["id"]],
            "firstName": "Eva",
            "roleId": role["id"],
            "doNotSendWelcome": True,
        },
    )
    contact = payload["contact"]
    assert contact["methods"] == [moved]
    assert (contact["firstName"], contact["email"], contact["primary"]) == ("Eva", "eva@example.com", True)
    assert contact["isCommunicationContact"]
    assert payload["customer"]["methods"] == [{**left, "preferred": True}]
    assert payload["customer"]["primaryContact"] == {"id": contact["id"]}
    changed, created = payload["events"]
    assert (changed["action"], created["action"]) == ("CUSTOMER_UPDATED", "CONTACT_CREATED")
    assert changes(changed) == {"methods": (customer["methods"], payload["customer"]["methods"])}
    assert changes(created)["methods"] == (None, [moved])
    assert texts(created)["roleId"] == (None, "Billing")
    assert created["sentence"] == "Ada Admin added contact Eva at Krume."


async def test_several_contact_methods_convert_into_one_contact_at_a_location(client: Client) -> None:
    customer = await factories.customer(client, email="eva@example.com", phone="+14155550101", website="example.com")
    location = await factories.location(client, customer["id"])
    ids = [method["id"] for method in reversed(customer["methods"])]
    payload = await client.change(
        CONVERT_TO_CONTACT,
        input={"customerId": customer["id"], "methodIds": [*ids, ids[0]], "locationId": location["id"]},
    )
    contact = payload["contact"]
    assert shown(contact) == [("PHONE", "+14155550101", True), ("EMAIL", "eva@example.com", True)]
    assert (contact["level"], contact["location"]["id"]) == ("LOCATION", location["id"])
    assert (payload["customer"]["methods"], payload["customer"]["email"]) == ([], None)


async def test_a_converted_contact_method_can_stay_with_the_customer_as_well(client: Client) -> None:
    customer = await factories.customer(client, email="eva@example.com")
    sent = {"customerId": customer["id"], "methodIds": [customer["methods"][0]["id"]], "keep": True}
    payload = await client.change(CONVERT_TO_CONTACT, input={**sent, "doNotSendWelcome": True})
    assert payload["customer"] == {**customer, "primaryContact": {"id": payload["contact"]["id"]}}
    assert shown(payload["contact"]) == shown(customer)
    assert payload["contact"]["methods"][0]["id"] != customer["methods"][0]["id"]
    assert actions(payload["events"]) == ["CONTACT_CREATED"]


async def test_only_the_customers_own_contact_methods_convert(client: Client) -> None:
    customer = await factories.customer(client, email="eva@example.com")
    other = await factories.customer(client, email="max@example.com")
    own, foreign = customer["methods"][0]["id"], other["methods"][0]["id"]
    for ids, field in (([own, foreign], ["1"]), ([new_id("mth")], ["0"]), (["nonsense"], ["0"]), ([], [])):
        async with nothing_recorded():
            fault = await client.fault(CONVERT_TO_CONTACT, input={"customerId": customer["id"], "methodIds": ids})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "methodIds", *field])
    assert await client.run(READ_CUSTOMER, id=customer["id"]) == {"customer": customer}


async def test_a_conversion_that_fails_moves_nothing(client: Client) -> None:
    customer = await factories.customer(client, email="eva@example.com")
    elsewhere = await factories.location(client, (await factories.customer(client))["id"])
    sent = {"customerId": customer["id"], "methodIds": [customer["methods"][0]["id"]]}
    async with nothing_recorded():
        fault = await client.fault(CONVERT_TO_CONTACT, input={**sent, "locationId": elsewhere["id"]})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "locationId"])
        fault = await client.fault(CONVERT_TO_CONTACT, input={**sent, "roleId": new_id("rol")})
        assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "roleId"])
    assert await client.run(READ_CUSTOMER, id=customer["id"]) == {"customer": customer}


async def test_contacts_are_maintained_without_maintaining_customers(client: Client, client_with: ClientWith) -> None:
    customer = await factories.customer(client)
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CONTACTS_WRITE])
    assert (await factories.contact(clerk, customer["id"], firstName="Eva"))["firstName"] == "Eva"
    await clerk.run(UPDATE_CUSTOMER, input={"id": customer["id"], "name": "Mine"})
    assert clerk.codes == ["FORBIDDEN"]
    assert "CUSTOMERS_WRITE" in clerk.errors[0]["message"]


async def test_to_take_contact_methods_from_a_customer_is_to_change_it(client: Client, client_with: ClientWith) -> None:
    customer = await factories.customer(client, email="eva@example.com")
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CONTACTS_WRITE])
    sent = {"customerId": customer["id"], "methodIds": [customer["methods"][0]["id"]]}
    before = await last_seq()
    await clerk.run(CONVERT_TO_CONTACT, input=sent)
    assert clerk.codes == ["FORBIDDEN"]
    assert "CUSTOMERS_WRITE" in clerk.errors[0]["message"]
    assert actions(await recorded(client, after=before)) == ["USER_PERMISSION_REFUSED"]
    payload = await clerk.change(CONVERT_TO_CONTACT, input={**sent, "keep": True, "doNotSendWelcome": True})
    assert payload["customer"]["methods"] == customer["methods"]
    assert actions(payload["events"]) == ["CONTACT_CREATED"]
