"""Preferences of customers: what they override, what they inherit, and what holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import models
from audit import Change
from models import Permission, clock
from models.identifier import new_id
from services import preferences as service
from tests import factories
from tests.client import Client, ClientWith, observed
from tests.resolvers.documents import (
    CUSTOMER_HISTORY,
    PREFERENCES,
    READ_PREFERENCES,
    UPDATE_PREFERENCES,
    UPDATE_SETTINGS,
)
from tests.resolvers.stubs import changes, nothing_recorded, texts

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
ON = {"enabled": True, "disabledUntil": None, "available": True}
NODE = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Preferences {PREFERENCES} }} }}"

# Preference → what an input says, and what is read then.
OVERRIDES: dict[str, tuple[Any, Any]] = {
    "monthlyStatement": (True, True),
    "onlinePayments": ({"enabled": False}, {"enabled": False, "disabledUntil": None, "available": False}),
    "customerPortal": (False, False),
    "card": ({"enabled": True, "surcharge": "2.5"}, {"enabled": True, "surcharge": "2.50"}),
    "ach": ({"enabled": True, "discount": "100"}, {"enabled": True, "discount": "100.00"}),
    "contactPolicy": ("REQUIRED", "REQUIRED"),
}


async def read(client: Client, customer: dict[str, Any]) -> dict[str, Any]:
    found = (await client.run(READ_PREFERENCES, id=customer["id"]))["customer"]["preferences"]
    assert isinstance(found, dict)
    return found


async def override(client: Client, customer: dict[str, Any], **sent: Any) -> dict[str, Any]:
    return await client.change(UPDATE_PREFERENCES, input={"customerId": customer["id"], **sent})


async def test_before_the_first_override_everything_is_inherited(client: Client) -> None:
    customer = await factories.customer(client)
    found = await read(client, customer)
    assert (found["id"], found["revision"]) == (customer["id"].replace("cus_", "prf_"), 0)
    assert found["customer"] == {"id": customer["id"]}
    expected = {
        "reminders": {"workflow": None},
        "monthlyStatement": False,
        "onlinePayments": ON,
        "customerPortal": True,
        "card": {"enabled": False, "surcharge": "0.00"},
        "ach": {"enabled": True, "discount": "0.00"},
        "contactPolicy": "NOT_REQUIRED",
    }
    for name, value in expected.items():
        assert found[name] == {"own": None, "global": value, "effective": value, "source": "GLOBAL"}
    assert (await client.run(NODE, id=found["id"]))["node"] == found
    assert (await client.run(NODE, id=new_id("prf")))["node"] is None


async def test_an_override_holds_until_it_is_cleared(client: Client) -> None:
    for name, (sent, own) in OVERRIDES.items():
        customer, other = [await factories.customer(client) for _ in range(2)]
        before = (await read(client, customer))[name]
        found = (await override(client, customer, expectedRevision=0, **{name: sent}))["preferences"]
        assert found["revision"] == 1, name
        assert found[name] == {**before, "own": own, "effective": own, "source": "CUSTOMER"}, name
        assert await read(client, customer) == found, name
        assert (await read(client, other))[name] == before, name
        async with nothing_recorded():
            await override(client, customer, **{name: sent})
        found = (await override(client, customer, expectedRevision=1, **{name: None}))["preferences"]
        assert (found["revision"], found[name]) == (2, before), name


async def test_no_reminders_is_a_choice_of_its_own(client: Client) -> None:
    standard, strict = [await factories.reminder_workflow(client, name=name) for name in ("Standard", "Strict")]
    await client.change(UPDATE_SETTINGS, input={"reminders": {"workflowId": standard["id"]}})
    customer = await factories.customer(client)
    everywhere, own = ({"workflow": {"id": each["id"], "name": each["name"]}} for each in (standard, strict))
    nothing = {"workflow": None}
    steps: list[tuple[Any, Any, Any, str]] = [
        ({"workflowId": strict["id"]}, own, own, "CUSTOMER"),
        ({"workflowId": None}, nothing, nothing, "CUSTOMER"),
        (None, None, everywhere, "GLOBAL"),
        ({"workflowId": None}, nothing, nothing, "CUSTOMER"),
        ({"workflowId": strict["id"]}, own, own, "CUSTOMER"),
    ]
    sentences = []
    for sent, expected, effective, source in steps:
        payload = await override(client, customer, reminders=sent)
        assert payload["preferences"]["reminders"] == {
            "own": expected,
            "global": everywhere,
            "effective": effective,
            "source": source,
        }
        [stub] = payload["events"]
        assert stub["category"] == "COMMUNICATION_SETTINGS"
        sentences.append(stub["sentence"].partition(": ")[2])
    assert sentences == [
        "reminder workflow set to “Strict”.",
        "reminder workflow “Strict” removed; reminders set to “off”.",
        "reminders from “off” back to the global setting.",
        "reminders set to “off”.",
        "reminder workflow set to “Strict”; reminders “off” removed.",
    ]


async def test_overrides_stand_in_the_customers_history_and_read_well(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    card = {"enabled": True, "surcharge": "2.50"}
    first = await override(client, customer, card=card)
    [stub] = first["events"]
    assert (stub["action"], stub["category"], stub["revision"]) == ("PREFERENCES_CREATED", "PAYMENT", 1)
    assert stub["subject"] == {"type": "PREFERENCES", "id": first["preferences"]["id"], "label": "preferences"}
    assert stub["customer"] == {"id": customer["id"], "name": "Krume"}
    assert stub["sentence"] == "Ada Admin changed the preferences of Krume: card set to “on, 2.5 % surcharge”."
    assert changes(stub)["card"] == (None, {"enabled": True, "surchargeBasisPoints": 250})
    with clock.set_to(lambda: NOW):
        online = {"enabled": False, "disabledUntil": "2026-03-12"}
        [stub] = (await override(client, customer, onlinePayments=online, ach={"enabled": False}))["events"]
    assert (stub["action"], stub["category"]) == ("PREFERENCES_UPDATED", "PAYMENT")
    assert texts(stub) == {"onlinePayments": (None, "off until 2026-03-12"), "ach": (None, "off")}
    [stub] = (await override(client, customer, card=None))["events"]
    assert stub["sentence"] == (
        "Ada Admin changed the preferences of Krume: card from “on, 2.5 % surcharge” back to the global setting."
    )
    [stub] = (await override(client, customer, ach={"enabled": True, "discount": "1"}))["events"]
    assert stub["sentence"] == "Ada Admin changed the preferences of Krume: ACH from “off” to “on, 1 % discount”."
    assert stub["changes"][0]["label"] == "ACH"
    assert {change["affectedCustomers"] for change in stub["changes"]} == {None}
    view = (await client.run(CUSTOMER_HISTORY, id=customer["id"], filter={"categories": ["PAYMENT"]}))["customer"]
    assert view["history"]["totalCount"] == 4


async def test_a_rate_is_told_while_the_payment_is_off_too(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    told = []
    for card in ({"enabled": False}, {"enabled": False, "surcharge": "2.5"}, {"enabled": True, "surcharge": "2.5"}):
        [stub] = (await override(client, customer, card=card))["events"]
        told.append(texts(stub)["card"])
    assert told == [
        (None, "off"),
        ("off", "off, 2.5 % surcharge"),
        ("off, 2.5 % surcharge", "on, 2.5 % surcharge"),
    ]


HEADINGS: list[tuple[dict[str, Any], str]] = [
    ({"card": {"enabled": True}, "ach": {"enabled": True}}, "PAYMENT"),
    ({"onlinePayments": {"enabled": False}}, "PAYMENT"),
    ({"monthlyStatement": True, "reminders": {"workflowId": None}}, "COMMUNICATION_SETTINGS"),
    ({"customerPortal": False}, "SETTINGS"),
    ({"contactPolicy": "REQUIRED"}, "SETTINGS"),
    ({"card": {"enabled": True}, "monthlyStatement": True}, "SETTINGS"),
    ({"card": {"enabled": True}, "contactPolicy": "REQUIRED"}, "SETTINGS"),
]


async def test_the_heading_depends_on_what_changed(client: Client) -> None:
    customer = await factories.customer(client)
    for sent, category in HEADINGS:
        [stub] = (await override(client, customer, **sent))["events"]
        assert stub["category"] == category, sent
        [stub] = (await override(client, customer, **dict.fromkeys(sent)))["events"]
        assert stub["category"] == category, sent


async def test_online_payments_are_off_until_a_day_that_comes(client: Client) -> None:
    customer = await factories.customer(client)
    with clock.set_to(lambda: NOW):
        await override(client, customer, onlinePayments={"enabled": False, "disabledUntil": "2026-03-12"})
    available = []
    for hours in (0, 1, 24, 25, 99):
        with clock.set_to(lambda at=NOW + timedelta(hours=hours): at):  # type: ignore[misc]
            online = (await read(client, customer))["onlinePayments"]
        assert online["effective"] == online["own"]
        assert (online["own"]["enabled"], online["own"]["disabledUntil"]) == (False, "2026-03-12")
        available.append(online["own"]["available"])
    assert available == [False, False, False, True, True]
    # The day has come; to say it again is no change, and no error.
    async with nothing_recorded():
        await override(client, customer, onlinePayments={"enabled": False, "disabledUntil": "2026-03-12"})


OUT_OF_RANGE: list[tuple[dict[str, Any], list[str]]] = [
    ({"card": {"enabled": True, "surcharge": "100.01"}}, ["card", "surcharge"]),
    ({"card": {"enabled": True, "surcharge": "101"}}, ["card", "surcharge"]),
    ({"card": {"enabled": True, "surcharge": "-0.01"}}, ["card", "surcharge"]),
    ({"card": {"enabled": False, "surcharge": "1.005"}}, ["card", "surcharge"]),
    ({"ach": {"enabled": True, "discount": "-1"}}, ["ach", "discount"]),
    ({"ach": {"enabled": True, "discount": "1,5"}}, ["ach", "discount"]),
    ({"ach": {"enabled": True, "discount": "1e1"}}, ["ach", "discount"]),
    ({"ach": {"enabled": True, "discount": "٣"}}, ["ach", "discount"]),
    ({"ach": {"enabled": True, "discount": ""}}, ["ach", "discount"]),
    ({"onlinePayments": {"enabled": False, "disabledUntil": "2026-03-10"}}, ["onlinePayments", "disabledUntil"]),
    ({"onlinePayments": {"enabled": False, "disabledUntil": "1999-01-01"}}, ["onlinePayments", "disabledUntil"]),
    ({"onlinePayments": {"enabled": True, "disabledUntil": "2026-03-12"}}, ["onlinePayments", "disabledUntil"]),
    ({"reminders": {}}, ["reminders", "workflowId"]),
    ({"reminders": {"workflowId": "nonsense"}}, ["reminders", "workflowId"]),
]


async def test_values_out_of_range_are_refused(client: Client) -> None:
    customer = await factories.customer(client)
    for sent, field in OUT_OF_RANGE:
        with clock.set_to(lambda: NOW):
            for document, target in ((UPDATE_PREFERENCES, {"customerId": customer["id"]}), (UPDATE_SETTINGS, {})):
                async with nothing_recorded():
                    fault = await client.fault(document, input={**target, "monthlyStatement": True, **sent})
                assert (fault["code"], fault["field"]) == ("INVALID", ["input", *field]), sent
                assert fault["message"], sent
        assert (await read(client, customer))["revision"] == 0, sent


NO_DAYS = ["12.03.2026", "2026-02-30", "20260312", "2026-03-12T00:00:00Z", "", 3]


async def test_a_day_is_written_in_one_way(client: Client) -> None:
    customer = await factories.customer(client)
    for day in NO_DAYS:
        sent = {"customerId": customer["id"], "onlinePayments": {"enabled": False, "disabledUntil": day}}
        async with nothing_recorded():
            await client.run(UPDATE_PREFERENCES, input=sent)
        assert client.codes == ["BAD_REQUEST"], day
        assert "A Date is written like 2026-01-31." in client.errors[0]["message"], day


async def test_preferences_are_of_a_customer_that_exists_and_have_a_revision(client: Client) -> None:
    customer = await factories.customer(client)
    refused = (
        ({"customerId": new_id("cus")}, "NOT_FOUND", "customerId", None),
        ({"customerId": new_id("prf")}, "INVALID", "customerId", None),
        ({"customerId": customer["id"], "expectedRevision": 1}, "CONFLICT", "expectedRevision", 0),
        (
            {"customerId": customer["id"], "reminders": {"workflowId": new_id("rwf")}},
            "NOT_FOUND",
            "reminders",
            None,
        ),
    )
    for sent, code, field, revision in refused:
        async with nothing_recorded():
            fault = await client.fault(UPDATE_PREFERENCES, input={"customerPortal": False, **sent})
        assert (fault["code"], fault["field"][:2]) == (code, ["input", field])
        assert fault["currentRevision"] == revision
    async with nothing_recorded():
        assert (await override(client, customer, card=None))["preferences"]["revision"] == 0


async def test_a_list_of_customers_with_preferences_takes_a_constant_number_of_statements(
    client: Client, database: models.Database
) -> None:
    document = f"{{ customers(first: 100) {{ edges {{ node {{ preferences {PREFERENCES} }} }} }} }}"
    counts = []
    for _ in range(2):
        for _ in range(4):
            workflow = await factories.reminder_workflow(client)
            await override(client, await factories.customer(client), reminders={"workflowId": workflow["id"]})
        with observed(database) as seen:
            await client.run(document)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_services_read_what_holds(client: Client) -> None:
    customer, other = [await factories.customer(client) for _ in range(2)]
    workflow = await factories.reminder_workflow(client)
    everywhere = {"reminders": {"workflowId": workflow["id"]}, "contactPolicy": "REQUIRED"}
    await client.change(UPDATE_SETTINGS, input=everywhere)
    await override(client, customer, reminders={"workflowId": None}, contactPolicy="REQUIRED_WITH_PASSWORD")

    async def work(change: Change) -> list[Any]:
        return [await service.effective(change, each["id"]) for each in (customer, other)]

    own, inherited = await factories.by_quickbooks(work)
    assert (own["reminder_workflow_id"], own["contact_policy"]) == (None, "REQUIRED_WITH_PASSWORD")
    assert (inherited["reminder_workflow_id"], inherited["contact_policy"]) == (workflow["id"], "REQUIRED")
    assert own["card"] == inherited["card"] == {"enabled": False, "surcharge_basis_points": 0}


async def test_preferences_are_maintained_with_the_permission_for_customers(
    client: Client, client_with: ClientWith
) -> None:
    customer = await factories.customer(client)
    keeper = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE])
    await override(keeper, customer, customerPortal=False)
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.SETTINGS_WRITE])
    await clerk.run(UPDATE_PREFERENCES, input={"customerId": customer["id"], "customerPortal": True})
    assert clerk.codes == ["FORBIDDEN"]
