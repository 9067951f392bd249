"""operations.graphql: each operation does what its comment says, on both databases."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from models import clock
from tests import factories
from tests.client import BY_NAME, PASSWORD, Client, ClientWith, set_password

pytestmark = pytest.mark.anyio

ADDRESS = {"lines": ["Marktplatz 1"], "city": "Bern", "region": None, "postalCode": "3011", "country": "CH"}


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


async def test_sign_in_answers_a_token_once_and_names_the_viewer(client_with: ClientWith) -> None:
    somebody = await client_with(name="Sina Sign")
    assert somebody.user is not None
    await set_password(somebody.user["id"])
    payload = await Client().change("SignIn", email=somebody.user["email"].upper(), password=PASSWORD)
    assert payload["token"].startswith("cfs_")
    assert datetime.fromisoformat(payload["expiresAt"]).tzinfo is not None
    who = {"id": somebody.user["id"], "name": "Sina Sign"}
    assert payload["viewer"] == {
        "actor": {"kind": "USER", **who},
        "user": {**who, "email": somebody.user["email"]},
        "permissions": [],
    }
    assert await Client(payload["token"]).run("Viewer") == {"viewer": payload["viewer"]}


async def test_sign_in_answers_wrong_and_unknown_accounts_alike_and_throttles(client_with: ClientWith) -> None:
    somebody = await client_with()
    assert somebody.user is not None
    await set_password(somebody.user["id"])
    now = clock.now()
    for email in (somebody.user["email"], "nobody@example.com"):
        # However busy the machine is, no second passes before the sixth attempt.
        with clock.set_to(lambda: now):
            faults = [await Client().fault("SignIn", email=email, password="not the password") for _ in range(6)]
        assert {fault["code"] for fault in faults[:5]} == {"BAD_CREDENTIALS"}
        assert len({str(fault) for fault in faults[:5]}) == 1
        assert (faults[5]["code"], faults[5]["retryAfter"]) == ("THROTTLED", 1)


async def test_viewer_says_who_i_am(client: Client) -> None:
    viewer = (await client.run("Viewer"))["viewer"]
    assert viewer["actor"]["name"] == viewer["user"]["name"] == "Ada Admin"
    assert "CUSTOMERS_WRITE" in viewer["permissions"]


async def test_create_customer(client: Client) -> None:
    sent = {"name": "Käserei Emmental", "kind": "COMPANY", "phone": "+41 31 311 11 11", "billingAddress": ADDRESS}
    payload = await client.change("CreateCustomer", input={**sent, "email": "info@kaese.example.com"})
    made = payload["customer"]
    assert made.pop("id").startswith("cus_")
    assert made == {
        "revision": 1,
        "kind": "COMPANY",
        "name": "Käserei Emmental",
        "email": "info@kaese.example.com",
        "phone": "+41313111111",
        "website": None,
        "billingAddress": ADDRESS,
        "active": True,
    }
    assert [event["action"] for event in payload["events"]] == ["CUSTOMER_CREATED"]


async def test_create_contact(client: Client) -> None:
    customer = await factories.customer(client)
    role = await factories.contact_role(client, name="Billing", invoicePresentment=True)
    sent = {
        "customerId": customer["id"],
        "firstName": "Eva",
        "title": "CFO",
        "roleId": role["id"],
        "methods": [{"kind": "EMAIL", "value": "eva@example.com"}, {"kind": "PHONE", "value": "+49 30 123456"}],
    }
    payload = await client.change("CreateContact", input=sent)
    made = payload["contact"]
    assert made.pop("id").startswith("con_")
    assert made == {
        "revision": 1,
        "firstName": "Eva",
        "lastName": None,
        "title": "CFO",
        "email": "eva@example.com",
        "phone": "+4930123456",
        "level": "CUSTOMER",
        "primary": True,
        "active": True,
        "origin": {"kind": "LOCAL", "system": None, "externalId": None},
        "methods": [
            {"kind": "EMAIL", "value": "eva@example.com", "label": None, "preferred": True},
            {"kind": "PHONE", "value": "+4930123456", "label": None, "preferred": True},
        ],
        "role": {"id": role["id"], "name": "Billing", "invoicePresentment": True, "communication": False},
        "isCommunicationContact": False,
        "receivesInvoices": True,
        "customer": {"id": customer["id"]},
        "location": None,
    }


async def test_update_contact_changes_what_was_sent_and_refuses_a_stale_revision(client: Client) -> None:
    contact = await factories.contact(client)
    role = await factories.contact_role(client, name="Billing")
    payload = await client.change("UpdateContact", id=contact["id"], title="CFO", roleId=role["id"], expectedRevision=1)
    changed = {"id": contact["id"], "revision": 2, "title": "CFO", "role": {"id": role["id"], "name": "Billing"}}
    assert payload["contact"] == changed
    [event] = payload["events"]
    assert event["action"] == "CONTACT_UPDATED"
    told = {change["field"]: (change["beforeText"], change["afterText"]) for change in event["changes"]}
    assert told == {"title": (None, "CFO"), "roleId": (None, "Billing")}
    fault = await client.fault("UpdateContact", id=contact["id"], title="CEO", expectedRevision=1)
    assert (fault["code"], fault["currentRevision"]) == ("CONFLICT", 2)
    assert fault["field"] == ["input", "expectedRevision"]
    # An omitted variable leaves the role as it is; null takes it away.
    assert (await client.change("UpdateContact", id=contact["id"], title="CEO"))["contact"]["role"] is not None
    assert (await client.change("UpdateContact", id=contact["id"], roleId=None))["contact"]["role"] is None


async def test_delete_contact(client: Client) -> None:
    contact = await factories.contact(client)
    payload = await client.change("DeleteContact", id=contact["id"])
    assert payload["deletedId"] == contact["id"]
    assert [event["action"] for event in payload["events"]] == ["CONTACT_DELETED"]


async def test_create_contact_role(client: Client) -> None:
    payload = await client.change("CreateContactRole", name="Dunning", invoicePresentment=False, communication=True)
    assert payload["contactRole"].pop("id").startswith("rol_")
    named = {"name": "Dunning", "invoicePresentment": False, "communication": True, "contactCount": 0}
    assert payload["contactRole"] == named


async def test_set_contact_roles_is_all_or_nothing_and_null_takes_the_role_away(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing")
    ids = [(await factories.contact(client))["id"] for _ in range(3)]
    contacts = [{"id": identifier} for identifier in ids]
    stale = [*contacts[:2], {"id": ids[2], "expectedRevision": 7}]
    fault = await client.fault("SetContactRoles", contacts=stale, roleId=role["id"])
    assert (fault["code"], fault["field"]) == ("CONFLICT", ["input", "contacts", "2", "expectedRevision"])
    payload = await client.change("SetContactRoles", contacts=contacts, roleId=role["id"])
    assert payload["contacts"] == [{"id": identifier, "role": {"name": "Billing"}} for identifier in ids]
    assert [event["action"] for event in payload["events"]] == ["CONTACT_UPDATED"] * 3
    payload = await client.change("SetContactRoles", contacts=contacts[:1], roleId=None)
    assert payload["contacts"] == [{"id": ids[0], "role": None}]


async def test_create_note(client: Client) -> None:
    customer = await factories.customer(client)
    payload = await client.change("CreateNote", customerId=customer["id"], body="Called.\nWill pay.")
    assert payload["note"].pop("id").startswith("not_")
    assert payload["note"].pop("createdAt")
    assert payload["note"] == {"body": "Called.\nWill pay.", "pinned": False, "author": {"name": "Ada Admin"}}


async def test_customer_list_comes_by_name_in_pages(client: Client) -> None:
    for name in ("Cesar", "anna", "Äpfel & Co", "Berta"):
        customer = await factories.customer(client, name=name)
        await factories.contact(client, customer["id"], lastName=f"At {name}")
    first = (await client.run("CustomerList", first=3))["customers"]
    second = (await client.run("CustomerList", first=3, after=first["pageInfo"]["endCursor"]))["customers"]
    assert [node["name"] for node in nodes(first) + nodes(second)] == ["anna", "Berta", "Cesar", "Äpfel & Co"]
    assert [part["pageInfo"]["hasNextPage"] for part in (first, second)] == [True, False]
    assert [contact["lastName"] for contact in nodes(nodes(first)[0]["contacts"])] == ["At anna"]


async def test_all_contacts_are_one_query_away(client: Client) -> None:
    role = await factories.contact_role(client, name="Dunning", communication=True)
    quiet = await factories.contact(client, lastName="Quiet")
    loud = await factories.contact(client, lastName="Loud", roleId=role["id"])
    order = {"field": "NAME", "direction": "DESC"}
    found = (await client.run("AllContacts", first=10, orderBy=order))["contacts"]
    assert found["totalCount"] == 2
    assert [node["id"] for node in nodes(found)] == [quiet["id"], loud["id"]]
    found = (await client.run("AllContacts", first=10, filter={"communication": True}))["contacts"]
    assert [(node["id"], node["isCommunicationContact"]) for node in nodes(found)] == [(loud["id"], True)]
    found = (await client.run("AllContacts", first=10, search="quiet"))["contacts"]
    assert [node["id"] for node in nodes(found)] == [quiet["id"]]


async def test_the_profile_has_its_tabs(client: Client) -> None:
    contact = await factories.contact(client, lastName="Lund")
    identifier = contact["customer"]["id"]
    await factories.note(client, identifier, body="Later")
    await factories.note(client, identifier, body="First", pinned=True)
    await client.change("UpdateContact", id=contact["id"], title="CFO")
    profile = (await client.run("Profile", id=identifier))["customer"]
    assert [node["lastName"] for node in nodes(profile["contacts"])] == ["Lund"]
    assert [node["body"] for node in nodes(profile["notes"])] == ["First", "Later"]
    history = nodes(profile["history"])
    assert [node["action"] for node in history] == [
        "CONTACT_UPDATED",
        "NOTE_CREATED",
        "NOTE_CREATED",
        "CONTACT_CREATED",
        "CUSTOMER_CREATED",
    ]
    assert history[0]["sentence"] == f"Ada Admin changed contact Lund at {profile['name']}: title set to “CFO”."
    [change] = history[0]["changes"]
    assert (change["label"], change["before"], change["after"], change["withheld"]) == ("Title", None, "CFO", None)


async def test_the_audit_trail_is_the_whole_history_filtered(client: Client) -> None:
    contact = await factories.contact(client)
    whole = nodes((await client.run("AuditTrail", first=100))["history"])
    assert [node["seq"] for node in whole] == list(range(len(whole), 0, -1))
    assert all(len(node["leafHash"]) == 64 for node in whole)
    trail = (await client.run("AuditTrail", first=100, filter={"customerId": contact["customer"]["id"]}))["history"]
    assert [node["action"] for node in nodes(trail)] == ["CONTACT_CREATED", "CUSTOMER_CREATED"]
    assert {node["customerLabel"] for node in nodes(trail)} == {nodes(trail)[0]["customer"]["name"]}
    access = (await client.run("AuditTrail", first=100, filter={"categories": ["ACCESS"]}))["history"]
    assert {node["category"] for node in nodes(access)} == {"ACCESS"}
    assert (await client.run("AuditTrail", first=1, filter={"actions": []}))["history"]["edges"] == []


def test_every_operation_is_tried_here() -> None:
    text = Path(__file__).read_text("utf-8")
    assert [name for name in sorted(BY_NAME) if f'"{name}"' not in text] == []
