"""The history: the customer's History view and the auditors' query, filtered, paged, with names as they were then."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest

from audit import DATABASE, Change, Request, transact
from models import Contact, Permission
from services import contacts
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CUSTOMER_HISTORY,
    DELETE_CONTACT,
    DELETE_CONTACT_ROLE,
    DELETE_LOCATION,
    HISTORY,
    STUB,
    UPDATE_CONTACT,
    UPDATE_CONTACT_ROLE,
    UPDATE_CUSTOMER,
    UPDATE_USER,
)
from tests.resolvers.stubs import Stub, actions, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

P = Permission


async def everything(client: Client) -> list[Stub]:
    """All events, newest first."""
    data = await client.run(HISTORY, first=100)
    assert not data["history"]["pageInfo"]["hasNextPage"]
    return [edge["node"] for edge in data["history"]["edges"]]


async def busy(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two customers after some work of all kinds of actors: (customer, one of its contacts)."""
    customer = await factories.customer(client, name="Krume")
    role = await factories.contact_role(client, name="Billing")
    await factories.location(client, customer["id"])
    contact = await factories.contact(client, customer["id"], firstName="Eva", lastName="Quinn", roleId=role["id"])
    await factories.note(client, contact["id"])
    await factories.note(client, customer["id"])
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "title": "CFO"})
    await factories.synced_contact(customer["id"])
    _, machine = await factories.machine(client, P.CUSTOMERS_READ, P.CONTACTS_WRITE)
    await factories.contact(machine, customer["id"])
    other = await factories.customer(client, name="Other")
    await factories.contact(client, other["id"])
    await factories.note(client, other["id"])
    await Client().run("SignIn", email="nobody@example.com", password="whatever this is")
    return customer, contact


async def test_history_is_newest_first_dense_and_ascending_in_time(client: Client) -> None:
    await busy(client)
    stubs = await everything(client)
    assert [stub["seq"] for stub in stubs] == list(range(len(stubs), 0, -1))
    assert all(newer["at"] > older["at"] for newer, older in pairwise(stubs))
    assert [stub["id"] for stub in stubs] == [f"evt_{stub['seq']}" for stub in stubs]
    assert (await client.run(HISTORY, first=1))["history"]["totalCount"] == len(stubs)


async def test_filters_choose_events_each_and_together(client: Client) -> None:
    assert client.user is not None
    customer, contact = await busy(client)
    stubs = await everything(client)
    middle, later = stubs[len(stubs) // 2]["at"], stubs[3]["at"]
    filters: dict[str, tuple[Any, Callable[[Stub], bool]]] = {
        "customerId": (customer["id"], lambda stub: stub["customerLabel"] == "Krume"),
        "subjectId": (contact["id"], lambda stub: stub["subject"]["id"] == contact["id"]),
        "actorId": (client.user["id"], lambda stub: stub["actor"]["name"] == "Ada Admin"),
        "actorKinds": (["ACCOUNTING", "USER"], lambda stub: stub["actor"]["kind"] in ("ACCOUNTING", "USER")),
        "categories": (["CONTACT", "NOTE"], lambda stub: stub["category"] in ("CONTACT", "NOTE")),
        "actions": (["CONTACT_CREATED"], lambda stub: stub["action"] == "CONTACT_CREATED"),
        "from": (middle, lambda stub: stub["at"] >= middle),
        "to": (later, lambda stub: stub["at"] < later),
    }
    found = set()
    for number in (1, 2, 3):
        for names in combinations(filters, number):
            data = await client.run(HISTORY, first=100, filter={name: filters[name][0] for name in names})
            expected = [stub for stub in stubs if all(filters[name][1](stub) for name in names)]
            assert [edge["node"] for edge in data["history"]["edges"]] == expected, names
            assert data["history"]["totalCount"] == len(expected)
            found.add(len(expected))
    assert len(found) > 10


async def test_from_is_inclusive_and_to_is_exclusive(client: Client) -> None:
    await busy(client)
    stubs = await everything(client)
    one, next_one = stubs[5], stubs[4]
    between = await recorded(client, {"from": one["at"], "to": next_one["at"]})
    assert between == [one]
    assert await recorded(client, {"from": one["at"], "to": one["at"]}) == []
    with_offset = datetime.fromisoformat(one["at"]) + timedelta(hours=2)
    text = with_offset.strftime("%Y-%m-%dT%H:%M:%S.%f+02:00")
    assert (await recorded(client, {"from": text}))[0] == one


async def test_empty_lists_of_wanted_values_match_nothing_and_null_matches_all(client: Client) -> None:
    stubs = await everything(client)
    for name in ("actorKinds", "categories", "actions"):
        assert await recorded(client, {name: []}) == []
        assert len(await recorded(client, {name: None})) == len(stubs)


async def test_actors_are_of_every_kind(client: Client) -> None:
    customer, contact = await busy(client)

    async def force(change: Change) -> None:
        await change.update(Contact, await change.get(Contact, contact["id"]), {"title": "Forced"})

    await transact(DATABASE, Request.new(), force)
    stubs = await recorded(client, customerId=customer["id"])
    by_kind = {stub["actor"]["kind"]: stub for stub in stubs}
    assert by_kind["USER"]["actor"]["name"] == "Ada Admin"
    assert by_kind["ACCOUNTING"]["actor"] == {
        "kind": "ACCOUNTING",
        "id": "QUICKBOOKS_ONLINE",
        "name": "QuickBooks Online",
    }
    assert by_kind["SYSTEM"]["actor"]["name"].startswith("Machine")
    assert by_kind["DATABASE"]["actor"]["id"] is None
    assert by_kind["DATABASE"]["sentence"] == (
        "Somebody changed contact Eva Quinn at Krume past the product: title from “CFO” to “Forced”."
    )
    [product] = await recorded(client, actions=["USER_CREATED"], actorKinds=["SYSTEM"])
    assert product["actor"] == {"kind": "SYSTEM", "id": None, "name": "Counterfoil"}


@pytest.mark.parametrize("size", [1, 4, 100])
async def test_pages_join_to_the_whole_in_both_directions(client: Client, size: int) -> None:
    await busy(client)
    wanted = {"categories": ["CONTACT", "NOTE", "ACCESS"]}
    whole = [stub["seq"] for stub in reversed(await recorded(client, wanted))]
    for first, after, more, end in (
        ("first", "after", "hasNextPage", "endCursor"),
        ("last", "before", "hasPreviousPage", "startCursor"),
    ):
        pages: list[list[int]] = []
        cursor = None
        while True:
            history = (await client.run(HISTORY, filter=wanted, **{first: size, after: cursor}))["history"]
            pages.append([edge["node"]["seq"] for edge in history["edges"]])
            assert history["pageInfo"]["startCursor"] == history["edges"][0]["cursor"]
            assert history["pageInfo"]["endCursor"] == history["edges"][-1]["cursor"]
            cursor = history["pageInfo"][end]
            if not history["pageInfo"][more]:
                break
        if first == "last":
            pages.reverse()
        assert [seq for page in pages for seq in page] == whole


async def test_a_cursor_misses_nothing_that_happens_while_paging(client: Client) -> None:
    customer, _ = await busy(client)
    before = [stub["seq"] for stub in await everything(client)]
    page = (await client.run(HISTORY, first=3))["history"]
    await asyncio.gather(*(factories.note(Client(client.token), customer["id"]) for _ in range(4)))
    older = (await client.run(HISTORY, first=100, after=page["pageInfo"]["endCursor"]))["history"]
    assert [edge["node"]["seq"] for edge in (*page["edges"], *older["edges"])] == before
    newer = (await client.run(HISTORY, last=100, before=page["pageInfo"]["startCursor"]))["history"]
    assert [edge["node"]["seq"] for edge in newer["edges"]] == list(range(before[0] + 4, before[0], -1))


async def test_a_cursor_belongs_to_its_filter(client: Client) -> None:
    cursor = (await client.run(HISTORY, first=1, filter={"categories": ["ACCESS"]}))["history"]["edges"][0]["cursor"]
    await client.run(HISTORY, first=1, after=cursor, filter={"categories": ["NOTE"]})
    assert client.codes == ["BAD_CURSOR"]


async def test_names_stay_as_they_were_after_renames_and_deletions(client: Client) -> None:
    assert client.user is not None
    customer = await factories.customer(client, name="Krume")
    role = await factories.contact_role(client, name="Billing")
    location = await factories.location(client, customer["id"], name="Mill")
    before = await last_seq()
    contact = await factories.contact(client, customer["id"], lastName="Quinn", locationId=location["id"])
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "roleId": role["id"]})
    then = await recorded(client, after=before)
    assert [stub["sentence"] for stub in then] == [
        "Ada Admin added contact Quinn at Krume.",
        "Ada Admin changed contact Quinn at Krume: role set to “Billing”.",
    ]
    assert texts(then[0])["locationId"] == (None, "Mill")

    renamed = await last_seq()
    await client.change(UPDATE_CUSTOMER, input={"id": customer["id"], "name": "Kruste"})
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "lastName": "Quick", "locationId": None})
    await client.change(UPDATE_CONTACT_ROLE, input={"id": role["id"], "name": "Accounts"})
    await client.change(UPDATE_USER, input={"id": client.user["id"], "name": "Ada Newname"})
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "roleId": None})
    await client.change(DELETE_CONTACT, input={"id": contact["id"]})
    await client.change(DELETE_CONTACT_ROLE, input={"id": role["id"]})
    await client.change(DELETE_LOCATION, input={"id": location["id"]})

    now = await recorded(client, after=before)
    for old, new in zip(then, now, strict=False):
        assert {**new, "customer": None} == {**old, "customer": None}
        assert new["customer"] == {"id": customer["id"], "name": "Kruste"}
    assert [stub["sentence"] for stub in now if stub["seq"] > renamed] == [
        "Ada Admin changed customer Kruste: name from “Krume” to “Kruste”.",
        "Ada Admin changed contact Quick at Kruste: location “Mill” removed; last name from “Quinn” to “Quick”.",
        "Ada Admin changed contact role Accounts: name from “Billing” to “Accounts”.",
        "Ada Admin changed user Ada Newname: name from “Ada Admin” to “Ada Newname”.",
        "Ada Newname changed contact Quick at Kruste: role “Accounts” removed.",
        "Ada Newname deleted contact Quick at Kruste.",
        "Ada Newname deleted contact role Accounts.",
        "Ada Newname deleted location Mill at Kruste.",
    ]


async def test_the_history_view_holds_what_belongs_to_the_customer_and_nothing_else(client: Client) -> None:
    customer, contact = await busy(client)
    history = (await client.run(CUSTOMER_HISTORY, id=customer["id"], first=100))["customer"]["history"]
    stubs = [edge["node"] for edge in history["edges"]]
    assert actions(stubs) == [
        "CONTACT_CREATED",
        "CONTACT_CREATED",
        "CONTACT_UPDATED",
        "NOTE_CREATED",
        "NOTE_CREATED",
        "CONTACT_CREATED",
        "LOCATION_CREATED",
        "CUSTOMER_CREATED",
    ]
    assert stubs == [stub for stub in await everything(client) if stub["customerLabel"] == "Krume"]
    assert {stub["customer"]["id"] for stub in stubs} == {customer["id"]}
    assert history["totalCount"] == len(stubs)
    wanted = {"actorKinds": ["ACCOUNTING"], "categories": ["CONTACT"]}
    filtered = (await client.run(CUSTOMER_HISTORY, id=customer["id"], filter=wanted))["customer"]["history"]
    assert [edge["node"]["actor"]["name"] for edge in filtered["edges"]] == ["QuickBooks Online"]
    page = (await client.run(CUSTOMER_HISTORY, id=customer["id"], first=3))["customer"]["history"]
    cursor = page["pageInfo"]["endCursor"]
    rest = (await client.run(CUSTOMER_HISTORY, id=customer["id"], first=100, after=cursor))["customer"]["history"]
    assert [edge["node"] for edge in (*page["edges"], *rest["edges"])] == stubs

    document = f"query ($id: ID!) {{ contact(id: $id) {{ history(first: 9) {{ edges {{ node {STUB} }} }} }} }}"
    edges = (await client.run(document, id=contact["id"]))["contact"]["history"]["edges"]
    assert actions([edge["node"] for edge in edges]) == ["CONTACT_UPDATED", "CONTACT_CREATED"]


async def test_todays_permissions_govern_past_data(client: Client, client_with: ClientWith) -> None:
    customer, contact = await busy(client)
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "title": "Boss"})
    reader = await client_with([P.CUSTOMERS_READ, P.HISTORY_READ])
    history = (await reader.run(CUSTOMER_HISTORY, id=customer["id"]))["customer"]["history"]
    stubs = [edge["node"] for edge in history["edges"]]
    note = next(stub for stub in stubs if stub["category"] == "NOTE")
    assert {change["withheld"] for change in note["changes"]} == {"PERMISSION"}
    assert {(change["before"], change["afterText"]) for change in note["changes"]} == {(None, None)}
    assert note["sentence"] == "Ada Admin added a note on Krume."
    assert texts(stubs[0]) == {"title": ("CFO", "Boss")}

    auditor = await client_with([P.AUDIT_READ])
    document = """{ history(first: 100) { edges { node {
      category sentence subject { id node { id } } changes { field before after withheld } } } } }"""
    seen = [edge["node"] for edge in (await auditor.run(document))["history"]["edges"]]
    assert auditor.user is not None
    nodes = [node for node in seen if node["subject"]["id"] != auditor.user["id"]]
    [about_themself] = [node for node in seen if node not in nodes]
    assert about_themself["sentence"] == "Counterfoil added user Uwe User."
    everything = {"PROFILE", "CONTACT", "COMMUNICATION_SETTINGS", "NOTE", "SETTINGS", "ACCESS"}
    assert {node["category"] for node in nodes} == everything
    assert {change["withheld"] for node in nodes for change in node["changes"]} == {"PERMISSION", "SECRET"}
    assert "Boss" not in repr(nodes)
    assert {node["subject"]["node"] is None for node in nodes} == {True}
    sentences = {node["sentence"] for node in nodes}
    assert "Ada Admin changed contact (withheld) at (withheld): title." in sentences
    assert "Ada Admin added a note on (withheld)." in sentences
    assert not re.search("Krume|Eva|Quinn|Billing", repr(nodes))


async def test_the_whole_history_is_for_auditors(client: Client, client_with: ClientWith) -> None:
    customer, _ = await busy(client)
    clerk = await client_with([P.CUSTOMERS_READ, P.HISTORY_READ, P.NOTES_READ, P.USERS_READ])
    await clerk.run("{ history(first: 1) { totalCount } }")
    assert clerk.codes == ["FORBIDDEN"]
    await clerk.run('{ node(id: "evt_1") { id } }')
    assert clerk.codes == ["FORBIDDEN"]
    reader = await client_with([P.CUSTOMERS_READ])
    await reader.run(CUSTOMER_HISTORY, id=customer["id"])
    assert reader.codes == ["FORBIDDEN"]
    assert "HISTORY_READ" in reader.errors[0]["message"]


async def test_subjects_are_found_while_they_exist(client: Client) -> None:
    contact = await factories.contact(client, lastName="Quinn")
    document = """query ($filter: HistoryFilter) { history(filter: $filter) { edges { node {
      subject { type label node { id ... on Contact { lastName } } } } } } }"""
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "lastName": "Quick"})
    wanted = {"subjectId": contact["id"], "actions": ["CONTACT_CREATED"]}
    [edge] = (await client.run(document, filter=wanted))["history"]["edges"]
    node = {"id": contact["id"], "lastName": "Quick"}
    assert edge["node"]["subject"] == {"type": "CONTACT", "label": "Quinn", "node": node}
    await client.change(DELETE_CONTACT, input={"id": contact["id"]})
    [edge] = (await client.run(document, filter=wanted))["history"]["edges"]
    assert edge["node"]["subject"] == {"type": "CONTACT", "label": "Quinn", "node": None}


async def test_events_are_nodes(client: Client) -> None:
    stubs = await everything(client)
    document = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename ... on HistoryEvent {STUB} }} }}"
    ids = [stubs[2]["id"], "evt_999999999", stubs[0]["id"]]
    third, missing, first = (await client.run(document, ids=ids))["nodes"]
    assert missing is None
    assert (third, first) == (
        {"__typename": "HistoryEvent", **stubs[2]},
        {"__typename": "HistoryEvent", **stubs[0]},
    )
    for bad in ("evt_", "evt_x", "evt_-1", "evt_1.5"):
        await client.run(document, ids=[bad])
        assert client.codes == ["BAD_ID"]


async def test_a_transaction_that_fails_late_leaves_nothing(client: Client) -> None:
    contact = await factories.contact(client)

    async def work(change: Change) -> None:
        await contacts.update(change, contact["id"], None, {"title": "CFO"})
        raise LookupError("late")

    async with nothing_recorded():
        with pytest.raises(LookupError):
            await factories.by_quickbooks(work)
    assert actions(await recorded(client, subjectId=contact["id"])) == ["CONTACT_CREATED"]
