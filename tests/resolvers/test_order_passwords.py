"""Order passwords: set, cleared, never shown; wrong ones wait and are recorded, on the contact and on the document."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import models
from models import Permission, clock
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import APPLY_CONTACT, CREATE_SALES_DOCUMENT, SET_ORDER_PASSWORD
from tests.resolvers.stubs import actions, last_seq, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

READ = "query ($id: ID!) { contact(id: $id) { orderPassword { setAt setBy { kind id name } } } }"


async def eva(client: Client) -> dict[str, Any]:
    """A contact whose order password is “violet”."""
    contact = await factories.contact(client, firstName="Eva", lastName="Lund")
    await factories.order_password(client, contact["id"], "violet")
    return contact


async def test_what_can_be_seen_is_whether_one_is_set_when_and_by_whom(client: Client) -> None:
    assert client.user is not None
    customer = await factories.customer(client, name="Krume")
    contact = await factories.contact(client, customer["id"], firstName="Eva", lastName="Lund")
    assert await client.run(READ, id=contact["id"]) == {"contact": {"orderPassword": None}}
    now = clock.now()
    with clock.set_to(lambda: now):
        sent = {"contactId": contact["id"], "password": "violet", "expectedRevision": 1}
        payload = await client.change(SET_ORDER_PASSWORD, input=sent)
    shown = payload["contact"]["orderPassword"]
    assert shown == {
        "setAt": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "setBy": {"kind": "USER", "id": client.user["id"], "name": "Ada Admin"},
    }
    assert await client.run(READ, id=contact["id"]) == {"contact": {"orderPassword": shown}}
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("CONTACT_UPDATED", "CONTACT")
    assert stub["sentence"] == "Ada Admin set the order password of contact Eva Lund at Krume."
    by_name = {change["field"]: change for change in stub["changes"]}
    assert by_name["orderPasswordHash"]["withheld"] == "SECRET"
    assert by_name["orderPasswordHash"]["after"] is None
    assert by_name["orderPasswordSetBy"]["afterText"] == "Ada Admin"
    payload = await client.change(SET_ORDER_PASSWORD, input={"contactId": contact["id"], "password": None})
    assert payload["contact"]["orderPassword"] is None
    assert payload["events"][0]["sentence"] == "Ada Admin removed the order password of contact Eva Lund at Krume."
    async with nothing_recorded():
        await client.change(SET_ORDER_PASSWORD, input={"contactId": contact["id"], "password": None})
    rows = await models.current().fetch("SELECT * FROM contact WHERE id = ?", contact["id"])
    details = await models.current().fetch("SELECT disclosures FROM event_detail")
    assert "violet" not in repr(rows) + repr(details)


async def test_only_a_hash_is_stored(client: Client) -> None:
    contact = await eva(client)
    [row] = await models.current().fetch("SELECT order_password_hash FROM contact WHERE id = ?", contact["id"])
    assert row["order_password_hash"].startswith("$argon2id$")
    await client.run("{ history(first: 100) { edges { node { sentence changes { before after } } } } }")
    assert "argon2" not in client.response.text
    assert "violet" not in client.response.text


async def test_a_password_that_cannot_be_said_is_refused(client: Client) -> None:
    contact = await factories.contact(client)
    for password in ("", "viole", "x" * 129, "violet\u0007", "\u00a0" * 8):
        sent = {"contactId": contact["id"], "password": password}
        async with nothing_recorded():
            fault = await client.fault(SET_ORDER_PASSWORD, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "password"]), password
        assert password not in fault["message"] or not password, password


async def test_a_password_is_said_to_be_null_to_be_taken_away(client: Client) -> None:
    contact = await eva(client)
    async with nothing_recorded():
        fault = await client.fault(SET_ORDER_PASSWORD, input={"contactId": contact["id"]})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "password"])


async def test_only_who_may_edit_the_customer_sets_order_passwords(client: Client, client_with: ClientWith) -> None:
    contact = await factories.contact(client)
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CONTACTS_WRITE, Permission.SALES_DOCUMENTS_WRITE])
    await clerk.run(SET_ORDER_PASSWORD, input={"contactId": contact["id"], "password": "violet"})
    assert clerk.codes == ["FORBIDDEN"]
    assert "CUSTOMERS_WRITE" in clerk.errors[0]["message"]


async def test_ten_wrong_passwords_in_a_row(client: Client) -> None:
    contact = await eva(client)
    customer_id = contact["customer"]["id"]
    await factories.contact_policy(client, customer_id, "REQUIRED_WITH_PASSWORD")
    document = await factories.sales_document(client, customer_id, number="1007")
    sent = {"salesDocumentId": document["id"], "contactId": contact["id"]}
    before = await last_seq()
    now, elapsed = clock.now(), timedelta()
    with clock.set_to(lambda: now + elapsed):
        faults = [
            await client.fault(APPLY_CONTACT, input={**sent, "orderPassword": f"guess {number}"})
            for number in range(10)
        ]
        # The right one has to wait, too.
        assert (await client.fault(APPLY_CONTACT, input={**sent, "orderPassword": "violet"}))["retryAfter"] == 1
    assert [fault["code"] for fault in faults] == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 5
    assert {str(fault["field"]) for fault in faults} == {"['input', 'orderPassword']"}
    assert faults[0]["message"] == "This is not the contact's order password."
    assert [fault["retryAfter"] for fault in faults] == [None] * 5 + [1] * 5
    stubs = await recorded(client, after=before)
    assert actions(stubs) == ["CONTACT_ORDER_PASSWORD_FAILED"] * 5 + ["CONTACT_ORDER_PASSWORD_THROTTLED"]
    assert {stub["subject"]["id"] for stub in stubs} == {contact["id"]}
    assert {stub["actor"]["name"] for stub in stubs} == {"Ada Admin"}
    assert stubs[0]["sentence"] == "Ada Admin gave a wrong order password for contact Eva Lund."
    assert stubs[5]["sentence"] == (
        "Order passwords for contact Eva Lund have to wait after too many wrong ones; Ada Admin tried again."
    )
    assert "guess" not in repr(stubs)
    # They stand on the document and on the contact, not in the customer's History view.
    query = """query ($customer: ID!, $contact: ID!, $document: ID!) {
      customer(id: $customer) { history { edges { node { action } } } }
      contact(id: $contact) { history(first: 6) { edges { node { action } } } }
      salesDocument(id: $document) { contact { id } history(first: 6) { edges { node { action } } } } }"""
    data = await client.run(query, customer=customer_id, contact=contact["id"], document=document["id"])
    shown = {
        name: [edge["node"]["action"] for edge in data[name]["history"]["edges"]]
        for name in ("customer", "contact", "salesDocument")
    }
    assert shown["contact"] == shown["salesDocument"] == actions(stubs[::-1])
    assert not any("PASSWORD" in action for action in shown["customer"])
    assert data["salesDocument"]["contact"] is None
    # Once waited, the right one opens; and forgets the failures.
    with clock.set_to(lambda: now + timedelta(seconds=1)):
        await client.change(APPLY_CONTACT, input={**sent, "orderPassword": "violet"})
        assert (await client.fault(APPLY_CONTACT, input={**sent, "orderPassword": "guess"}))[
            "code"
        ] == "BAD_CREDENTIALS"


async def test_waits_double_up_to_15_minutes_with_one_event_for_each_step(client: Client) -> None:
    contact = await eva(client)
    document = await factories.sales_document(client, contact["customer"]["id"])
    sent = {"salesDocumentId": document["id"], "contactId": contact["id"], "orderPassword": "wrong guess"}
    before = await last_seq()
    start, elapsed = clock.now(), timedelta()
    waits = []
    with clock.set_to(lambda: start + elapsed):
        for _ in range(5):
            await client.fault(APPLY_CONTACT, input=sent)
        for _ in range(12):
            faults = [await client.fault(APPLY_CONTACT, input=sent) for _ in range(2)]
            assert [fault["code"] for fault in faults] == ["THROTTLED"] * 2
            waits.append(faults[0]["retryAfter"])
            elapsed += timedelta(seconds=waits[-1])
            assert (await client.fault(APPLY_CONTACT, input=sent))["code"] == "BAD_CREDENTIALS"
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    steps = ["CONTACT_ORDER_PASSWORD_THROTTLED", "CONTACT_ORDER_PASSWORD_FAILED"] * 12
    assert actions(await recorded(client, after=before)) == ["CONTACT_ORDER_PASSWORD_FAILED"] * 5 + steps


async def test_wrong_passwords_count_for_the_contact_wherever_they_are_said(client: Client) -> None:
    contact = await eva(client)
    customer_id = contact["customer"]["id"]
    other = await factories.contact(client, customer_id)
    await factories.order_password(client, other["id"], "violet")
    document = await factories.sales_document(client, customer_id)
    applied = {"salesDocumentId": document["id"], "orderPassword": "wrong guess"}
    made = {"customerId": customer_id, "kind": "ORDER", "number": "7", "currency": "EUR", "amount": "1"}
    before = await last_seq()
    now = clock.now()
    with clock.set_to(lambda: now):
        for _ in range(3):
            await client.fault(APPLY_CONTACT, input={**applied, "contactId": contact["id"]})
        new = {**made, "contactId": contact["id"], "orderPassword": "wrong guess"}
        for _ in range(2):
            assert (await client.fault(CREATE_SALES_DOCUMENT, input=new))["code"] == "BAD_CREDENTIALS"
        assert (await client.fault(CREATE_SALES_DOCUMENT, input=new))["code"] == "THROTTLED"
        # Another contact does not wait.
        await client.change(APPLY_CONTACT, input={**applied, "contactId": other["id"], "orderPassword": "violet"})
        # A new password ends the wait.
        await factories.order_password(client, contact["id"], "orange")
        await client.change(CREATE_SALES_DOCUMENT, input={**new, "orderPassword": "orange"})
    stubs = await recorded(client, after=before, subjectId=contact["id"])
    assert actions(stubs)[:6] == ["CONTACT_ORDER_PASSWORD_FAILED"] * 5 + ["CONTACT_ORDER_PASSWORD_THROTTLED"]


async def test_concurrent_guesses_do_not_slip_past_the_counter(client: Client) -> None:
    contact = await eva(client)
    document = await factories.sales_document(client, contact["customer"]["id"])
    sent = {"salesDocumentId": document["id"], "contactId": contact["id"], "orderPassword": "wrong guess"}
    now = clock.now()
    with clock.set_to(lambda: now):
        # Each with a client of its own: a client remembers one answer.
        guesses = [Client(client.token).fault(APPLY_CONTACT, input=sent) for _ in range(10)]
        faults = await asyncio.gather(*guesses)
    assert sorted(fault["code"] for fault in faults) == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 5


async def test_each_alias_of_one_request_counts(client: Client) -> None:
    contact = await eva(client)
    document = await factories.sales_document(client, contact["customer"]["id"])
    guesses = " ".join(
        f'g{number}: applyContact(input: {{ salesDocumentId: "{document["id"]}", contactId: "{contact["id"]}",'
        f' orderPassword: "guess {number}" }}) {{ errors {{ code }} }}'
        for number in range(8)
    )
    now = clock.now()
    with clock.set_to(lambda: now):
        data = await client.run(f"mutation {{ {guesses} }}")
    codes = [data[f"g{number}"]["errors"][0]["code"] for number in range(8)]
    assert codes == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 3
