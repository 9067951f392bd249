"""Notification switches and portal permissions: of a contact, and of all contacts that say nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import MERGE_CUSTOMERS, UPDATE_SETTINGS, mutation
from tests.resolvers.stubs import changes, nothing_recorded, texts

pytestmark = pytest.mark.anyio

SWITCHES = """{
  id revision notifications { kind own global effective source }
  portalPermissions { module own global effective source }
}"""
CREATE = mutation("createContact", f"contact {SWITCHES}")
UPDATE = mutation("updateContact", f"contact {SWITCHES}")
READ = f"query ($id: ID!) {{ contact(id: $id) {SWITCHES} }}"
DEFAULTS = "{ settings { notifications { kind enabled } portalPermissions { module enabled } } }"

KINDS = ["INVOICE", "CREDIT_NOTE", "ESTIMATE", "TICKET", "PROJECT", "CONTRACT", "TASK"]
MODULES = ["INVOICES", "ESTIMATES", "CONTRACTS", "PROPOSALS", "SUPPORT", "PROJECTS"]
INHERITED = {"own": None, "global": True, "effective": True, "source": "GLOBAL"}


def own(name: str, contact: dict[str, Any]) -> dict[str, bool]:
    """What the contact says itself, by kind or module."""
    which = "kind" if name == "notifications" else "module"
    return {each[which]: each["own"] for each in contact[name] if each["own"] is not None}


def effective(name: str, contact: dict[str, Any]) -> dict[str, bool]:
    which = "kind" if name == "notifications" else "module"
    return {each[which]: each["effective"] for each in contact[name]}


async def update(client: Client, contact: dict[str, Any], **sent: Any) -> dict[str, Any]:
    return await client.change(UPDATE, input={"id": contact["id"], **sent})


async def test_a_contact_inherits_all_of_them_at_first(client: Client) -> None:
    contact = await factories.contact(client)
    found = (await client.run(READ, id=contact["id"]))["contact"]
    assert found["notifications"] == [{"kind": kind, **INHERITED} for kind in KINDS]
    assert found["portalPermissions"] == [{"module": module, **INHERITED} for module in MODULES]


async def test_what_a_contact_says_goes_before_the_settings_and_null_inherits_again(client: Client) -> None:
    customer = await factories.customer(client)
    off = [
        {"kind": "INVOICE", "enabled": False},
        {"kind": "TASK", "enabled": True},
        {"kind": "TICKET", "enabled": None},
    ]
    sent = {"customerId": customer["id"], "lastName": "Hopper", "notifications": off}
    payload = await client.change(
        CREATE, input={**sent, "portalPermissions": [{"module": "SUPPORT", "enabled": False}]}
    )
    contact, [stub] = payload["contact"], payload["events"]
    assert own("notifications", contact) == {"INVOICE": False, "TASK": True}
    assert own("portalPermissions", contact) == {"SUPPORT": False}
    assert changes(stub)["notifications"] == (None, {"INVOICE": False, "TASK": True})
    invoice = {"own": False, "global": True, "effective": False, "source": "CONTACT"}
    assert contact["notifications"][0] == {"kind": "INVOICE", **invoice}

    payload = await update(client, contact, notifications=[{"kind": "CREDIT_NOTE", "enabled": False}])
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("CONTACT_UPDATED", "CONTACT")
    assert texts(stub) == {"notifications": ("invoice off, task on", "credit note off, invoice off, task on")}
    assert own("portalPermissions", payload["contact"]) == {"SUPPORT": False}

    payload = await update(client, contact, portalPermissions=[{"module": "SUPPORT", "enabled": None}])
    assert changes(payload["events"][0]) == {"portalPermissions": ({"SUPPORT": False}, None)}
    payload = await update(client, contact, notifications=None)
    assert own("notifications", payload["contact"]) == {}
    async with nothing_recorded():
        await update(client, contact, notifications=[], portalPermissions=[{"module": "SUPPORT", "enabled": None}])


async def test_the_settings_hold_for_whoever_says_nothing_else(client: Client) -> None:
    contact = await factories.contact(client)
    contact = (await update(client, contact, notifications=[{"kind": "TICKET", "enabled": True}]))["contact"]
    sent = {
        "notifications": [{"kind": "TICKET", "enabled": False}, {"kind": "TASK", "enabled": False}],
        "portalPermissions": [{"module": "PROPOSALS", "enabled": False}],
    }
    [stub] = (await client.change(UPDATE_SETTINGS, input=sent))["events"]
    assert texts(stub) == {
        "notifications": ("all", "all but task, ticket"),
        "portalPermissions": ("all", "all but proposals"),
    }
    found = (await client.run(READ, id=contact["id"]))["contact"]
    assert effective("notifications", found) == {**dict.fromkeys(KINDS, True), "TASK": False}
    assert effective("portalPermissions", found) == {**dict.fromkeys(MODULES, True), "PROPOSALS": False}
    task = {"own": None, "global": False, "effective": False, "source": "GLOBAL"}
    assert found["notifications"][-1] == {"kind": "TASK", **task}
    shown = (await client.run(DEFAULTS))["settings"]
    assert {each["kind"]: each["enabled"] for each in shown["notifications"]} == {
        **dict.fromkeys(KINDS, True),
        "TICKET": False,
        "TASK": False,
    }
    assert {each["module"] for each in shown["portalPermissions"] if not each["enabled"]} == {"PROPOSALS"}


async def test_they_are_local_and_stay_with_synced_and_merged_contacts(client: Client) -> None:
    row = await factories.synced_contact((await factories.synced_customer())["id"])
    off = [{"kind": "INVOICE", "enabled": False}]
    synced = (await update(client, row, notifications=off))["contact"]
    assert own("notifications", synced) == {"INVOICE": False}
    survivor = await factories.customer(client)
    contact = await factories.contact(client)
    await update(client, contact, notifications=off, portalPermissions=[{"module": "INVOICES", "enabled": False}])
    await client.change(MERGE_CUSTOMERS, input={"id": survivor["id"], "mergedId": contact["customer"]["id"]})
    moved = (await client.run(READ, id=contact["id"]))["contact"]
    assert own("notifications", moved) == {"INVOICE": False}
    assert own("portalPermissions", moved) == {"INVOICES": False}


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "twice": (
        {"notifications": [{"kind": "TASK", "enabled": True}, {"kind": "TASK", "enabled": False}]},
        ["notifications", "1", "kind"],
    ),
    "without a switch": ({"notifications": [{"kind": "REMINDER", "enabled": True}]}, ["notifications", "0", "kind"]),
    "nothing said": ({"notifications": [{"kind": "TASK"}]}, ["notifications", "0", "enabled"]),
    "permission twice": (
        {"portalPermissions": [{"module": "SUPPORT", "enabled": None}, {"module": "SUPPORT", "enabled": None}]},
        ["portalPermissions", "1", "module"],
    ),
    "no permission said": ({"portalPermissions": [{"module": "SUPPORT"}]}, ["portalPermissions", "0", "enabled"]),
}


async def test_bad_switches_are_refused(client: Client) -> None:
    contact = await factories.contact(client)
    for name, (sent, field) in BAD.items():
        for document, input in ((UPDATE, {"id": contact["id"], **sent}), (UPDATE_SETTINGS, sent)):
            async with nothing_recorded():
                fault = await client.fault(document, input=input)
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", *field]), name


async def test_what_holds_for_all_is_on_or_off(client: Client) -> None:
    for name, item in (("notifications", {"kind": "TASK"}), ("portalPermissions", {"module": "SUPPORT"})):
        async with nothing_recorded():
            fault = await client.fault(UPDATE_SETTINGS, input={name: [{**item, "enabled": None}]})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", name, "0", "enabled"])


async def test_unknown_kinds_and_modules_are_no_requests(client: Client) -> None:
    contact = await factories.contact(client)
    async with nothing_recorded():
        for sent in ({"notifications": [{"kind": "FAX"}]}, {"portalPermissions": [{"module": "BILLS"}]}):
            await client.run(UPDATE, input={"id": contact["id"], **sent})
            assert client.errors != []


async def test_who_maintains_contacts_maintains_their_switches(client: Client, client_with: ClientWith) -> None:
    contact = await factories.contact(client)
    off = {"notifications": [{"kind": "INVOICE", "enabled": False}]}
    reader = await client_with([Permission.CUSTOMERS_READ])
    async with nothing_recorded():
        assert (await reader.run(READ, id=contact["id"]))["contact"]["notifications"][0]["effective"] is True
    await reader.run(UPDATE, input={"id": contact["id"], **off})
    assert reader.codes == ["FORBIDDEN"]
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CONTACTS_WRITE])
    assert own("notifications", (await update(clerk, contact, **off))["contact"]) == {"INVOICE": False}
