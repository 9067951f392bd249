"""Who gets which email, from rows and in SQL, on real databases: always what the table says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import Change
from models import (
    CommunicationKind,
    Contact,
    ContactRole,
    Customer,
    Database,
    Location,
    PortalAudience,
    Preferences,
    Row,
    Settings,
    clock,
)
from models.portal_rows import portal_accesses
from models.preferences import SETTINGS_ID, preferences_id
from models.recipient_conditions import has_no_recipient_for, receives
from models.recipient_rows import decisions, decisions_of_contacts
from services import defaults
from tests.audit.rows import by_ada, email
from tests.audit.rows import defaults as values
from tests.client import observed
from tests.models import recipient_oracle as oracle
from tests.models.recipient_oracle import ROLES, SWITCHED, Person, World

pytestmark = pytest.mark.anyio

ON = dict.fromkeys(SWITCHED, True)
EVERYBODY = list(oracle.everybody())
PROBLEM = {"address": "ada@example.com", "at": "2026-01-01T00:00:00+00:00", "reply": "550", "delivery_id": None}

# Customers that a test has made, with what the table is to say about them.
Made = list[tuple[str, World, list[tuple[str, Person]], str]]


async def set_everywhere(**fields: Any) -> None:
    """What holds for all customers."""
    await defaults.ensure()
    await by_ada(lambda change: _settings(change, fields))


async def _settings(change: Change, fields: Row) -> None:
    await change.update(Settings, await change.get(Settings, SETTINGS_ID), fields)


async def make(groups: Sequence[tuple[bool, Sequence[Person]]]) -> Made:
    """A customer for each group, active or not, with these contacts; with it, the id of the location “here”."""
    return (await by_ada(lambda change: _make(change, groups)))[0]


async def _make(change: Change, groups: Sequence[tuple[bool, Sequence[Person]]]) -> Made:
    roles: dict[str | None, str | None] = {None: None}
    for name, designations in ROLES.items():
        if name is not None:
            designated = {
                of: of.removeprefix("invoice_") in designations for of in ("invoice_presentment", "communication")
            }
            roles[name] = (await change.insert(ContactRole, {**values(ContactRole), **designated}))["id"]
    made: Made = []
    for active, persons in groups:
        customer = await change.insert(Customer, {**values(Customer), "active": active})
        of = {"customer_id": customer["id"]}
        places: dict[str | None, str | None] = {None: None}
        for place in ("here", "there"):
            places[place] = (await change.insert(Location, {**values(Location), **of}))["id"]
        found = [((await change.insert(Contact, {**of, **_contact(one, roles, places)}))["id"], one) for one in persons]
        made.append((customer["id"], World(customer_active=active), found, str(places["here"])))
    return made


def _contact(person: Person, roles: dict[str | None, str | None], places: dict[str | None, str | None]) -> Row:
    return {
        **values(Contact),
        "role_id": roles[person.role],
        "location_id": places[person.place],
        "active": person.active,
        "methods": [] if person.email is None else [email("ada@example.com")],
        "email_problem": PROBLEM if person.email == "bounces" else None,
        "notifications": dict(person.own) or None,
    }


async def check(database: Database, made: Made, everywhere: dict[str, bool]) -> None:
    """Rows and SQL say the same as the table, for each kind."""
    customers = [customer_id for customer_id, *_ in made]
    contacts = [contact_id for _, _, persons, _ in made for contact_id, _ in persons]
    of_contacts = dict(zip(contacts, await decisions_of_contacts(contacts), strict=True))
    for kind in oracle.KINDS:
        wanted = CommunicationKind(kind)
        for place in (None, "here"):
            at = {customer_id: here for customer_id, _, _, here in made if place is not None}
            found = await decisions(customers, wanted, at)
            for (customer_id, world, persons, _), some in zip(made, found, strict=True):
                world = replace(world, everywhere=everywhere, place=place)
                assert {one.contact["id"]: [reason.value for reason in one.reasons] for one in some} == {
                    contact_id: oracle.reasons(kind, person, world) for contact_id, person in persons
                }, customer_id
        included, without = set(), set()
        for customer_id, world, persons, _ in made:
            getting = {
                one for one, person in persons if oracle.gets(kind, person, replace(world, everywhere=everywhere))
            }
            included |= getting
            without |= set() if getting else {customer_id}
        assert {one for one in contacts if _included(of_contacts[one], wanted)} == included
        assert await matching(database, "contact", receives(wanted), contacts) == included
        assert await matching(database, "customer", has_no_recipient_for(wanted), customers) == without


def _included(some: Sequence[Any], kind: CommunicationKind) -> bool:
    [decision] = [one for one in some if one.kind is kind]
    return bool(decision.included)


async def matching(database: Database, table: str, condition: Any, ids: Sequence[str]) -> set[str]:
    """Which of these rows fit the condition of a list."""
    sql = f"SELECT t.id FROM {table} t WHERE {database.member('t.id')} AND {condition.sql}"
    return {row["id"] for row in await database.fetch(sql, database.array(list(ids)), *condition.args)}


async def test_rows_and_sql_agree_with_the_table_for_every_combination(database: Database) -> None:
    await set_everywhere()
    alone = [person for person in EVERYBODY if person.place is None]
    groups = [(active, [person]) for active in (True, False) for person in alone]
    groups += [(active, EVERYBODY) for active in (True, False)] + [(True, []), (False, [])]
    made = await make(groups)
    await check(database, made, ON)
    await set_everywhere(notifications=dict.fromkeys(SWITCHED, False))
    await check(database, made, dict.fromkeys(SWITCHED, False))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(st.tuples(st.booleans(), st.lists(oracle.people(), max_size=4)), min_size=1, max_size=6),
    everywhere=oracle.switches(min_size=len(SWITCHED)),
)
async def test_rows_and_sql_agree_with_the_table_whatever_the_switches(
    database: Database, groups: list[tuple[bool, list[Person]]], everywhere: dict[str, bool]
) -> None:
    await set_everywhere(notifications=everywhere)
    await check(database, await make(groups), everywhere)


@pytest.mark.parametrize("audience", PortalAudience)
async def test_portal_access_of_rows_is_that_of_the_table(database: Database, audience: PortalAudience) -> None:
    chance = random.Random(7)
    possible = {"enabled": True, "disabled_until": None}
    today = clock.now().date().isoformat()
    choices = [
        *((None, True), (possible, True)),
        *(({"enabled": False, "disabled_until": until}, False) for until in (None, "9999-12-31")),
        ({"enabled": False, "disabled_until": today}, True),
    ]
    allowed = set()
    for everywhere in (True, False):
        payments = {"enabled": everywhere, "disabled_until": None}
        await set_everywhere(customer_portal=everywhere, online_payments=payments, portal_access=audience.value)
        made = await make([(chance.random() < 0.7, [person]) for person in chance.sample(EVERYBODY, 120)])
        own = [(chance.choice([None, True, False]), *chance.choice(choices)) for _ in made]
        await by_ada(partial(_override, made, own))
        expected = []
        for (_, world, [(_, person)], _), (portal, own_payments, pays) in zip(made, own, strict=True):
            portal, pays = (everywhere if portal is None else portal), (everywhere if own_payments is None else pays)
            expected.append(oracle.portal_reasons(person, world, audience.value, portal=portal, payments=pays))
        found = await portal_accesses([contact_id for _, _, [(contact_id, _)], _ in made])
        assert [[reason.value for reason in access.reasons] for access in found] == expected
        allowed |= {access.allowed for access in found}
    assert allowed == {True, False}


async def _override(made: Made, own: Sequence[tuple[bool | None, Row | None, bool]], change: Change) -> None:
    for (customer_id, *_), (portal, payments, _) in zip(made, own, strict=True):
        fields = {"customer_portal": portal, "online_payments": payments}
        await change.insert(Preferences, {"id": preferences_id(customer_id), "customer_id": customer_id, **fields})


async def test_reading_takes_two_statements_in_a_transaction_or_outside_of_one(database: Database) -> None:
    await set_everywhere()
    made = await make([(True, [Person()] * number) for number in (0, 1, 9)])
    ids = [customer_id for customer_id, *_ in made]
    kind = CommunicationKind.INVOICE
    with observed(database) as seen:
        outside = await decisions(ids, kind)
        assert len(seen) == 2
        await decisions_of_contacts([made[1][2][0][0]])
        assert len(seen) == 4
        await portal_accesses([contact_id for contact_id, _ in made[2][2]])
        assert len(seen) == 5
    assert [len(some) for some in outside] == [0, 1, 9]

    async def inside(change: Change) -> list[list[Any]]:
        return await decisions(ids, kind)

    assert (await by_ada(inside))[0] == outside


async def test_contacts_come_primary_first_then_by_name_with_their_role(database: Database) -> None:
    await set_everywhere()
    [(customer_id, _, persons, _)] = await make([(True, [Person()] * 3)])
    names = ["Zoe", "Alma", "Mia"]

    async def rename(change: Change) -> None:
        for (contact_id, _), name in zip(persons, names, strict=True):
            row = await change.get(Contact, contact_id)
            await change.update(Contact, row, {"last_name": name, "primary": name == "Mia"})

    await by_ada(rename)
    [found] = await decisions([customer_id], CommunicationKind.STATEMENT)
    assert [one.contact["last_name"] for one in found] == ["Mia", "Alma", "Zoe"]
    assert found[0].contact["methods"] == [email("ada@example.com")]
    assert found[0].role is not None
    assert found[0].role["id"] == found[0].contact["role_id"]
    assert found[0].role["name"].startswith("Contact role")


async def test_who_is_gone_gets_nothing(database: Database) -> None:
    await set_everywhere()
    gone = "con_01kwef3q8seemv6gzaf2w8kdhe"
    assert await decisions(["cus_01kwef3q8seemv6gzaf2w8kdhe"], CommunicationKind.TASK) == [[]]
    assert await decisions_of_contacts([gone]) == [[]]
    [access] = await portal_accesses([gone])
    assert not access.allowed
