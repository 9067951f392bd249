"""Parents, children and who pays."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import anyio
import pytest

import models
from audit import Change
from models import Customer, Permission, Row, clock, hierarchy
from models.identifier import new_id
from models.table import column_list, columns
from services import customers
from tests import factories
from tests.audit.intruder import unguarded
from tests.client import Client, ClientWith, observed
from tests.resolvers.documents import CREATE_CUSTOMER, MOVE_CUSTOMER, READ_FAMILY, UPDATE_CUSTOMER
from tests.resolvers.stubs import changes, nothing_recorded, texts

pytestmark = pytest.mark.anyio

LIST = """query ($filter: CustomerFilter) { customers(first: 100, filter: $filter) {
  edges { node { name parent { name } payer { name } } }
} }"""


async def family(client: Client, *names: str, **fields: Any) -> list[dict[str, Any]]:
    """A line of customers, each below the one before it."""
    made: list[dict[str, Any]] = []
    for name in names:
        above = {"parentId": made[-1]["id"]} if made else {}
        made.append(await factories.customer(client, name=name, **above, **fields))
    return made


async def read(client: Client, customer: dict[str, Any]) -> dict[str, Any]:
    found = (await client.run(READ_FAMILY, id=customer["id"]))["customer"]
    assert isinstance(found, dict)
    return found


async def payers(client: Client, **filter: Any) -> dict[str, str]:
    data = await client.run(LIST, filter=filter)
    return {edge["node"]["name"]: edge["node"]["payer"]["name"] for edge in data["customers"]["edges"]}


async def test_a_customer_has_a_parent_and_children(client: Client) -> None:
    group, west = await family(client, "Group", "West")
    await factories.customer(client, name="East", parentId=group["id"])
    above = await read(client, group)
    assert (above["parent"], above["paymentResponsibility"]) == (None, "BUYER")
    assert above["children"]["totalCount"] == 2
    assert [edge["node"]["name"] for edge in above["children"]["edges"]] == ["East", "West"]
    assert (await read(client, west))["parent"] == {"id": group["id"], "name": "Group"}


async def test_moving_a_customer_leaves_an_event_with_names(client: Client) -> None:
    group, west = await family(client, "Group", "West")
    other = await factories.customer(client, name="Other")
    sent = {
        "id": west["id"],
        "expectedRevision": 1,
        "parentId": other["id"],
        "paymentResponsibility": "TOP_LEVEL_PARENT",
    }
    payload = await client.change(MOVE_CUSTOMER, input=sent)
    assert payload["customer"]["parent"]["name"] == payload["customer"]["payer"]["name"] == "Other"
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("CUSTOMER_UPDATED", "PROFILE")
    assert changes(stub) == {
        "parentId": (group["id"], other["id"]),
        "paymentResponsibility": ("BUYER", "TOP_LEVEL_PARENT"),
    }
    assert texts(stub) == {"parentId": ("Group", "Other"), "paymentResponsibility": ("buyer", "top level parent")}
    assert stub["sentence"] == (
        "Ada Admin changed customer West: parent from “Group” to “Other”;"
        " payment responsibility from “buyer” to “top level parent”."
    )
    [stub] = (await client.change(MOVE_CUSTOMER, input={"id": west["id"], "parentId": None}))["events"]
    assert stub["sentence"] == "Ada Admin changed customer West: parent “Other” removed."
    async with nothing_recorded():
        await client.change(MOVE_CUSTOMER, input={"id": west["id"], "parentId": None})


async def test_who_pays_is_told_by_the_customer_itself_whatever_its_parents_say(client: Client) -> None:
    _, middle, leaf = await family(client, "Top", "Middle", "Leaf")
    for responsibility, payer in (("BUYER", "Leaf"), ("IMMEDIATE_PARENT", "Middle"), ("TOP_LEVEL_PARENT", "Top")):
        for above in ("BUYER", "IMMEDIATE_PARENT", "TOP_LEVEL_PARENT"):
            await client.change(UPDATE_CUSTOMER, input={"id": middle["id"], "paymentResponsibility": above})
            sent = {"id": leaf["id"], "paymentResponsibility": responsibility}
            assert (await client.change(MOVE_CUSTOMER, input=sent))["customer"]["payer"]["name"] == payer


@pytest.mark.parametrize("responsibility", ["BUYER", "IMMEDIATE_PARENT", "TOP_LEVEL_PARENT"])
async def test_whoever_has_no_parent_pays_for_themself(client: Client, responsibility: str) -> None:
    alone = await factories.customer(client, name="Alone", paymentResponsibility=responsibility)
    assert (await read(client, alone))["payer"]["name"] == "Alone"


async def test_the_payers_of_a_page_take_one_statement_however_deep_the_tree(
    client: Client, database: models.Database
) -> None:
    names = [f"Level {number:02d}" for number in range(25)]
    await family(client, *names[:2], paymentResponsibility="TOP_LEVEL_PARENT")
    with observed(database) as seen:
        shallow = await payers(client)
    few = len(seen)
    [top] = [
        edge["node"]
        for edge in (await client.run("{ customers(filter: { hasParent: false }) { edges { node { id } } } }"))[
            "customers"
        ]["edges"]
    ]
    for name in names[2:]:
        top = await factories.customer(client, name=name, parentId=top["id"], paymentResponsibility="TOP_LEVEL_PARENT")
    with observed(database) as seen:
        deep = await payers(client)
    assert len(seen) == few
    assert set(shallow.values()) == set(deep.values()) == {"Level 00"}
    assert len(deep) == 25


@pytest.mark.forces_drift
async def test_a_page_deep_in_a_tree_does_not_climb_it_for_each_customer(database: models.Database) -> None:
    ids = [new_id("cus") for _ in range(5000)]
    fixed = {"revision": 1, "created_at": clock.now(), "kind": "COMPANY", "methods": "[]", "active": True}
    fixed |= {"name": "Level", "name_key": "level", "search_key": "", "payment_responsibility": "TOP_LEVEL_PARENT"}
    sql = f"INSERT INTO customer ({column_list(Customer)}) VALUES ({', '.join('?' for _ in columns(Customer))})"
    async with database.write(recorder=True) as transaction:
        for above, below in pairwise([None, *ids]):
            row = {**fixed, "id": below, "parent_id": above}
            await transaction.fetch(sql, *(row.get(name) for name in columns(Customer)))
    with anyio.fail_after(2):
        found = await hierarchy.payers(ids[-100:])
    assert [payer["id"] for payer in found if payer] == [ids[0]] * 100


async def test_a_page_of_all_kinds_of_payers(client: Client) -> None:
    top, middle, leaf = await family(client, "Top", "Middle", "Leaf", paymentResponsibility="IMMEDIATE_PARENT")
    for number, responsibility in enumerate(("TOP_LEVEL_PARENT", "BUYER", "IMMEDIATE_PARENT")):
        sent = {"name": f"Side {number}", "parentId": leaf["id"], "paymentResponsibility": responsibility}
        await factories.customer(client, **sent)
    assert await payers(client) == {
        "Leaf": "Middle",
        "Middle": "Top",
        "Side 0": "Top",
        "Side 1": "Side 1",
        "Side 2": "Leaf",
        "Top": "Top",
    }
    loaded = await hierarchy.payers([leaf["id"], new_id("cus"), middle["id"], leaf["id"]])
    assert [payer and payer["id"] for payer in loaded] == [middle["id"], None, top["id"], middle["id"]]


async def test_a_circle_that_was_forced_past_the_product_ends(client: Client, database: models.Database) -> None:
    top, leaf = await family(client, "Top", "Leaf", paymentResponsibility="TOP_LEVEL_PARENT")
    async with database.write(recorder=True) as transaction:
        await transaction.fetch("UPDATE customer SET parent_id = ? WHERE id = ?", leaf["id"], top["id"])
    assert await payers(client) == {"Top": "Top", "Leaf": "Leaf"}
    assert await hierarchy.with_ancestors(leaf["id"]) == {top["id"], leaf["id"]}
    async with database.write(recorder=True) as transaction:
        await transaction.fetch("UPDATE customer SET parent_id = NULL WHERE id = ?", top["id"])


async def test_circles_and_self_parenting_are_refused(client: Client) -> None:
    top, middle, leaf = await family(client, "Top", "Middle", "Leaf")
    refused = [
        (top, top, "A customer cannot be its own parent."),
        (top, middle, "Middle stands below Top and cannot be its parent: give it another parent first."),
        (top, leaf, "Leaf stands below Top and cannot be its parent: give it another parent first."),
        (middle, leaf, "Leaf stands below Middle and cannot be its parent: give it another parent first."),
    ]
    for customer, parent, message in refused:
        async with nothing_recorded():
            fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], "parentId": parent["id"]})
        assert (fault["code"], fault["field"], fault["message"]) == ("INVALID", ["input", "parentId"], message)
    await client.change(UPDATE_CUSTOMER, input={"id": leaf["id"], "parentId": top["id"]})
    await client.change(UPDATE_CUSTOMER, input={"id": middle["id"], "parentId": leaf["id"]})


async def test_a_parent_must_be_a_customer_that_exists(client: Client) -> None:
    customer = await factories.customer(client)
    contact = await factories.contact(client)
    for parent, code in ((new_id("cus"), "NOT_FOUND"), (contact["id"], "INVALID"), ("nonsense", "INVALID")):
        for document, sent in ((CREATE_CUSTOMER, {"name": "Below"}), (UPDATE_CUSTOMER, {"id": customer["id"]})):
            async with nothing_recorded():
                fault = await client.fault(document, input={**sent, "parentId": parent})
            assert (fault["code"], fault["field"]) == (code, ["input", "parentId"])


async def test_payment_responsibility_cannot_be_cleared(client: Client) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], "paymentResponsibility": None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "paymentResponsibility"])


async def test_customers_are_filtered_by_their_parent(client: Client) -> None:
    group, _, _ = await family(client, "Group", "West", "West Side")
    assert list(await payers(client, parentId=group["id"])) == ["West"]
    assert list(await payers(client, hasParent=False)) == ["Group"]
    assert list(await payers(client, hasParent=True)) == ["West", "West Side"]
    await client.run(LIST, filter={"parentId": "con_01kwef3q8seemv6gzaf2w8kdhe"})
    assert client.codes == ["BAD_ID"]


async def test_terms_and_currency_are_kept_here_unless_they_are_synced(client: Client) -> None:
    customer = await factories.customer(client, paymentTerms=" Net  30 ", currency="eur")
    found = await read(client, customer)
    assert (found["paymentTerms"], found["currency"]) == ("Net 30", "EUR")
    payload = await client.change(MOVE_CUSTOMER, input={"id": customer["id"], "currency": None, "paymentTerms": "Cash"})
    assert (payload["customer"]["paymentTerms"], payload["customer"]["currency"]) == ("Cash", None)
    for bad in ("EURO", "QQQ", "€", "E1R"):
        async with nothing_recorded():
            fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], "currency": bad})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "currency"])


async def test_what_the_accounting_system_says_about_payment_is_read_only(client: Client) -> None:
    customer = await factories.synced_customer(payment_terms="Net 30", currency="USD")
    for name, value in (("paymentTerms", "Net 60"), ("currency", "EUR"), ("currency", None)):
        async with nothing_recorded():
            fault = await client.fault(UPDATE_CUSTOMER, input={"id": customer["id"], name: value})
        assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", name])
    parent = await factories.customer(client, name="Group")
    sent = {"id": customer["id"], "parentId": parent["id"], "paymentResponsibility": "IMMEDIATE_PARENT"}
    assert (await client.change(MOVE_CUSTOMER, input=sent))["customer"]["payer"]["name"] == "Group"

    async def sync(change: Change) -> Row:
        return await customers.update(change, customer["id"], None, {"payment_terms": "Net 60"})

    assert (await factories.by_quickbooks(sync))["payment_terms"] == "Net 60"


async def test_the_database_itself_refuses_a_customer_above_itself(database_url: str, client: Client) -> None:
    customer = await factories.customer(client)
    async with unguarded(database_url) as run:
        with pytest.raises(Exception, match=r"(?i)check constraint"):
            await run(f"UPDATE customer SET parent_id = id WHERE id = '{customer['id']}'")


async def test_the_tree_is_maintained_with_the_permission_for_customers(
    client: Client, client_with: ClientWith
) -> None:
    customer, parent = [await factories.customer(client) for _ in range(2)]
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CONTACTS_WRITE])
    await clerk.run(UPDATE_CUSTOMER, input={"id": customer["id"], "parentId": parent["id"]})
    assert clerk.codes == ["FORBIDDEN"]
