"""Two customers merged into one: what moves, what stays, what is refused, and what history tells of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import models
from models import Customer, Permission
from models.identifier import new_id
from models.registry import AUDITED
from models.table import quoted, references
from services.merging import STAY
from services.quickbooks_online import importing
from services.quickbooks_online.customer_query import CustomerRecord, Reading
from tests import factories
from tests.client import Client, ClientWith, observed
from tests.factories import BERLIN, PARIS
from tests.resolvers.documents import (
    CREATE_CONTACT,
    CREATE_LOCATION,
    CREATE_NOTE,
    CUSTOMER_HISTORY,
    DELETE_CONTACT,
    MERGE_CUSTOMERS,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
    UPDATE_PREFERENCES,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

PROFILE = """query ($id: ID!) { customer(id: $id) {
  name active mergedInto { id name } mergedCustomers { totalCount edges { node { id name } } }
  primaryContact { lastName } parent { name } children { edges { node { name } } }
  contacts { edges { node { lastName primary active customer { id } location { name } origin { kind } } } }
  locations { edges { node { name } } } notes { edges { node { body } } }
  methods { kind value preferred } preferences { monthlyStatement { own } customerPortal { own } }
} }"""
NAMES = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount edges { node { name } } } }"


async def profile(client: Client, customer: dict[str, Any]) -> dict[str, Any]:
    """The customer's profile; of connections only the nodes."""
    shown = (await client.run(PROFILE, id=customer["id"]))["customer"]
    assert client.errors == []
    return {
        name: [edge["node"] for edge in value["edges"]] if isinstance(value, dict) and "edges" in value else value
        for name, value in shown.items()
    }


async def names(client: Client, **filter: Any) -> list[str]:
    edges = (await client.run(NAMES, filter=filter or None))["customers"]["edges"]
    return [edge["node"]["name"] for edge in edges]


async def merge(client: Client, survivor: dict[str, Any], merged: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await client.change(MERGE_CUSTOMERS, input={"id": survivor["id"], "mergedId": merged["id"], **fields})


async def refused(client: Client, survivor: dict[str, Any], merged: dict[str, Any], **fields: Any) -> dict[str, Any]:
    async with nothing_recorded():
        return await client.fault(MERGE_CUSTOMERS, input={"id": survivor["id"], "mergedId": merged["id"], **fields})


async def pair(client: Client, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Acme, and Acme Ltd with these fields."""
    return await factories.customer(client, name="Acme"), await factories.customer(client, name="Acme Ltd", **fields)


async def test_all_that_belongs_to_the_merged_customer_moves(client: Client, database: models.Database) -> None:
    acme, old = await pair(client)
    place = await factories.location(client, old["id"], name="Warehouse")
    eva = await factories.contact(client, old["id"], lastName="Quinn", locationId=place["id"])
    await factories.note(client, old["id"], body="On the customer")
    await factories.note(client, eva["id"], body="On the contact")
    await factories.customer(client, name="Child", parentId=old["id"])
    await factories.document(client, old["id"])
    await factories.assignment(client, eva["id"])
    invoice = await factories.posted_invoice(client, old["id"], contactId=eva["id"], locationId=place["id"])
    await factories.payment(client, invoice["id"])
    await factories.note(client, invoice["id"])
    payload = await merge(client, acme, old)
    assert payload["mergedCustomer"] == {
        "id": old["id"],
        "revision": 2,
        "name": "Acme Ltd",
        "active": False,
        "mergedInto": {"id": acme["id"], "name": "Acme"},
    }
    shown = await profile(client, acme)
    at = {"customer": {"id": acme["id"]}, "location": {"name": "Warehouse"}, "origin": {"kind": "LOCAL"}}
    assert shown["contacts"] == [{"lastName": "Quinn", "primary": True, "active": True, **at}]
    assert shown["locations"] == [{"name": "Warehouse"}]
    assert {note["body"] for note in shown["notes"]} == {"On the customer", "On the contact"}
    assert shown["children"] == [{"name": "Child"}]
    assert shown["mergedCustomers"] == [{"id": old["id"], "name": "Acme Ltd"}]
    assert (shown["active"], shown["mergedInto"]) == (True, None)
    for table in set(AUDITED) - set(STAY):
        for column, target in references(table).items():
            if target is Customer:
                sql = f"SELECT id FROM {quoted(table._meta.tablename)} WHERE {quoted(column)} = ?"
                assert await database.fetch(sql, old["id"]) == [], f"{table.__name__}.{column}"


async def test_a_single_purpose_keeps_one_holder(client: Client) -> None:
    acme, old = await pair(client)
    ours = await factories.contact(client, acme["id"], lastName="Ours")
    theirs = await factories.contact(client, old["id"], lastName="Theirs")
    single, any_number = await factories.purpose(client, single=True), await factories.purpose(client)
    job = {"type": "job", "id": "J-7", "label": "Roof repair"}
    for contact in (ours, theirs):
        await factories.assignment(client, contact["id"], single["id"])
        await factories.assignment(client, contact["id"], any_number["id"])
    await factories.assignment(client, theirs["id"], single["id"], reference=job)
    stubs = [stub for stub in (await merge(client, acme, old))["events"] if "ASSIGNMENT" in stub["action"]]
    assert sorted(actions(stubs)) == ["ASSIGNMENT_DELETED", "ASSIGNMENT_UPDATED", "ASSIGNMENT_UPDATED"]
    selection = "assignments { edges { node { purpose { id } contact { lastName } } } }"
    text = f"query ($id: ID!) {{ customer(id: $id) {{ {selection} }} }}"
    edges = (await client.run(text, id=acme["id"]))["customer"]["assignments"]["edges"]
    held = sorted((edge["node"]["purpose"]["id"], edge["node"]["contact"]["lastName"]) for edge in edges)
    assert held == sorted(
        [(single["id"], "Ours"), (single["id"], "Theirs"), (any_number["id"], "Ours"), (any_number["id"], "Theirs")]
    )


def test_whatever_refers_to_customers_is_audited() -> None:
    """Operational tables would not be moved."""
    operational = models.registry.OPERATIONAL
    assert [table for table in operational if Customer in references(table).values()] == []


async def test_history_alone_says_what_moved(client: Client) -> None:
    acme, old = await pair(client, taxId="DE 1")
    place = await factories.location(client, old["id"], name="Warehouse")
    await factories.contact(client, acme["id"], lastName="First")
    await factories.contact(client, old["id"], lastName="Quinn", locationId=place["id"])
    await factories.note(client, old["id"])
    stubs = (await merge(client, acme, old, take=["TAX_ID"]))["events"]
    moved = "customer from “Acme Ltd” to “Acme”"
    assert [stub["sentence"] for stub in stubs] == [
        "Ada Admin changed customer Acme: tax ID set to “DE 1”.",
        f"Ada Admin changed location Warehouse at Acme: {moved}.",
        f"Ada Admin changed contact Quinn at Acme: {moved}; primary from “yes” to “no”.",
        f"Ada Admin changed a note on Acme: {moved}.",
        "Ada Admin merged customer Acme Ltd into Acme.",
    ]


async def test_the_events_of_a_merge(client: Client) -> None:
    acme, old = await pair(client)
    contact = await factories.contact(client, old["id"], lastName="Quinn")
    stubs = (await merge(client, acme, old))["events"]
    assert actions(stubs) == ["CONTACT_UPDATED", "CUSTOMER_MERGED"]
    moved, merged = stubs
    assert moved["subject"]["id"] == contact["id"]
    assert moved["customer"]["id"] == acme["id"]
    assert moved["sentence"] == "Ada Admin changed contact Quinn at Acme: customer from “Acme Ltd” to “Acme”."
    assert changes(moved) == {"customerId": (old["id"], acme["id"])}
    assert merged["sentence"] == "Ada Admin merged customer Acme Ltd into Acme."
    assert (merged["subject"]["id"], merged["customer"]["id"], merged["category"]) == (old["id"], old["id"], "PROFILE")
    assert changes(merged) == {"mergedIntoId": (None, acme["id"]), "active": (True, False)}
    assert texts(merged)["mergedIntoId"] == (None, "Acme")


async def test_the_survivors_history_has_both_in_order(client: Client) -> None:
    acme, old = await pair(client)
    for number in range(3):
        await factories.note(client, acme["id"], body=f"A {number}")
        await factories.note(client, old["id"], body=f"B {number}")
    older = await factories.customer(client, name="Older")
    await factories.note(client, older["id"])
    other = await factories.customer(client)
    await merge(client, old, older)
    await merge(client, acme, old)
    ids = {acme["id"], old["id"], older["id"]}
    everything = [stub["seq"] for stub in await recorded(client) if stub["customer"] and stub["customer"]["id"] in ids]
    everything.reverse()
    history = (await client.run(CUSTOMER_HISTORY, id=acme["id"], first=100))["customer"]["history"]
    assert [edge["node"]["seq"] for edge in history["edges"]] == everything
    assert history["totalCount"] == len(everything)
    by_filter = await recorded(client, customerId=acme["id"])
    assert [stub["seq"] for stub in reversed(by_filter)] == everything
    assert other["id"] not in {stub["customer"]["id"] for stub in by_filter}


async def test_pages_of_the_survivors_history_go_both_ways(client: Client) -> None:
    acme, old = await pair(client)
    for number in range(4):
        await factories.note(client, (acme, old)[number % 2]["id"])
    await merge(client, acme, old)
    history = (await client.run(CUSTOMER_HISTORY, id=acme["id"], first=100))["customer"]["history"]
    everything = [edge["node"]["seq"] for edge in history["edges"]]
    for size, before, forth in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
        found: list[int] = []
        cursor = None
        for _ in range(len(everything)):
            sent = {size: 2, **({before: cursor} if cursor else {})}
            page = (await client.run(CUSTOMER_HISTORY, id=acme["id"], **sent))["customer"]["history"]
            seqs = [edge["node"]["seq"] for edge in page["edges"]]
            found = [*found, *seqs] if size == "first" else [*seqs, *found]
            cursor = page["pageInfo"][forth]
            if not page["pageInfo"]["hasNextPage" if size == "first" else "hasPreviousPage"]:
                break
        assert found == everything


async def test_one_hop_always_suffices(client: Client) -> None:
    first, second, third = [await factories.customer(client, name=name) for name in ("First", "Second", "Third")]
    await merge(client, second, first)
    stubs = (await merge(client, third, second))["events"]
    assert stubs[0]["sentence"] == "Ada Admin changed customer First: merged into from “Second” to “Third”."
    assert (await profile(client, first))["mergedInto"]["name"] == "Third"
    assert [one["name"] for one in (await profile(client, third))["mergedCustomers"]] == ["First", "Second"]


async def test_lists_leave_merged_customers_out_unless_asked(client: Client) -> None:
    acme, old = await pair(client)
    await factories.customer(client, name="Other")
    await merge(client, acme, old)
    assert await names(client) == ["Acme", "Other"]
    assert await names(client, merged=False) == ["Acme", "Other"]
    assert await names(client, merged=True) == ["Acme Ltd"]
    assert await names(client, active=False) == []
    assert await names(client, active=False, merged=True) == ["Acme Ltd"]


async def test_fields_stay_unless_they_are_taken(client: Client) -> None:
    given = {"website": "https://old.example.com", "billingAddress": BERLIN, "shippingAddress": PARIS, "taxId": "DE 1"}
    acme, old = await pair(client, **given, kind="PERSON")
    kept = (await merge(client, acme, old))["customer"]
    assert [kept[name] for name in ("name", "kind", *given)] == ["Acme", "COMPANY", None, None, None, None]
    another = await factories.customer(client, name="Another")
    third = await factories.customer(client, name="Third", **given, kind="PERSON")
    take = ["NAME", "KIND", "WEBSITE", "BILLING_ADDRESS", "SHIPPING_ADDRESS", "TAX_ID"]
    taken = (await merge(client, another, third, take=take))["customer"]
    assert [taken[name] for name in ("name", "kind", *given)] == ["Third", "PERSON", *given.values()]


async def test_contact_methods_come_together(client: Client) -> None:
    def method(kind: str, value: str, **more: Any) -> dict[str, Any]:
        return {"kind": kind, "value": value, **more}

    acme = await factories.customer(client, name="Acme", email="office@example.com")
    both = [method("EMAIL", "OFFICE@example.com"), method("EMAIL", "b@example.com"), method("PHONE", "+14155550101")]
    old = await factories.customer(client, name="Acme Ltd", methods=both)
    merged = (await merge(client, acme, old))["customer"]
    assert [(one["kind"], one["value"], one["preferred"]) for one in merged["methods"]] == [
        ("EMAIL", "office@example.com", True),
        ("EMAIL", "b@example.com", False),
        ("PHONE", "+14155550101", True),
    ]
    assert (merged["email"], merged["phone"]) == ("office@example.com", "+14155550101")


async def test_more_than_twenty_contact_methods_are_refused(client: Client) -> None:
    some = [[{"kind": "EMAIL", "value": f"{side}{n}@example.com"} for n in range(11)] for side in "ab"]
    acme = await factories.customer(client, methods=some[0])
    old = await factories.customer(client, methods=some[1])
    fault = await refused(client, acme, old)
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "mergedId"])
    assert "22 contact methods" in fault["message"]


async def test_the_survivors_primary_contact_stays_it(client: Client) -> None:
    acme, old = await pair(client)
    await factories.contact(client, acme["id"], lastName="Ours")
    await factories.contact(client, old["id"], lastName="Theirs")
    await merge(client, acme, old)
    people = {one["lastName"]: one["primary"] for one in (await profile(client, acme))["contacts"]}
    assert people == {"Ours": True, "Theirs": False}


@pytest.mark.parametrize("wanted", ["Ours", "Also ours", "Theirs", "Also theirs"])
async def test_the_primary_contact_may_be_chosen_of_both(client: Client, wanted: str) -> None:
    acme, old = await pair(client)
    ids = {}
    for name in ("Ours", "Also ours", "Theirs", "Also theirs"):
        at = old if "theirs" in name.lower() else acme
        ids[name] = (await factories.contact(client, at["id"], lastName=name))["id"]
    await merge(client, acme, old, primaryContactId=ids[wanted])
    shown = await profile(client, acme)
    assert [one["lastName"] for one in shown["contacts"] if one["primary"]] == [wanted]
    assert len(shown["contacts"]) == 4


async def test_the_primary_contact_must_be_active_and_of_one_of_both(client: Client) -> None:
    acme, old = await pair(client)
    await factories.contact(client, old["id"])
    gone = await factories.contact(client, old["id"])
    await client.change(UPDATE_CONTACT, input={"id": gone["id"], "active": False})
    elsewhere = await factories.contact(client)
    for contact_id in (gone["id"], elsewhere["id"], "nobody"):
        fault = await refused(client, acme, old, primaryContactId=contact_id)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "primaryContactId"])


async def test_locations_of_one_name_are_refused_until_it_is_said_what_becomes_of_them(client: Client) -> None:
    acme, old = await pair(client)
    ours = await factories.location(client, acme["id"], name="Warehouse")
    theirs = await factories.location(client, old["id"], name="WAREHOUSE")
    eva = await factories.contact(client, old["id"], lastName="Quinn", locationId=theirs["id"])
    fault = await refused(client, acme, old)
    assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "locations"])
    assert f"WAREHOUSE ({theirs['id']})" in fault["message"]
    fault = await refused(client, acme, old, locations=[{"locationId": theirs["id"], "name": "warehouse"}])
    assert fault["code"] == "TAKEN"
    stubs = (await merge(client, acme, old, locations=[{"locationId": theirs["id"], "intoId": ours["id"]}]))["events"]
    assert actions(stubs) == ["CONTACT_UPDATED", "LOCATION_DELETED", "CONTACT_UPDATED", "CUSTOMER_MERGED"]
    shown = await profile(client, acme)
    assert shown["locations"] == [{"name": "Warehouse"}]
    assert [one["location"] for one in shown["contacts"]] == [{"name": "Warehouse"}]
    assert eva["location"]["name"] == "WAREHOUSE"


async def test_a_location_moves_under_another_name(client: Client) -> None:
    acme, old = await pair(client)
    await factories.location(client, acme["id"], name="Warehouse")
    theirs = await factories.location(client, old["id"], name="Warehouse")
    [stub, _] = (await merge(client, acme, old, locations=[{"locationId": theirs["id"], "name": "Depot"}]))["events"]
    assert changes(stub) == {"customerId": (old["id"], acme["id"]), "name": ("Warehouse", "Depot")}
    assert (await profile(client, acme))["locations"] == [{"name": "Depot"}, {"name": "Warehouse"}]


async def test_what_is_said_about_locations_must_fit(client: Client) -> None:
    acme, old = await pair(client)
    ours = (await factories.location(client, acme["id"]))["id"]
    theirs = (await factories.location(client, old["id"]))["id"]
    for wish, field in (
        ({"locationId": ours, "name": "X"}, "locationId"),
        ({"locationId": theirs}, "name"),
        ({"locationId": theirs, "name": "X", "intoId": ours}, "name"),
        ({"locationId": theirs, "intoId": theirs}, "intoId"),
        ({"locationId": theirs, "name": "a\nb"}, "name"),
    ):
        fault = await refused(client, acme, old, locations=[wish])
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "locations", "0", field])
    fault = await refused(client, acme, old, locations=[{"locationId": theirs, "name": name} for name in "XY"])
    assert fault["field"] == ["input", "locations", "1", "locationId"]


async def test_preferences_stay_unless_they_are_taken(client: Client) -> None:
    for take, own in (([], None), (["PREFERENCES"], True)):
        acme, old = await pair(client)
        await client.change(UPDATE_PREFERENCES, input={"customerId": acme["id"], "customerPortal": False})
        await client.change(UPDATE_PREFERENCES, input={"customerId": old["id"], "monthlyStatement": True})
        stubs = (await merge(client, acme, old, take=take))["events"]
        assert "PREFERENCES_DELETED" in actions(stubs)
        preferences = (await profile(client, acme))["preferences"]
        assert preferences["monthlyStatement"]["own"] is own
        assert preferences["customerPortal"]["own"] is (None if take else False)


async def test_preferences_are_taken_by_a_customer_without_any(client: Client) -> None:
    acme, old = await pair(client)
    await client.change(UPDATE_PREFERENCES, input={"customerId": old["id"], "monthlyStatement": True})
    await merge(client, acme, old, take=["PREFERENCES"])
    assert (await profile(client, acme))["preferences"]["monthlyStatement"]["own"] is True


async def test_the_parent_may_be_taken(client: Client) -> None:
    group = await factories.customer(client, name="Group")
    acme, old = await pair(client, parentId=group["id"])
    await merge(client, acme, old, take=["PARENT"])
    assert (await profile(client, acme))["parent"] == {"name": "Group"}
    assert (await profile(client, old))["parent"] is None
    assert (await profile(client, group))["children"] == [{"name": "Acme"}]


async def test_a_child_is_merged_into_its_parent(client: Client) -> None:
    acme = await factories.customer(client, name="Acme")
    child = await factories.customer(client, name="Child", parentId=acme["id"])
    await factories.customer(client, name="Grandchild", parentId=child["id"])
    fault = await refused(client, acme, child, take=["PARENT"])
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "take", "0"])
    await merge(client, acme, child)
    assert (await profile(client, acme))["children"] == [{"name": "Grandchild"}]


async def test_a_customer_cannot_be_merged_into_itself(client: Client) -> None:
    acme = await factories.customer(client)
    fault = await refused(client, acme, acme)
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "mergedId"])
    assert fault["message"] == "A customer cannot be merged into itself: name two customers."


async def test_nor_into_one_that_stands_below_it(client: Client) -> None:
    acme = await factories.customer(client, name="Acme")
    child = await factories.customer(client, name="Child", parentId=acme["id"])
    grandchild = await factories.customer(client, name="Grandchild", parentId=child["id"])
    for below in (child, grandchild):
        fault = await refused(client, below, acme)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "mergedId"])
        assert fault["message"] == f"{below['name']} stands below Acme: merge them the other way round."


async def test_nobody_is_merged_twice_or_into_somebody_merged(client: Client) -> None:
    acme, old = await pair(client)
    other = await factories.customer(client)
    await merge(client, acme, old)
    for survivor, merged, field in ((other, old, "mergedId"), (old, other, "id")):
        fault = await refused(client, survivor, merged)
        assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", field])
        assert fault["message"] == f"This customer was merged into Acme: use that one, {acme['id']}."


async def test_who_does_not_exist_cannot_be_merged(client: Client) -> None:
    acme = await factories.customer(client)
    unknown = {"id": new_id("cus")}
    for survivor, merged, field, code in (
        (acme, unknown, "mergedId", "NOT_FOUND"),
        (unknown, acme, "id", "NOT_FOUND"),
        (acme, {"id": new_id("con")}, "mergedId", "INVALID"),
        ({"id": "nobody"}, acme, "id", "INVALID"),
    ):
        fault = await refused(client, survivor, merged)
        assert (fault["code"], fault["field"]) == (code, ["input", field])


async def test_revisions_of_both_are_checked(client: Client) -> None:
    acme, old = await pair(client)
    await client.change(UPDATE_CUSTOMER, input={"id": old["id"], "website": "https://example.com"})
    fault = await refused(client, acme, old, mergedExpectedRevision=1)
    assert (fault["code"], fault["field"]) == ("CONFLICT", ["input", "mergedExpectedRevision"])
    assert fault["currentRevision"] == 2
    fault = await refused(client, acme, old, expectedRevision=7)
    assert (fault["code"], fault["field"]) == ("CONFLICT", ["input", "expectedRevision"])
    await merge(client, acme, old, expectedRevision=1, mergedExpectedRevision=2)


async def test_a_merged_customer_cannot_be_changed(client: Client) -> None:
    acme, old = await pair(client)
    await merge(client, acme, old)
    for document, sent, field in (
        (UPDATE_CUSTOMER, {"id": old["id"], "active": True}, "id"),
        (CREATE_CONTACT, {"customerId": old["id"], "lastName": "Quinn"}, "customerId"),
        (CREATE_LOCATION, {"customerId": old["id"], "name": "Warehouse"}, "customerId"),
        (CREATE_NOTE, {"subjectId": old["id"], "body": "Too late."}, "subjectId"),
        (UPDATE_PREFERENCES, {"customerId": old["id"], "monthlyStatement": True}, "customerId"),
        (UPDATE_CUSTOMER, {"id": acme["id"], "parentId": old["id"]}, "parentId"),
    ):
        async with nothing_recorded():
            fault = await client.fault(document, input=sent)
        assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", field])
        assert fault["message"] == f"This customer was merged into Acme: use that one, {acme['id']}."


async def test_faults_name_customers_only_to_who_may_read_them(client: Client, client_with: ClientWith) -> None:
    clerk = await client_with([Permission.CUSTOMERS_WRITE, Permission.CUSTOMERS_MERGE])
    update = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { errors { code message } } }"
    into = "mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { errors { code message } } }"
    acme, old = await pair(client)
    await merge(client, acme, old)
    parent = await factories.customer(client, name="Parent")
    child = await factories.customer(client, name="Child", parentId=parent["id"])
    grandchild = await factories.customer(client, name="Grandchild", parentId=child["id"])
    synced = await factories.synced_customer(name="Synced")
    ids = {"id": parent["id"], "mergedId": child["id"]}
    cases: list[tuple[str, dict[str, Any], str]] = [
        (update, {"id": old["id"]}, f"This customer was merged into another one: use that one, {acme['id']}."),
        (
            update,
            {"id": parent["id"], "parentId": grandchild["id"]},
            "This one stands below the customer and cannot be its parent: give it another parent first.",
        ),
        (
            into,
            {"id": child["id"], "mergedId": parent["id"]},
            "The survivor stands below the merged customer: merge them the other way round.",
        ),
        (
            into,
            {"id": acme["id"], "mergedId": synced["id"]},
            (
                "The merged customer comes from an accounting system, which would deliver it again: merge them the"
                " other way round."
            ),
        ),
        (
            into,
            {**ids, "take": ["PARENT"]},
            "The merged customer stands below the survivor, which cannot be below itself: do not take its parent.",
        ),
    ]
    for document, sent, message in cases:
        async with nothing_recorded():
            fault = await clerk.fault(document, input=sent)
        assert fault["message"] == message


async def test_merging_needs_its_permission(client: Client, client_with: ClientWith) -> None:
    acme, old = await pair(client)
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE])
    await clerk.run(MERGE_CUSTOMERS, input={"id": acme["id"], "mergedId": old["id"]})
    assert clerk.codes == ["FORBIDDEN"]


async def test_a_synced_customer_is_not_merged_into_a_local_one(client: Client) -> None:
    acme = await factories.customer(client, name="Acme")
    synced = await factories.synced_customer(name="Synced")
    fault = await refused(client, acme, synced)
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "mergedId"])
    await merge(client, synced, acme)


async def test_a_synced_survivor_keeps_what_its_system_delivers(client: Client) -> None:
    synced = await factories.synced_customer(name="Synced", email="office@example.com")
    old = await factories.customer(client, name="Acme", email="b@example.com", taxId="X1")
    fault = await refused(client, synced, old, take=["TAX_ID", "NAME"])
    assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "take", "1"])
    kept = (await merge(client, synced, old, take=["TAX_ID"]))["customer"]
    assert (kept["name"], kept["email"], kept["taxId"]) == ("Synced", "office@example.com", "X1")
    assert len(kept["methods"]) == 1


async def test_a_contact_delivered_to_both_becomes_local(client: Client) -> None:
    acme, old = await factories.synced_customer(), await factories.synced_customer()
    origin = {"origin_system": "NETSUITE", "origin_external_id": "77"}
    await factories.synced_contact(acme["id"], last_name="Ours", **origin)
    await factories.synced_contact(old["id"], last_name="Theirs", **origin)
    await factories.synced_contact(old["id"], last_name="Third", origin_system="NETSUITE", origin_external_id="78")
    await merge(client, acme, old)
    kinds = {one["lastName"]: one["origin"]["kind"] for one in (await profile(client, acme))["contacts"]}
    assert kinds == {"Ours": "SYNCED", "Theirs": "LOCAL", "Third": "SYNCED"}


@pytest.mark.parametrize("system", ["QUICKBOOKS_ONLINE", "QUICKBOOKS_DESKTOP"])
async def test_contacts_that_came_with_a_merged_customer_become_local(client: Client, system: str) -> None:
    """Nothing syncs to a merged customer any more: here is the only place to change them."""
    acme, old = await factories.synced_customer(name="Acme"), await factories.synced_customer(name="Old")
    origin = {"origin_system": system, "first_name": None}
    ours = await factories.synced_contact(acme["id"], last_name="Ours", **origin)
    first = await factories.synced_contact(old["id"], last_name="First", origin_external_id="4711", **origin)
    second = await factories.synced_contact(old["id"], last_name="Second", **origin)
    stubs = (await merge(client, acme, old, primaryContactId=second["id"]))["events"]
    of_contact = {stub["subject"]["id"]: stub for stub in stubs if stub["subject"]["type"] == "CONTACT"}
    assert set(of_contact) == {ours["id"], first["id"], second["id"]}
    assert changes(of_contact[first["id"]]) == {
        "customerId": (old["id"], acme["id"]),
        "originExternalId": ("4711", None),
        "originSystem": (system, None),
        "primary": (True, False),
    }
    assert of_contact[first["id"]]["sentence"] == (
        "Ada Admin changed contact First at Acme: customer from “Old” to “Acme”; primary from “yes” to “no”;"
        f" origin system “{system}” removed and 1 more."
    )
    kinds = {one["lastName"]: one["origin"]["kind"] for one in (await profile(client, acme))["contacts"]}
    assert kinds == {"Ours": "SYNCED", "First": "LOCAL", "Second": "LOCAL"}
    await client.change(UPDATE_CONTACT, input={"id": first["id"], "lastName": "Changed"})
    await client.change(DELETE_CONTACT, input={"id": first["id"]})
    assert client.errors == []


async def test_an_import_does_not_revive_a_merged_customer(client: Client) -> None:
    acme, old = await factories.synced_customer(name="Acme"), await factories.synced_customer(name="Old")
    await merge(client, acme, old)
    facts: Any = dict.fromkeys(
        ("payment_terms_id", "payment_terms_name", "currency", "parent_external_id", "fully_qualified_name")
    ) | {"bill_with_parent": False}
    given = {"kind": "COMPANY", "active": True, "methods": [], "website": None, "facts": facts, "contact": None}
    given |= {"billing_address": None, "shipping_address": None}
    records = [
        CustomerRecord(external_id=row["origin_external_id"], name=f"{row['name']} 2", **given) for row in (acme, old)
    ]
    result = await importing.apply(Reading(records, []))
    assert (result.created, result.updated, result.unchanged) == (0, 1, 0)
    [problem] = result.problems
    assert problem.external_id == old["origin_external_id"]
    assert problem.reason == "Not imported: this customer was merged into another one here. Merge them there, too."
    shown = await profile(client, old)
    assert (shown["name"], shown["active"], shown["mergedInto"]["id"]) == ("Old", False, acme["id"])


async def test_a_merge_of_much_takes_as_many_statements_as_one_of_little(
    client: Client, database: models.Database
) -> None:
    counts = []
    for number in (2, 6):
        acme, old = await pair(client)
        for index in range(number):
            await factories.location(client, old["id"], name=f"Place {index}")
            await factories.contact(client, old["id"])
            await factories.note(client, old["id"])
            await factories.customer(client, parentId=old["id"])
        with observed(database) as seen:
            await merge(client, acme, old)
        counts.append(len([sql for sql in seen if "event" not in sql]))
    assert counts[0] == counts[1]


async def test_of_two_merges_at_once_one_wins(client: Client) -> None:
    first, second, old = [await factories.customer(client, name=name) for name in ("First", "Second", "Old")]
    sent = [{"id": survivor["id"], "mergedId": old["id"]} for survivor in (first, second)]
    answers = await asyncio.gather(*(Client(client.token).send(MERGE_CUSTOMERS, {"input": one}) for one in sent))
    errors = [error["code"] for answer in answers for error in answer["mergeCustomers"]["errors"]]
    assert errors == ["READ_ONLY"]


async def test_nothing_stays_behind_that_is_made_beside_a_merge(client: Client, database: models.Database) -> None:
    acme, old = await pair(client)
    contact = await factories.contact(client, old["id"])
    requests = [
        (CREATE_CONTACT, {"customerId": old["id"], "lastName": "Quinn"}),
        (CREATE_NOTE, {"subjectId": contact["id"], "body": "Called."}),
        (MERGE_CUSTOMERS, {"id": acme["id"], "mergedId": old["id"]}),
        (CREATE_LOCATION, {"customerId": old["id"], "name": "Warehouse"}),
        (CREATE_NOTE, {"subjectId": old["id"], "body": "Called again."}),
    ]
    answers = await asyncio.gather(
        *(Client(client.token).send(document, {"input": sent}) for document, sent in requests)
    )
    codes = [error["code"] for answer in answers for payload in answer.values() for error in payload["errors"]]
    assert set(codes) <= {"READ_ONLY"}
    assert (await profile(client, old))["mergedInto"]["id"] == acme["id"]
    for table in ("contact", "location", "note"):
        assert await database.fetch(f"SELECT id FROM {table} WHERE customer_id = ?", old["id"]) == []
