"""Probable duplicates: who may be the same customer, for which reasons, for one customer and for all of them."""

from __future__ import annotations

from typing import Any

import pytest

import models
from models import Permission, duplicates
from tests import factories
from tests.client import Client, ClientWith, observed
from tests.factories import BERLIN, PARIS
from tests.resolvers.documents import UPDATE_CUSTOMER

pytestmark = pytest.mark.anyio

OF_ONE = "query ($id: ID!) { customer(id: $id) { probableDuplicates { customer { name } reasons similarity } } }"
OF_ALL = "{ customers(first: 50) { edges { node { name probableDuplicates { customer { name } reasons } } } } }"
PAIRS = """query ($first: Int! = 20, $after: String) {
  probableDuplicates(first: $first, after: $after) {
    pairs { customers { name } reasons similarity } endCursor
  }
}"""

Found = dict[str, list[str]]


async def of(client: Client, customer: dict[str, Any]) -> Found:
    """The names of the customer's duplicates, most probable first, with the reasons."""
    data = await client.run(OF_ONE, id=customer["id"])
    return {one["customer"]["name"]: one["reasons"] for one in data["customer"]["probableDuplicates"]}


async def test_the_same_email_phone_or_tax_id(client: Client) -> None:
    acme = await factories.customer(
        client, name="Acme", email="Office@acme.example.com", phone="+1 415 555 0101", taxId="DE 123.456.789"
    )
    assert acme["taxId"] == "DE 123.456.789"
    await factories.customer(client, name="By email", email="office@ACME.example.com")
    await factories.customer(client, name="By phone", phone="(415) 555-0101")
    await factories.customer(client, name="By tax id", taxId="de123456789")
    await factories.customer(client, name="Another", email="other@acme.example.com", taxId="DE123456780")
    assert await of(client, acme) == {
        "By email": ["SAME_EMAIL"],
        "By phone": ["SAME_PHONE"],
        "By tax id": ["SAME_TAX_ID"],
    }


async def test_a_similar_name_in_the_same_city(client: Client) -> None:
    acme = await factories.customer(client, name="Bäckerei Müller & Söhne GmbH", billingAddress=BERLIN)
    await factories.customer(client, name="MULLER und SOHNE, BACKEREI", shippingAddress={**PARIS, "city": "BERLIN"})
    await factories.customer(client, name="Bäckerei Müler & Söhne", billingAddress=BERLIN)
    await factories.customer(client, name="Bäckerei Müller & Söhne", billingAddress=PARIS)
    await factories.customer(client, name="Bäckerei Müller & Söhne")
    await factories.customer(client, name="Metzgerei Schmidt GmbH", billingAddress=BERLIN)
    found = (await client.run(OF_ONE, id=acme["id"]))["customer"]["probableDuplicates"]
    assert [(one["customer"]["name"], one["reasons"]) for one in found] == [
        ("MULLER und SOHNE, BACKEREI", ["SIMILAR_NAME"]),
        ("Bäckerei Müler & Söhne", ["SIMILAR_NAME"]),
    ]
    assert found[0]["similarity"] == 1
    assert 0.9 <= found[1]["similarity"] < 1


async def test_more_reasons_come_first(client: Client) -> None:
    acme = await factories.customer(client, name="Acme Inc.", email="a@example.com", billingAddress=BERLIN)
    await factories.customer(client, name="Other", email="a@example.com")
    await factories.customer(client, name="ACME", email="a@example.com", billingAddress=BERLIN)
    assert await of(client, acme) == {"ACME": ["SAME_EMAIL", "SIMILAR_NAME"], "Other": ["SAME_EMAIL"]}


async def test_inactive_customers_do_not_count(client: Client) -> None:
    acme = await factories.customer(client, name="Acme", email="a@example.com")
    other = await factories.customer(client, name="Other", email="a@example.com")
    assert await of(client, acme) == {"Other": ["SAME_EMAIL"]}
    await client.change(UPDATE_CUSTOMER, input={"id": other["id"], "active": False})
    assert await of(client, acme) == {}
    assert await of(client, other) == {}


async def test_a_key_that_is_cleared_does_not_match(client: Client) -> None:
    acme = await factories.customer(client, name="Acme", taxId="X1")
    other = await factories.customer(client, name="Other", taxId="X-1")
    assert await of(client, acme) == {"Other": ["SAME_TAX_ID"]}
    payload = await client.change(UPDATE_CUSTOMER, input={"id": other["id"], "taxId": None})
    assert payload["events"][0]["sentence"] == "Ada Admin changed customer Other: tax ID “X-1” removed."
    assert await of(client, acme) == {}


async def test_a_tax_id_of_more_than_fifty_characters_is_refused(client: Client) -> None:
    acme = await factories.customer(client)
    fault = await client.fault(UPDATE_CUSTOMER, input={"id": acme["id"], "taxId": "1" * 51})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "taxId"])


async def test_a_page_of_customers_costs_one_more_statement(client: Client, database: models.Database) -> None:
    counts = []
    for number in (2, 12):
        for _ in range(number):
            await factories.customer(client, name="Acme", email="a@example.com", billingAddress=BERLIN)
        with observed(database) as seen:
            await client.run(OF_ALL)
        counts.append(len(seen))
    nodes = [edge["node"] for edge in (await client.run(OF_ALL))["customers"]["edges"]]
    assert {len(node["probableDuplicates"]) for node in nodes} == {duplicates.DUPLICATE_LIMIT}
    assert counts[0] == counts[1]


async def test_many_comparisons_answer_the_same(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Acme", "Acme Ltd", "Apex"):
        await factories.customer(client, name=name, billingAddress=BERLIN)
    at_once = await client.run(OF_ALL)
    monkeypatch.setattr(duplicates, "_AT_ONCE", 0)
    assert await client.run(OF_ALL) == at_once


async def test_all_pairs_come_once_in_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_SCAN_STEP", 2)
    for name in ("A", "B", "C"):
        await factories.customer(client, name=name, email="same@example.com")
        await factories.customer(client, name=f"{name} alone")
    await factories.customer(client, name="D", taxId="7")
    await factories.customer(client, name="E", taxId="7")
    everything = [("A", "B"), ("A", "C"), ("B", "C"), ("D", "E")]
    whole = (await client.run(PAIRS))["probableDuplicates"]
    assert [tuple(one["name"] for one in pair["customers"]) for pair in whole["pairs"]] == everything
    assert [pair["reasons"] for pair in whole["pairs"]] == [["SAME_EMAIL"]] * 3 + [["SAME_TAX_ID"]]
    assert whole["endCursor"] is None
    found, after = [], None
    for _ in everything:
        page = (await client.run(PAIRS, first=1, after=after))["probableDuplicates"]
        found += [tuple(one["name"] for one in pair["customers"]) for pair in page["pairs"]]
        after = page["endCursor"]
    assert found == everything
    assert after is None


async def test_one_look_for_pairs_ends_and_can_be_gone_on_with(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_SCAN_STEP", 1)
    monkeypatch.setattr(duplicates, "SCAN_LIMIT", 2)
    for name in ("One", "Two", "Three", "Four"):
        await factories.customer(client, name=name, email=f"{name in ('Three', 'Four')}@example.com")
    first = (await client.run(PAIRS))["probableDuplicates"]
    assert [one["customers"][0]["name"] for one in first["pairs"]] == ["One"]
    second = (await client.run(PAIRS, after=first["endCursor"]))["probableDuplicates"]
    assert [one["customers"][0]["name"] for one in second["pairs"]] == ["Three"]


@pytest.mark.parametrize("first", [0, 101])
async def test_pages_of_pairs_have_limits(client: Client, first: int) -> None:
    await client.run(PAIRS, first=first)
    assert client.codes == ["BAD_PAGE"]


NO_CURSORS = ["", "x", "é", "WyJhIl0", "WyJhIiwgImIiXQ", "WzEsIDJd", "ImFiIg"]


async def test_a_cursor_of_something_else_is_refused(client: Client) -> None:
    for after in NO_CURSORS:
        await client.run(PAIRS, after=after)
        assert client.codes == ["BAD_CURSOR"], after


async def test_lists_of_duplicates_count_as_nodes(client: Client) -> None:
    text = "id"
    for _ in range(3):
        text = f"probableDuplicates {{ customer {{ {text} }} }}"
    await client.run(f"{{ customers(first: 100) {{ edges {{ node {{ {text} }} }} }} }}")
    assert client.codes == ["COST_LIMIT"]


async def test_pairs_need_the_permission_to_read_customers(client_with: ClientWith) -> None:
    somebody = await client_with([Permission.NOTES_READ])
    await somebody.run(PAIRS)
    assert somebody.codes == ["FORBIDDEN"]
