"""Pages of lists: what may be asked for, and cursors that belong to their list, order and filter."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests import factories
from tests.client import Client
from tests.dialects import on_sqlite
from tests.schema.documents import QUERY, is_connection

pytestmark = pytest.mark.anyio

NAMES = ("Alder", "birch", "Cedar", "Douglas", "Elm")
PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
  customers(first: $first, after: $after, last: $last, before: $before) {
    totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
LISTS = {name: field for name, field in QUERY.fields.items() if is_connection(field)}


async def page(client: Client, **arguments: Any) -> dict[str, Any]:
    data = await client.run(PAGE, **arguments)
    assert client.errors == []
    found = data["customers"]
    assert isinstance(found, dict)
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in found["edges"]]


async def planted(client: Client) -> list[str]:
    """The cursors of five customers, by name."""
    for name in reversed(NAMES):
        await factories.customer(client, name=name)
    return [edge["cursor"] for edge in (await page(client))["edges"]]


async def test_pages_lead_forward_and_back(client: Client) -> None:
    cursors = await planted(client)
    first = await page(client, first=2)
    assert names(first) == ["Alder", "birch"]
    assert first["totalCount"] == 5
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursors[0],
        "endCursor": cursors[1],
    }
    middle = await page(client, first=2, after=cursors[1])
    assert names(middle) == ["Cedar", "Douglas"]
    assert (middle["pageInfo"]["hasPreviousPage"], middle["pageInfo"]["hasNextPage"]) == (True, True)
    end = await page(client, first=2, after=cursors[3])
    assert names(end) == ["Elm"]
    assert end["pageInfo"]["hasNextPage"] is False
    last = await page(client, last=2)
    assert names(last) == ["Douglas", "Elm"]
    assert (last["pageInfo"]["hasPreviousPage"], last["pageInfo"]["hasNextPage"]) == (True, False)
    assert names(await page(client, last=2, before=cursors[3])) == ["birch", "Cedar"]
    assert names(await page(client, before=cursors[2])) == ["Alder", "birch"]
    assert names(await page(client, after=cursors[2])) == ["Douglas", "Elm"]


async def test_an_empty_page_has_no_cursors_and_knows_what_follows(client: Client) -> None:
    cursors = await planted(client)
    none = await page(client, first=0)
    assert none["edges"] == []
    ends = {"startCursor": None, "endCursor": None}
    assert none["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False, **ends}
    beyond = await page(client, first=5, after=cursors[4])
    assert (beyond["edges"], beyond["totalCount"]) == ([], 5)
    assert beyond["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True, **ends}


async def test_a_cursor_stays_good_when_its_object_is_gone(client: Client) -> None:
    customer = await factories.customer(client)
    for name in ("A", "B", "C"):
        await factories.contact(client, customer["id"], lastName=name)
    text = "query ($after: String) { contacts(first: 1, after: $after) { edges { cursor node { id lastName } } } }"
    second = (await client.run(text, after=(await client.run(text))["contacts"]["edges"][0]["cursor"]))["contacts"]
    await client.change("DeleteContact", id=second["edges"][0]["node"]["id"])
    third = (await client.run(text, after=second["edges"][0]["cursor"]))["contacts"]
    assert third["edges"][0]["node"]["lastName"] == "C"


async def test_pages_are_of_twenty_unless_asked_and_of_a_hundred_at_most(client: Client) -> None:
    for _ in range(21):
        await factories.customer(client)
    assert len((await page(client))["edges"]) == 20
    assert len((await page(client, first=100))["edges"]) == 21


IMPOSSIBLE = {
    "first: 101": "first must be from 0 to 100",
    "last: 101": "last must be from 0 to 100",
    "first: -1": "first must be from 0 to 100",
    "first: 1, last: 1": "first or last, not both",
    'first: 1, before: "x"': "first with after, or last with before",
    'last: 1, after: "x"': "first with after, or last with before",
}


@on_sqlite("It is refused before the database sees it.")
async def test_every_list_refuses_pages_that_cannot_be(client: Client) -> None:
    for name in LISTS:
        for arguments, told in IMPOSSIBLE.items():
            assert await client.run(f"{{ {name}({arguments}) {{ totalCount }} }}") == {}, (name, arguments)
            assert client.codes == ["BAD_PAGE"], (name, arguments)
            assert told in client.errors[0]["message"], (name, arguments)
            assert client.errors[0]["path"] == [name]


VALUES: list[Any] = [None, 1, "x", {}, [], [1], ["x", "y"], ["x", "y", "z"], [[]], [None, None, None]]
GARBAGE: list[str] = [
    "",
    "x",
    "é",
    "=",
    "\n",
    "////",
    "____",
    "A" * 100_000,
    *(base64.urlsafe_b64encode(json.dumps(value).encode()).decode() for value in VALUES),
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


@on_sqlite("It is refused before the database sees it.")
async def test_every_list_refuses_cursors_that_are_none(client: Client) -> None:
    for name in LISTS:
        for cursor in GARBAGE:
            for side in ("after", "before"):
                text = f"query ($cursor: String) {{ {name}({side}: $cursor) {{ totalCount }} }}"
                assert await client.run(text, cursor=cursor) == {}, (name, cursor[:20])
                assert client.codes == ["BAD_CURSOR"], (name, cursor[:20])


def forged(cursor: str, *values: Any) -> str:
    """The cursor with other values."""
    signature = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[0]
    return base64.urlsafe_b64encode(json.dumps([signature, *values]).encode()).decode().rstrip("=")


async def test_a_forged_cursor_is_refused_before_the_database_sees_it(client: Client) -> None:
    await factories.contact(client)
    by_priority = "contacts(orderBy: { field: PRIORITY, direction: ASC }"
    by_time = "contacts(orderBy: { field: CREATED_AT, direction: ASC }"
    values: dict[str, list[tuple[Any, ...]]] = {
        "history(": [(2**63,), (10**30,), (1e400,), (float("nan"),), (None,), ("x",)],
        "customers(": [("a\0", "x"), ("\ud800", "x"), ("a",), ("a", "b", "c")],
        f"{by_priority}, ": [(2**31, "a", "x"), ("x", "a", "x")],
        f"{by_time}, ": [("0001-01-01T00:00:00+23:59", "x"), ("x", "x"), (5, "x")],
    }
    for call, tried in values.items():
        data = await client.run(f"{{ {call}first: 1) {{ edges {{ cursor }} }} }}")
        [edge] = next(iter(data.values()))["edges"]
        for some in tried:
            text = f"query ($cursor: String) {{ {call}after: $cursor) {{ totalCount }} }}"
            await client.run(text, cursor=forged(edge["cursor"], *some))
            assert client.codes == ["BAD_CURSOR"], (call, some)


@on_sqlite("It is refused before the database sees it.")
async def test_a_cursor_of_another_list_order_or_filter_is_refused(client: Client) -> None:
    contact = await factories.contact(client)
    await factories.note(client, contact["id"])
    ordered = "orderBy: { field: NAME, direction: ASC }"
    calls = [
        "customers",
        "contactRoles",
        "history",
        "users",
        "userRoles",
        "contacts",
        "contacts(orderBy: { field: NAME, direction: DESC })",
        "contacts(orderBy: { field: EMAIL, direction: ASC })",
        "contacts(filter: { active: true })",
        'contacts(search: "p")',
    ]
    cursors = {}
    for call in calls:
        data = await client.run(f"{{ {call} {{ edges {{ cursor }} }} }}")
        cursors[call] = next(iter(data.values()))["edges"][0]["cursor"]
    assert len(set(cursors.values())) == len(calls)
    for call in calls:
        name, _, rest = call.partition("(")
        for other, cursor in cursors.items():
            text = f"query ($cursor: String) {{ {name}(after: $cursor{', ' + rest if rest else ')'} {{ totalCount }} }}"
            await client.run(text, cursor=cursor)
            assert client.codes == ([] if call == other else ["BAD_CURSOR"]), (call, other)
    # The default order, written out, is the same order.
    text = f"query ($cursor: String) {{ contacts(after: $cursor, {ordered}) {{ totalCount }} }}"
    await client.run(text, cursor=cursors["contacts"])
    assert client.errors == []


async def test_nested_lists_are_paged_each_by_itself(client: Client) -> None:
    for name, number in (("One", 1), ("Three", 3)):
        customer = await factories.customer(client, name=name)
        for index in range(number):
            await factories.contact(client, customer["id"], lastName=f"{name} {index}")
    text = """{ customers { edges { node {
      name contacts(first: 2) { totalCount edges { cursor node { lastName } } pageInfo { hasNextPage } }
    } } } }"""
    one, three = [edge["node"]["contacts"] for edge in (await client.run(text))["customers"]["edges"]]
    assert (one["totalCount"], one["pageInfo"]["hasNextPage"]) == (1, False)
    assert (three["totalCount"], three["pageInfo"]["hasNextPage"]) == (3, True)
    assert [edge["node"]["lastName"] for edge in three["edges"]] == ["Three 0", "Three 1"]


async def test_a_customers_total_is_counted_with_its_filter(client: Client) -> None:
    contact = await factories.contact(client)
    await factories.contact(client, contact["customer"]["id"], priority=5)
    text = "{ customers { edges { node { all: contacts { totalCount } urgent: contacts(filter: { priority: 5 })"
    text += " { totalCount } none: contacts(filter: { priority: 6 }) { totalCount } } } } }"
    node = (await client.run(text))["customers"]["edges"][0]["node"]
    assert {name: part["totalCount"] for name, part in node.items()} == {"all": 2, "urgent": 1, "none": 0}


async def test_history_is_newest_first_and_can_be_read_from_both_ends(client: Client) -> None:
    text = "query ($last: Int, $first: Int, $before: String) { history(first: $first, last: $last, before: $before)"
    text += " { edges { cursor node { seq } } } }"
    newest = (await client.run(text, first=3))["history"]["edges"]
    oldest = (await client.run(text, last=3))["history"]["edges"]
    assert [edge["node"]["seq"] for edge in oldest] == [3, 2, 1]
    assert [edge["node"]["seq"] for edge in newest] == sorted((edge["node"]["seq"] for edge in newest), reverse=True)
    before = (await client.run(text, last=2, before=oldest[0]["cursor"]))["history"]["edges"]
    assert [edge["node"]["seq"] for edge in before] == [5, 4]
