"""Who gets which email and who may use the portal, said a second time: as tables, apart from the product."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

ROLES: Mapping[str | None, frozenset[str]] = {
    None: frozenset(),
    "neither": frozenset(),
    "presentment": frozenset({"presentment"}),
    "communication": frozenset({"communication"}),
    "both": frozenset({"presentment", "communication"}),
}
# Kind → the designation that brings it, and whether there is a switch.
KINDS: Mapping[str, tuple[str, bool]] = {
    "INVOICE": ("presentment", True),
    "CREDIT_NOTE": ("presentment", True),
    "ESTIMATE": ("presentment", True),
    "REMINDER": ("communication", False),
    "WORKFLOW_REMINDER": ("communication", False),
    "STATEMENT": ("communication", False),
    "TICKET": ("communication", True),
    "PROJECT": ("communication", True),
    "CONTRACT": ("communication", True),
    "TASK": ("communication", True),
}
SWITCHED = tuple(kind for kind, (_, switched) in KINDS.items() if switched)
EMAILS = ("good", "bounces", None)
PLACES = (None, "here", "there")


@dataclass(frozen=True)
class Person:
    """A contact; `role` is a key of ROLES, `email` one of EMAILS, `place` its location."""

    role: str | None = "both"
    own: Mapping[str, bool] = field(default_factory=dict)
    active: bool = True
    email: str | None = "good"
    place: str | None = None


@dataclass(frozen=True)
class World:
    """What is the same for all contacts of a customer; `place` is that of the sales document."""

    customer_active: bool = True
    everywhere: Mapping[str, bool] = field(default_factory=lambda: dict.fromkeys(SWITCHED, True))
    place: str | None = None


def _on(kind: str, person: Person, world: World) -> bool:
    return person.own.get(kind, world.everywhere[kind])


Holds = Callable[[str, Person, World], bool]
_FOR = ("DESIGNATED", "SWITCHED_ON")
_REASONS: Mapping[str, Holds] = {
    "DESIGNATED": lambda kind, person, world: KINDS[kind][0] in ROLES[person.role],
    "SWITCHED_ON": lambda kind, person, world: kind in SWITCHED and _on(kind, person, world),
    "NO_ROLE": lambda kind, person, world: person.role is None,
    "NOT_DESIGNATED": lambda kind, person, world: person.role is not None and KINDS[kind][0] not in ROLES[person.role],
    "SWITCHED_OFF": lambda kind, person, world: kind in SWITCHED and not _on(kind, person, world),
    "CUSTOMER_INACTIVE": lambda kind, person, world: not world.customer_active,
    "INACTIVE": lambda kind, person, world: not person.active,
    "OTHER_LOCATION": lambda kind, person, world: (person.place, world.place) in (("here", "there"), ("there", "here")),
    "NO_EMAIL": lambda kind, person, world: person.email is None,
    "EMAIL_PROBLEM": lambda kind, person, world: person.email == "bounces",
}


def reasons(kind: str, person: Person, world: World) -> list[str]:
    """Every reason for and against."""
    return [name for name, holds in _REASONS.items() if holds(kind, person, world)]


def gets(kind: str, person: Person, world: World) -> bool:
    """Whether the person gets the email."""
    return all(reason in _FOR for reason in reasons(kind, person, world))


# In effect for the customer today: whether the portal is on, and whether online payments are possible.
def portal_reasons(person: Person, world: World, audience: str, *, portal: bool, payments: bool) -> list[str]:
    """Every reason for and against using the portal."""
    communicates = "communication" in ROLES[person.role]
    table = {
        "ALL_CONTACTS": audience == "ALL_CONTACTS",
        "COMMUNICATION_CONTACT": audience == "COMMUNICATION_CONTACTS" and communicates,
        "NO_COMMUNICATION_CONTACT": audience == "COMMUNICATION_CONTACTS" and not communicates,
        "PORTAL_OFF": not portal,
        "ONLINE_PAYMENTS_DISABLED": not payments,
        "CUSTOMER_INACTIVE": not world.customer_active,
        "INACTIVE": not person.active,
        "NO_EMAIL": person.email is None,
    }
    return [name for name, holds in table.items() if holds]


def everybody() -> Iterator[Person]:
    """Every combination, with all switches of one's own on, off, or inherited."""
    own: list[dict[str, bool]] = [{}, dict.fromkeys(SWITCHED, True), dict.fromkeys(SWITCHED, False)]
    for role, switches, active, email, place in itertools.product(ROLES, own, (True, False), EMAILS, PLACES):
        yield Person(role, switches, active, email, place)


def switches(**how: Any) -> st.SearchStrategy[dict[str, bool]]:
    """Some switches, on or off."""
    return st.dictionaries(st.sampled_from(SWITCHED), st.booleans(), **how)


def people() -> st.SearchStrategy[Person]:
    """Contacts of all sorts, of whom many get something."""
    often = st.sampled_from([True, True, True, False])
    return st.builds(
        Person,
        role=st.sampled_from(list(ROLES)),
        own=switches(),
        active=often,
        email=st.sampled_from(["good", "good", *EMAILS]),
        place=st.sampled_from(PLACES),
    )


def worlds() -> st.SearchStrategy[World]:
    """Customers and settings of all sorts."""
    return st.builds(
        World,
        customer_active=st.sampled_from([True, True, False]),
        everywhere=switches(min_size=len(SWITCHED)),
        place=st.sampled_from(PLACES),
    )
