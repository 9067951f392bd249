"""The list of all contacts across customers: filters, search, orders, and pages in both directions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import Change, Request, transact
from models import text
from services import contact_roles, contacts, customers, locations
from tests import factories
from tests.client import Client
from tests.factories import QUICKBOOKS
from tests.resolvers.documents import UPDATE_CONTACT

pytestmark = pytest.mark.anyio

Person = dict[str, Any]
Page = dict[str, Any]

CONTACTS = """query (
  $first: Int, $after: String, $last: Int, $before: String
  $filter: ContactFilter, $search: String, $orderBy: ContactOrder
) {
  contacts(
    first: $first, after: $after, last: $last, before: $before, filter: $filter, search: $search, orderBy: $orderBy
  ) {
    totalCount
    edges { cursor node {
      id firstName lastName title email priority active level createdAt customer { id } origin { kind }
      role { id invoicePresentment communication } methods { value }
    } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""

# Names that sort and match in ways that databases disagree about.
NAMES = [
    ("Eva", "Quinn"),
    ("eva", "QUINN"),
    ("Éva", "Quinn"),
    ("Zoë", None),
    (None, "Straße"),
    (None, "STRASSE"),
    (None, "strasse 2"),
    ("Ørjan", "Ångström"),
    ("\uff21da", "Fullwidth"),
    ("100%", "Under_score"),
    ("Back", "slash\\"),
    ("李", "雷"),
    ("🦊", "Fox"),
    (None, None),
]


async def fill(change: Change) -> None:
    """Contacts of all kinds at three customers."""
    roles = [
        (await contact_roles.create(change, {"name": name, **designations}))["id"]
        for name, designations in (
            ("Both", {"invoice_presentment": True, "communication": True}),
            ("Invoices", {"invoice_presentment": True}),
            ("Neither", {}),
        )
    ]
    owners = [(await customers.create(change, {"name": f"Customer {number}"}))["id"] for number in range(3)]
    places = [(await locations.create(change, {"customer_id": owner, "name": "Mill"}))["id"] for owner in owners]
    for number in range(3 * len(NAMES)):
        first_name, last_name = NAMES[number % len(NAMES)]
        at = number % 3
        synced = {"origin_system": "QUICKBOOKS_ONLINE", "origin_external_id": str(number)} if number % 4 == 0 else {}
        methods = [{"kind": "EMAIL", "value": f"p{number * 7 % 40:02}@{'Ü' if number % 2 else 'u'}.example.com"}]
        await contacts.create(
            change,
            {
                "customer_id": owners[at],
                "location_id": places[at] if number % 5 == 0 else None,
                "first_name": first_name,
                "last_name": last_name,
                "title": "Chief Accountant" if number % 6 == 0 else None,
                "priority": None if number % 3 == 0 else number % 4,
                "role_id": [*roles, None][number % 4],
                "active": number % 7 != 3,
                "methods": methods if number % 8 or last_name is None else [],
                **synced,
            },
        )


@pytest.fixture
async def people(client: Client) -> list[Person]:
    """All contacts as they are listed by default."""
    await transact(QUICKBOOKS, Request.new(), fill)
    return nodes(await listed(client, first=100))


async def listed(client: Client, **variables: Any) -> Page:
    data = await client.run(CONTACTS, **variables)
    assert client.errors == []
    page = data["contacts"]
    assert isinstance(page, dict)
    return page


def nodes(page: Page) -> list[Person]:
    return [edge["node"] for edge in page["edges"]]


def name_key(person: Person) -> str:
    """Last name first, or else the email address: whatever the case and the form of letters."""
    names = [part for part in (person["lastName"], person["firstName"]) if part]
    return text.key(" ".join(names) or person["email"] or "")


ORDERS: dict[str, Callable[[Person], Any]] = {
    "NAME": lambda person: (name_key(person), person["id"]),
    "EMAIL": lambda person: (text.key(person["email"] or ""), person["id"]),
    "PRIORITY": lambda person: (
        person["priority"] is None,
        person["priority"] or 0,
        name_key(person),
        person["id"],
    ),
    "CREATED_AT": lambda person: (person["createdAt"], person["id"]),
}

FILTERS: dict[str, tuple[Any, Callable[[Person], bool]]] = {
    "hasRole": (True, lambda person: person["role"] is not None),
    "invoicePresentment": (True, lambda person: bool(person["role"] and person["role"]["invoicePresentment"])),
    "communication": (False, lambda person: not (person["role"] and person["role"]["communication"])),
    "origin": ("SYNCED", lambda person: person["origin"]["kind"] == "SYNCED"),
    "level": ("LOCATION", lambda person: person["level"] == "LOCATION"),
    "active": (True, lambda person: bool(person["active"])),
    "priority": (1, lambda person: person["priority"] == 1),
}

OPPOSITE = {
    "hasRole": False,
    "invoicePresentment": False,
    "communication": True,
    "origin": "LOCAL",
    "level": "CUSTOMER",
    "active": False,
}


async def test_contacts_come_by_name_unless_another_order_is_asked_for(client: Client, people: list[Person]) -> None:
    assert people == sorted(people, key=ORDERS["NAME"])
    assert len({person["customer"]["id"] for person in people}) == 3
    for order, key in ORDERS.items():
        for direction in ("ASC", "DESC"):
            page = await listed(client, first=100, orderBy={"field": order, "direction": direction})
            assert nodes(page) == sorted(people, key=key, reverse=direction == "DESC"), (order, direction)


async def test_filters_choose_contacts_each_and_together(client: Client, people: list[Person]) -> None:
    for number in (1, 2, 3):
        for names in combinations(FILTERS, number):
            page = await listed(client, first=100, filter={name: FILTERS[name][0] for name in names})
            expected = [person for person in people if all(FILTERS[name][1](person) for name in names)]
            assert nodes(page) == expected, names
            assert page["totalCount"] == len(expected)
    for name, value in OPPOSITE.items():
        page = await listed(client, first=100, filter={name: value})
        assert nodes(page) == [person for person in people if not FILTERS[name][1](person)], name
        assert page["edges"]


async def test_contacts_of_one_customer_or_one_role_are_found(client: Client, people: list[Person]) -> None:
    one = people[0]
    page = await listed(client, first=100, filter={"customerId": one["customer"]["id"]})
    assert nodes(page) == [person for person in people if person["customer"] == one["customer"]]
    role = next(person["role"]["id"] for person in people if person["role"])
    page = await listed(client, first=100, filter={"roleId": role, "customerId": None})
    assert nodes(page) == [person for person in people if person["role"] and person["role"]["id"] == role]


# What is searched for, the last names that are found, and how many of the people in NAMES have them.
SEARCHES: list[tuple[str, list[str]]] = [
    ("quinn", ["QUINN", "Quinn", "Quinn"]),
    ("  EVA   quinn ", ["QUINN", "Quinn", "Quinn"]),
    ("quinn éva", ["QUINN", "Quinn", "Quinn"]),
    ("inn ev", ["QUINN", "Quinn", "Quinn"]),
    ("quinn nobody", []),
    ("STRASSE", ["STRASSE", "Straße", "strasse 2"]),
    ("straß", ["STRASSE", "Straße", "strasse 2"]),
    ("ada", ["Fullwidth"]),
    ("100%", ["Under_score"]),
    ("%", ["Under_score"]),
    ("_", ["Under_score"]),
    ("\\", ["slash\\"]),
    ("雷", ["雷"]),
    ("🦊", ["Fox"]),
    ("ångström", ["Ångström"]),
    ("angstrom orjan", ["Ångström"]),
    ("zoe", [""]),
    ("100% under_", ["Under_score"]),
    ("100_", []),
    ("1%0", []),
    ('"quinn"', []),
    ("quinn*", []),
    ("quinn OR nobody", []),
    ("search_key : quinn", []),
    ("'; DROP TABLE contact; --", []),
    ("nobody", []),
]


async def test_search_ignores_case_and_forms_of_letters(client: Client, people: list[Person]) -> None:
    for search, found in SEARCHES:
        page = await listed(client, first=100, search=search)
        assert sorted({person["lastName"] or "" for person in nodes(page)}) == sorted(set(found)), search
        assert page["totalCount"] == 3 * len(found), search


async def test_search_finds_titles_and_methods_and_goes_with_filters(client: Client, people: list[Person]) -> None:
    for search, expected in (
        ("chief acc", [person for person in people if person["title"]]),
        ("P07@", [person for person in people if (person["email"] or "").startswith("p07@")]),
        (" \t", people),
        ("", people),
    ):
        assert nodes(await listed(client, first=100, search=search)) == expected
    page = await listed(client, first=100, search="chief", filter={"active": True, "origin": "SYNCED"})
    assert nodes(page) == [
        person for person in people if person["title"] and person["active"] and person["origin"]["kind"] == "SYNCED"
    ]


async def test_search_has_a_limit(client: Client) -> None:
    await listed(client, search="x" * 200)
    await client.run(CONTACTS, search="x" * 60_000)
    assert client.codes == ["BAD_REQUEST"]
    assert client.errors[0]["message"] == "search: use at most 200 characters."


async def test_a_changed_contact_is_found_by_what_it_is_now(client: Client) -> None:
    contact = await factories.contact(client, lastName="Quinn", methods=[{"kind": "OTHER", "value": "Signal: @eva"}])
    assert nodes(await listed(client, search="@eva"))
    methods = [{"kind": "PHONE", "value": "+14155550101"}]
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "lastName": "Quick", "methods": methods})
    for search in ("quinn", "@eva"):
        assert not nodes(await listed(client, search=search))
    for search in ("quick", "4155550101"):
        assert len(nodes(await listed(client, search=search))) == 1


async def test_a_page_holds_20_unless_it_says_otherwise(client: Client, people: list[Person]) -> None:
    assert nodes(await listed(client)) == people[:20]
    empty = await listed(client, first=0)
    assert (empty["edges"], empty["totalCount"]) == ([], len(people))
    assert empty["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    last = await listed(client, last=3)
    assert nodes(last) == people[-3:]
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 45),
    order=st.sampled_from(sorted(ORDERS)),
    direction=st.sampled_from(["ASC", "DESC"]),
    backward=st.booleans(),
    filter=st.dictionaries(st.sampled_from(["active", "level", "origin"]), st.none(), max_size=2),
    search=st.sampled_from([None, "e", "quinn"]),
)
async def test_pages_join_to_the_whole_list_in_order(
    client: Client,
    people: list[Person],
    size: int,
    order: str,
    direction: str,
    backward: bool,
    filter: dict[str, None],
    search: str | None,
) -> None:
    wanted = {
        "filter": {name: FILTERS[name][0] for name in filter},
        "search": search,
        "orderBy": {"field": order, "direction": direction},
    }
    whole = nodes(await listed(client, first=100, **wanted))
    assert whole == sorted(whole, key=ORDERS[order], reverse=direction == "DESC")
    first, after, more, end = (
        ("last", "before", "hasPreviousPage", "startCursor")
        if backward
        else ("first", "after", "hasNextPage", "endCursor")
    )
    pages: list[list[Person]] = []
    cursor = None
    while True:
        page = await listed(client, **wanted, **{first: size, after: cursor})
        assert page["totalCount"] == len(whole)
        pages.append(nodes(page))
        cursor = page["pageInfo"][end]
        if not page["pageInfo"][more]:
            break
        assert len(pages[-1]) == size
    if backward:
        pages.reverse()
    assert [person for page in pages for person in page] == whole


async def test_a_page_goes_on_where_it_ended_although_the_list_has_changed(
    client: Client, people: list[Person]
) -> None:
    page = await listed(client, first=10)
    await client.change(UPDATE_CONTACT, input={"id": people[3]["id"], "title": "Still there"})
    await factories.contact(client, people[0]["customer"]["id"], lastName="AAA first")
    rest = await listed(client, first=100, after=page["pageInfo"]["endCursor"])
    assert [person["id"] for person in nodes(rest)] == [person["id"] for person in people[10:]]


async def test_contacts_of_customers_and_roles_are_filtered_searched_and_ordered_too(
    client: Client, people: list[Person]
) -> None:
    document = """query ($id: ID!) { customer(id: $id) {
      contacts(first: 50, search: "quinn", filter: {active: true}, orderBy: {field: NAME, direction: DESC}) {
        totalCount edges { node { id } } } } }"""
    owner = people[0]["customer"]
    data = await client.run(document, id=owner["id"])
    expected = [
        person["id"]
        for person in reversed(people)
        if person["customer"] == owner and person["active"] and "quinn" in name_key(person)
    ]
    assert [edge["node"]["id"] for edge in data["customer"]["contacts"]["edges"]] == expected
    assert data["customer"]["contacts"]["totalCount"] == len(expected)

    document = "{ contactRoles(first: 9) { edges { node { name contactCount contacts(first: 50) { totalCount } } } } }"
    for edge in (await client.run(document))["contactRoles"]["edges"]:
        assert edge["node"]["contacts"]["totalCount"] == edge["node"]["contactCount"]


async def test_the_operation_of_front_ends_answers(client: Client, people: list[Person]) -> None:
    page = (
        await client.run(
            "AllContacts",
            first=5,
            search="EVA",
            filter={"active": True},
            orderBy={"field": "PRIORITY", "direction": "DESC"},
        )
    )["contacts"]
    expected = [person for person in people if person["active"] and text.folded(person["firstName"] or "") == "eva"]
    assert page["totalCount"] == len(expected)
    assert [edge["node"]["id"] for edge in page["edges"]] == [
        person["id"] for person in sorted(expected, key=ORDERS["PRIORITY"], reverse=True)[:5]
    ]
