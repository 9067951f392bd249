"""Addresses that take no mail: who is marked, how it shows, and by which doors it goes again."""

from __future__ import annotations

from typing import Any

import pytest

from audit import Change
from models import DeliveryStatus, Permission
from models.identifier import new_id
from services import contacts
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import CLEAR_EMAIL_PROBLEM, MERGE_CUSTOMERS, READ_CONTACTS, UPDATE_CONTACT
from tests.resolvers.stubs import actions, changes, nothing_recorded, recorded
from tests.services.communications.drafts import bounced, sent_to, settled

pytestmark = pytest.mark.anyio

P, S = Permission, DeliveryStatus
EVA = {"kind": "EMAIL", "value": "eva@example.com"}
OTHER = {"kind": "EMAIL", "value": "other@example.com"}
PHONE = {"kind": "PHONE", "value": "+14155550101"}
PROBLEM = "query ($id: ID!) { contact(id: $id) { revision emailProblem { address at reply delivery { id } } } }"


async def problem(client: Client, contact: dict[str, Any]) -> dict[str, Any] | None:
    found = (await client.run(PROBLEM, id=contact["id"]))["contact"]["emailProblem"]
    assert client.errors == []
    return None if found is None else dict(found)


async def eva(client: Client, **fields: Any) -> dict[str, Any]:
    return await factories.contact(client, **{"firstName": "Eva", "lastName": "Quinn", "methods": [EVA], **fields})


async def test_an_address_that_fails_marks_every_contact_who_prefers_it(client: Client) -> None:
    person = await eva(client)
    again = await eva(client, methods=[{"kind": "EMAIL", "value": "EVA@example.com"}])
    second = await eva(client, methods=[{**OTHER, "preferred": True}, EVA])
    delivery = await bounced(person["id"])
    for marked in (person, again):
        found = await problem(client, marked)
        assert found is not None
        assert found == {
            "address": "eva@example.com",
            "at": found["at"],
            "reply": "550 5.1.1 No such user",
            "delivery": {"id": delivery["id"]},
        }
    assert await problem(client, second) is None
    found = await client.run(READ_CONTACTS, filter={"hasEmailProblem": True})
    assert {edge["node"]["id"] for edge in found["contacts"]["edges"]} == {person["id"], again["id"]}
    found = await client.run(READ_CONTACTS, filter={"hasEmailProblem": False})
    assert [edge["node"]["id"] for edge in found["contacts"]["edges"]] == [second["id"]]
    [_, stub] = await recorded(client, subjectId=again["id"])
    assert stub["category"] == "CONTACT"
    assert changes(stub)["emailProblem"][0] is None
    customer = stub["customerLabel"]
    assert stub["sentence"] == (
        f"The email address eva@example.com of Eva Quinn at {customer} takes no mail: “550 5.1.1 No such user”."
    )


async def test_what_anybody_can_say_marks_one_contact_and_nothing_that_was_cleared(client: Client) -> None:
    person, again = await eva(client), await eva(client)
    first, second = [(await sent_to(person["id"]))[1] for _ in range(2)]
    await settled(first, S.BOUNCED, "550 5.1.1 No such user", address_failed=True, proven=False)
    found = await problem(client, person)
    assert found is not None
    assert found["delivery"]["id"] == first["id"]
    assert await problem(client, again) is None
    await client.change(CLEAR_EMAIL_PROBLEM, input={"id": person["id"]})
    await settled(second, S.BOUNCED, "550 5.1.1 No such user", address_failed=True, proven=False)
    assert await problem(client, person) is None
    _, third = await sent_to(person["id"])
    await settled(third, S.BOUNCED, "550 5.1.1 No such user", address_failed=True, proven=False)
    assert await problem(client, person) is not None
    await bounced(person["id"])
    assert await problem(client, again) is not None


async def test_what_is_known_since_when_stays(client: Client) -> None:
    person = await eva(client)
    first = await bounced(person["id"])
    await bounced(person["id"])
    found = await problem(client, person)
    assert found is not None
    assert found["delivery"]["id"] == first["id"]
    assert actions(await recorded(client, subjectId=person["id"])) == ["CONTACT_CREATED", "CONTACT_UPDATED"]


async def test_only_what_became_of_a_delivery_marks(client: Client) -> None:
    person = await eva(client)
    _, delivery = await sent_to(person["id"])
    await settled(delivery, S.SENT)
    await settled(delivery, S.BOUNCED, "552 5.2.2 Mailbox full")
    assert await problem(client, person) is None
    # It has bounced already: this report changes nothing.
    assert await settled(delivery, S.BOUNCED, "550 5.1.1 No such user", address_failed=True) == []
    assert await problem(client, person) is None


async def test_what_is_delivered_later_does_not_clear_it(client: Client) -> None:
    person = await eva(client)
    await bounced(person["id"])
    _, delivery = await sent_to(person["id"])
    await settled(delivery, S.DELIVERED)
    assert await problem(client, person) is not None


async def test_it_goes_when_the_preferred_address_changes(client: Client) -> None:
    for methods in ([OTHER], [PHONE], [EVA, {**OTHER, "preferred": True}], []):
        person = await eva(client)
        await bounced(person["id"])
        payload = await client.change(UPDATE_CONTACT, input={"id": person["id"], "methods": methods})
        assert await problem(client, person) is None
        [stub] = payload["events"]
        assert set(changes(stub)) >= {"methods", "emailProblem"}
        assert changes(stub)["emailProblem"][1] is None
        assert "email problem “eva@example.com” removed" in stub["sentence"]


async def test_who_gets_the_address_later_is_not_marked_until_an_email_tells(client: Client) -> None:
    person = await eva(client)
    await bounced(person["id"])
    new, moved = await eva(client), await eva(client, methods=[OTHER])
    await client.change(UPDATE_CONTACT, input={"id": moved["id"], "methods": [EVA]})
    for later in (new, moved):
        assert await problem(client, later) is None
    await bounced(new["id"])
    for marked in (person, new, moved):
        assert await problem(client, marked) is not None


async def test_it_stays_when_something_else_changes(client: Client) -> None:
    person = await eva(client)
    await bounced(person["id"])
    same = [{"kind": "EMAIL", "value": "EVA@example.com", "label": "office"}, PHONE]
    for fields in ({"title": "CFO"}, {"methods": same}, {"active": False}):
        await client.change(UPDATE_CONTACT, input={"id": person["id"], **fields})
        assert await problem(client, person) is not None


async def test_it_goes_when_an_accounting_system_delivers_another_address(client: Client) -> None:
    customer = await factories.synced_customer()
    person = await factories.synced_contact(customer["id"], methods=[EVA])
    await bounced(person["id"])
    assert await problem(client, person) is not None

    async def sync(change: Change) -> None:
        await contacts.update(change, person["id"], None, {"methods": [OTHER]})

    await factories.by_quickbooks(sync)
    assert await problem(client, person) is None


async def test_it_moves_with_the_contact_of_a_merged_customer(client: Client) -> None:
    survivor, person = await factories.customer(client), await eva(client)
    await bounced(person["id"])
    await client.change(MERGE_CUSTOMERS, input={"id": survivor["id"], "mergedId": person["customer"]["id"]})
    assert await problem(client, person) is not None


async def test_somebody_clears_it(client: Client) -> None:
    person = await eva(client)
    await bounced(person["id"])
    payload = await client.change(CLEAR_EMAIL_PROBLEM, input={"id": person["id"], "expectedRevision": 2})
    assert payload["contact"]["revision"] == 3
    [stub] = payload["events"]
    customer = stub["customerLabel"]
    assert stub["sentence"] == (
        f"Ada Admin cleared the problem with the email address eva@example.com of Eva Quinn at {customer}."
    )
    assert await problem(client, person) is None


async def test_what_cannot_be_cleared(client: Client, client_with: ClientWith) -> None:
    person = await eva(client)
    await bounced(person["id"])
    location = await factories.location(client, person["customer"]["id"])
    there = await factories.contact(client, person["customer"]["id"], locationId=location["id"], methods=[OTHER])
    fine = await factories.contact(client)
    async with nothing_recorded():
        for sent, code, field in (
            ({"id": fine["id"]}, "INVALID", "id"),
            ({"id": new_id("con")}, "NOT_FOUND", "id"),
            ({"id": "cus_1"}, "INVALID", "id"),
            ({"id": person["id"], "expectedRevision": 1}, "CONFLICT", "expectedRevision"),
        ):
            error = await client.fault(CLEAR_EMAIL_PROBLEM, input=sent)
            assert (error["code"], error["field"]) == (code, ["input", field])
    await bounced(there["id"])
    editor = await client_with([P.LOCATION_CONTACTS_WRITE, P.CUSTOMERS_READ])
    assert (await editor.change(CLEAR_EMAIL_PROBLEM, input={"id": there["id"]}))["contact"]["id"] == there["id"]
    await editor.run(CLEAR_EMAIL_PROBLEM, input={"id": person["id"]})
    assert editor.codes == ["FORBIDDEN"]
    assert await problem(client, person) is not None


async def test_the_email_that_did_not_arrive_is_for_who_may_see_it(client: Client, client_with: ClientWith) -> None:
    person = await eva(client)
    invoice = await factories.posted_invoice(client, person["customer"]["id"])
    await bounced(person["id"], sales_document_id=invoice["id"])
    reader = await client_with([P.CUSTOMERS_READ, P.COMMUNICATIONS_READ])
    found = await problem(reader, person)
    assert found is not None
    assert (found["address"], found["delivery"]) == ("eva@example.com", None)
    reader = await client_with([P.CUSTOMERS_READ])
    await reader.run(PROBLEM, id=person["id"])
    assert reader.codes == ["FORBIDDEN"]
    await reader.run(PROBLEM.replace("delivery { id }", ""), id=person["id"])
    assert reader.errors == []
