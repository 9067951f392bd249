"""Settings: what holds for all customers, and whom a change of it affects."""

from __future__ import annotations

from typing import Any

import pytest

import models
from models import Permission
from models.preferences import SETTINGS_ID
from services import customers, defaults
from tests import factories
from tests.client import Client, ClientWith, observed
from tests.resolvers.documents import READ_SETTINGS, UPDATE_PREFERENCES, UPDATE_SETTINGS
from tests.resolvers.stubs import changes, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio


async def change(client: Client, **sent: Any) -> dict[str, Any]:
    return await client.change(UPDATE_SETTINGS, input=sent)


def affected(stub: dict[str, Any]) -> dict[str, int | None]:
    return {each["field"]: each["affectedCustomers"] for each in stub["changes"]}


async def test_settings_exist_from_the_start_once(client: Client) -> None:
    assert (await client.run(READ_SETTINGS))["settings"] == {
        "id": SETTINGS_ID,
        "revision": 1,
        "reminders": {"workflow": None},
        "monthlyStatement": False,
        "onlinePayments": {"enabled": True, "disabledUntil": None, "available": True},
        "customerPortal": True,
        "card": {"enabled": False, "surcharge": "0.00"},
        "ach": {"enabled": True, "discount": "0.00"},
        "contactPolicy": "NOT_REQUIRED",
        "portalAccess": "ALL_CONTACTS",
        "separateMessages": True,
        "replyTo": None,
        "company": None,
    }
    [stub] = await recorded(client, subjectId=SETTINGS_ID)
    assert (stub["action"], stub["category"]) == ("SETTINGS_CREATED", "SETTINGS")
    assert stub["sentence"] == "Counterfoil added the settings."
    assert await defaults.ensure() == []


async def test_a_change_for_all_says_how_many_customers_it_affects_in_one_event(client: Client) -> None:
    inheriting = [await factories.customer(client) for _ in range(3)]
    overriding = await factories.customer(client)
    await client.change(
        UPDATE_PREFERENCES, input={"customerId": overriding["id"], "card": {"enabled": False}, "customerPortal": True}
    )
    gone = await factories.synced_customer(active=False)
    payload = await change(client, expectedRevision=1, card={"enabled": True, "surcharge": "2.5"})
    [stub] = payload["events"]
    assert (stub["action"], stub["category"], stub["customer"]) == ("SETTINGS_UPDATED", "SETTINGS", None)
    assert affected(stub) == {"card": 3}
    assert texts(stub) == {"card": ("off", "on, 2.5 % surcharge")}
    assert stub["sentence"] == (
        "Ada Admin changed the settings: card from “off” to “on, 2.5 % surcharge” for 3 customers."
    )
    [stub] = (await change(client, customerPortal=False, monthlyStatement=True))["events"]
    assert affected(stub) == {"customerPortal": 3, "monthlyStatement": 4}
    assert changes(stub) == {"customerPortal": (True, False), "monthlyStatement": (False, True)}
    for each in inheriting[1:]:
        await client.change(UPDATE_PREFERENCES, input={"customerId": each["id"], "contactPolicy": "REQUIRED"})
    await client.change(UPDATE_PREFERENCES, input={"customerId": overriding["id"], "contactPolicy": "REQUIRED"})
    [stub] = (await change(client, contactPolicy="REQUIRED_WITH_PASSWORD"))["events"]
    assert stub["sentence"] == (
        "Ada Admin changed the settings: contact policy from “not required” to “required with password” for 1 customer."
    )
    assert gone["id"] not in {stub["subject"]["id"] for stub in await recorded(client, actions=["CUSTOMER_UPDATED"])}


async def test_customers_without_reminders_by_their_own_choice_are_not_affected(client: Client) -> None:
    workflow, strict = [await factories.reminder_workflow(client, name=name) for name in ("Standard", "Strict")]
    for reminders in ({"workflowId": None}, {"workflowId": strict["id"]}, None):
        customer = await factories.customer(client)
        await client.change(UPDATE_PREFERENCES, input={"customerId": customer["id"], "reminders": reminders})
    payload = await change(client, reminders={"workflowId": workflow["id"]})
    assert payload["settings"]["reminders"]["workflow"]["name"] == "Standard"
    [stub] = payload["events"]
    assert affected(stub) == {"reminderWorkflowId": 1}
    assert stub["sentence"].endswith("reminder workflow set to “Standard” for 1 customer.")
    [stub] = (await change(client, reminders={"workflowId": None}))["events"]
    assert stub["sentence"].endswith("reminder workflow “Standard” removed for 1 customer.")


async def test_counting_whom_it_affects_takes_one_statement(client: Client, database: models.Database) -> None:
    counts = []
    for number in range(2):
        await factories.by_quickbooks(lambda opened: customers.create(opened, {"name": "One more"}))
        with observed(database) as seen:
            await change(client, monthlyStatement=number == 0, customerPortal=number == 1)
        counts.append(len(seen))
        assert sum("count(" in sql for sql in seen) == 1
    assert counts[0] == counts[1]


async def test_what_does_not_change_leaves_nothing(client: Client) -> None:
    async with nothing_recorded():
        payload = await change(client, customerPortal=True, ach={"enabled": True}, reminders={"workflowId": None})
    assert payload["settings"]["revision"] == 1


HELD = [
    *("reminders", "monthlyStatement", "onlinePayments", "customerPortal", "card", "ach", "contactPolicy"),
    *("notifications", "portalPermissions", "portalAccess", "separateMessages"),
]


async def test_nothing_else_of_the_settings_can_be_cleared(client: Client) -> None:
    for name in HELD:
        async with nothing_recorded():
            fault = await client.fault(UPDATE_SETTINGS, input={name: None})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", name]), name
        assert fault["message"].endswith("cannot be null: for all customers something must hold."), name


COMPANY: dict[str, Any] = {
    "name": " Lakeside  Bakery ",
    "address": {"lines": ["Torstraße 1"], "city": "Berlin", "postalCode": "10119", "country": "de"},
    "email": "office@Lakeside.example.com",
    "phone": "030 123456",
    "taxId": "DE 123",
    "paymentInstructions": "By transfer to\r\nDE02 1203 0000 0000 2020 51",
}


async def test_the_company_that_writes_and_where_answers_go(client: Client) -> None:
    payload = await change(client, company=COMPANY)
    assert payload["settings"]["company"] == {
        "name": "Lakeside Bakery",
        "address": {**factories.BERLIN},
        "email": "office@lakeside.example.com",
        "phone": "+4930123456",
        "taxId": "DE 123",
        "paymentInstructions": "By transfer to\nDE02 1203 0000 0000 2020 51",
    }
    payload = await change(
        client,
        company={**COMPANY, "paymentInstructions": "Cash"},
        replyTo="billing@Lakeside.example.com",
        separateMessages=False,
    )
    assert payload["settings"]["replyTo"] == "billing@lakeside.example.com"
    [stub] = payload["events"]
    assert affected(stub) == {"company": None, "replyTo": None, "separateMessages": None}
    assert texts(stub) == {
        "company": (
            "Lakeside Bakery, Torstraße 1, Berlin, 10119, DE, office@lakeside.example.com, +4930123456, DE 123, "
            + COMPANY["paymentInstructions"].replace("\r", ""),
            "Lakeside Bakery, Torstraße 1, Berlin, 10119, DE, office@lakeside.example.com, +4930123456, DE 123, Cash",
        ),
        "replyTo": (None, "billing@lakeside.example.com"),
        "separateMessages": ("one for each recipient", "one for all recipients"),
    }
    payload = await change(client, company={"name": "Lakeside", "email": "", "phone": " ", "taxId": None})
    nothing = dict.fromkeys(["address", "email", "phone", "taxId", "paymentInstructions"])
    assert payload["settings"]["company"] == {"name": "Lakeside", **nothing}
    payload = await change(client, company=None, replyTo=None, portalAccess="COMMUNICATION_CONTACTS")
    assert payload["settings"]["company"] is payload["settings"]["replyTo"] is None
    assert texts(payload["events"][0])["portalAccess"] == ("all contacts", "communication contacts")


BAD_COMPANIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"company": {"name": "  "}}, ["company", "name"]),
    ({"company": {"name": "x" * 201}}, ["company", "name"]),
    ({"company": {**COMPANY, "email": "office@nowhere"}}, ["company", "email"]),
    ({"company": {**COMPANY, "phone": "12"}}, ["company", "phone"]),
    ({"company": {**COMPANY, "taxId": "DE\n123"}}, ["company", "taxId"]),
    ({"company": {**COMPANY, "paymentInstructions": "x" * 2001}}, ["company", "paymentInstructions"]),
    ({"company": {**COMPANY, "address": {"lines": [], "country": "XX"}}}, ["company", "address", "country"]),
    ({"replyTo": "billing"}, ["replyTo"]),
    ({"replyTo": ""}, ["replyTo"]),
    ({"replyTo": "a@example.com\r\nBcc: b@example.com"}, ["replyTo"]),
]


async def test_a_bad_company_or_address_for_answers_is_refused(client: Client) -> None:
    for sent, field in BAD_COMPANIES:
        async with nothing_recorded():
            fault = await client.fault(UPDATE_SETTINGS, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", *field]), sent


async def test_a_stale_revision_of_the_settings_is_refused(client: Client) -> None:
    await change(client, customerPortal=False)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_SETTINGS, input={"expectedRevision": 1, "customerPortal": True})
    assert (fault["code"], fault["field"]) == ("CONFLICT", ["input", "expectedRevision"])
    assert fault["currentRevision"] == 2


async def test_settings_are_changed_with_their_own_permission(client: Client, client_with: ClientWith) -> None:
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE])
    assert (await clerk.run(READ_SETTINGS))["settings"]["revision"] == 1
    await clerk.run(UPDATE_SETTINGS, input={"customerPortal": False})
    assert clerk.codes == ["FORBIDDEN"]
    assert "SETTINGS_WRITE" in clerk.errors[0]["message"]
