"""Who gets which email: the decision, and what is said when nobody is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import CommunicationKind, PortalAudience, RecipientWarningCode
from models.portal import portal_access
from models.recipient import Decision, decide, warning
from tests.models import recipient_oracle as oracle
from tests.models.recipient_oracle import ROLES, Person, World

TODAY = date(2026, 3, 14)


def rows(person: Person, world: World) -> dict[str, Any]:
    """Customer, contact and role, as the tables have them."""
    designations = ROLES[person.role]
    return {
        "customer": {"active": world.customer_active},
        "contact": {
            "first_name": "Grace",
            "last_name": "Hopper",
            "methods": [],
            "location_id": person.place,
            "active": person.active,
            "email": None if person.email is None else "grace@example.com",
            "email_problem": {"address": "grace@example.com"} if person.email == "bounces" else None,
            "notifications": dict(person.own) or None,
        },
        "role": None
        if person.role is None
        else {"invoice_presentment": "presentment" in designations, "communication": "communication" in designations},
    }


def decided(kind: str, person: Person, world: World) -> Decision:
    notifications, place = world.everywhere, world.place
    return decide(CommunicationKind(kind), **rows(person, world), notifications=notifications, location_id=place)


def same(kind: str, person: Person, world: World) -> None:
    decision = decided(kind, person, world)
    assert [reason.value for reason in decision.reasons] == oracle.reasons(kind, person, world)
    assert decision.included == oracle.gets(kind, person, world)


def test_the_decision_is_that_of_the_table_for_every_combination() -> None:
    for customer_active in (True, False):
        for on in (True, False):
            for place in oracle.PLACES:
                world = World(customer_active, dict.fromkeys(oracle.SWITCHED, on), place)
                for person in oracle.everybody():
                    for kind in oracle.KINDS:
                        same(kind, person, world)


@given(kind=st.sampled_from(list(oracle.KINDS)), person=oracle.people(), world=oracle.worlds())
def test_each_switch_counts_for_its_own_kind_only(kind: str, person: Person, world: World) -> None:
    same(kind, person, world)


@given(person=oracle.people(), world=oracle.worlds(), kind=st.sampled_from(["WELCOME", "SET_PASSWORD"]))
def test_what_is_about_the_contact_asks_for_no_role_and_no_switch(person: Person, world: World, kind: str) -> None:
    decision = decided(kind, person, world)
    expected = oracle.reasons("REMINDER", person, world)
    against = [reason for reason in expected if reason not in ("DESIGNATED", "NOT_DESIGNATED", "NO_ROLE")]
    assert [reason.value for reason in decision.reasons] == [*against, "ABOUT_THE_CONTACT"]
    assert decision.included == (not against)


@given(
    person=oracle.people(),
    world=oracle.worlds(),
    audience=st.sampled_from(PortalAudience),
    portal=st.booleans(),
    enabled=st.booleans(),
    until=st.sampled_from([None, "2026-03-13", "2026-03-14", "2026-03-15"]),
)
def test_portal_access_is_that_of_the_table(
    person: Person, world: World, audience: PortalAudience, portal: bool, enabled: bool, until: str | None
) -> None:
    payments = {"enabled": enabled, "disabled_until": None if enabled else until}
    preferences = {"customer_portal": portal, "online_payments": payments}
    access = portal_access(**rows(person, world), preferences=preferences, audience=audience, today=TODAY)
    possible = enabled or until in ("2026-03-13", "2026-03-14")
    expected = oracle.portal_reasons(person, world, audience.value, portal=portal, payments=possible)
    assert [reason.value for reason in access.reasons] == expected
    assert access.allowed == (expected in (["ALL_CONTACTS"], ["COMMUNICATION_CONTACT"]))


@given(persons=st.lists(oracle.people(), max_size=5), world=oracle.worlds(), kind=st.sampled_from(list(oracle.KINDS)))
def test_there_is_a_warning_when_and_only_when_nobody_is_left(persons: list[Person], world: World, kind: str) -> None:
    found = warning([decided(kind, person, world) for person in persons])
    assert (found is None) == any(oracle.gets(kind, person, world) for person in persons)
    if found is not None:
        assert found.message.startswith("Nobody gets this email")
        only = [person for person in persons if oracle.reasons(kind, person, world) == ["DESIGNATED", "SWITCHED_OFF"]]
        assert (found.code is RecipientWarningCode.SOLE_CONTACT_SWITCHED_OFF) == (len(only) == 1)


OFF = {"INVOICE": False}


@pytest.mark.parametrize(
    ("persons", "world", "code", "message"),
    [
        ([], World(), "NO_CONTACT", "Nobody gets this email: the customer has no contacts. Add one with a role."),
        (
            [Person()],
            World(customer_active=False),
            "CUSTOMER_INACTIVE",
            "Nobody gets this email: the customer is inactive.",
        ),
        (
            [Person(own=OFF), Person(role=None)],
            World(),
            "SOLE_CONTACT_SWITCHED_OFF",
            "Nobody gets this email: Grace Hopper would be the only recipient, and has the notification switched off.",
        ),
        (
            [Person(own=OFF), Person(own=OFF), Person(role=None, email=None), Person(role="communication")],
            World(),
            "NO_RECIPIENT",
            (
                "Nobody gets this email. Of 4 contacts, 1 has no role, 1 has a role without this designation, 2 have"
                " the notification switched off, 1 has no email address."
            ),
        ),
        (
            [Person(active=False, email="bounces", place="there")],
            World(place="here"),
            "NO_RECIPIENT",
            (
                "Nobody gets this email: the only contact, Grace Hopper, is inactive and belongs to another location"
                " and has an address that bounces."
            ),
        ),
    ],
)
def test_a_warning_says_why(persons: Sequence[Person], world: World, code: str, message: str) -> None:
    found = warning([decided("INVOICE", person, world) for person in persons])
    assert found is not None
    assert (found.code.value, found.message) == (code, message)
