"""The customers of the demo and the people there, as users enter them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from audit import Change
from models import CustomerKind, Row
from services import contacts, customers, locations
from services.demo import texts
from services.demo.fiction import Fiction, Person, email, slug


@dataclass(frozen=True)
class Profile:
    """What is made up about a customer; a private person's own contact is themself."""

    country: str
    name: str
    domain: str
    person: Person
    is_company: bool
    methods: tuple[dict[str, Any], ...]
    billing_address: dict[str, Any]


def profile(fiction: Fiction) -> Profile:
    """A customer: four of five are companies."""
    country = fiction.country()
    person = fiction.person(country)
    is_company = fiction.chance(0.8)
    name = fiction.company(country) if is_company else person.name
    domain = f"{slug(name)}.example.com" if is_company else "example.com"
    address = f"accounts@{domain}" if is_company else email(person, domain)
    methods = ({"kind": "EMAIL", "value": address}, {"kind": "PHONE", "value": fiction.phone(country)})
    return Profile(country, name, domain, person, is_company, methods, fiction.address(country))


def entered_again(made_up: Profile) -> Profile:
    """The same company as somebody enters it who does not know that it is there: a probable duplicate."""
    return replace(made_up, name=made_up.name.upper())


async def enter(change: Change, fiction: Fiction, made_up: Profile) -> Row:
    """Enter a customer."""
    given = {
        "name": made_up.name,
        "kind": CustomerKind.COMPANY if made_up.is_company else CustomerKind.PERSON,
        "methods": made_up.methods,
        "billing_address": made_up.billing_address,
        "website": f"https://www.{made_up.domain}" if made_up.is_company and fiction.chance(0.5) else None,
    }
    return await customers.create(change, given)


async def enter_person(change: Change, customer_id: str, made_up: Profile, role_ids: Sequence[str]) -> Row:
    """Enter the customer's first contact."""
    given = {
        "customer_id": customer_id,
        "first_name": made_up.person.first,
        "last_name": made_up.person.last,
        "methods": made_up.methods,
        "role_id": role_ids[0],
    }
    return await contacts.create(change, given)


async def enter_staff(
    change: Change, fiction: Fiction, customer_id: str, made_up: Profile, role_ids: Sequence[str], number: int
) -> list[Row]:
    """Enter so many people who work for a company."""
    return [await contacts.create(change, _employee(fiction, customer_id, made_up, role_ids)) for _ in range(number)]


async def enter_locations(
    change: Change, fiction: Fiction, customer_id: str, made_up: Profile, role_ids: Sequence[str]
) -> list[Row]:
    """Enter one to three locations of a company with a contact each: the contacts."""
    people = []
    for name in fiction.random.sample(texts.LOCATIONS, fiction.random.randint(1, 3)):
        place = {"customer_id": customer_id, "name": name, "address": fiction.address(made_up.country)}
        location = await locations.create(change, place)
        given = {**_employee(fiction, customer_id, made_up, role_ids), "location_id": location["id"]}
        people.append(await contacts.create(change, given))
    return people


def _employee(fiction: Fiction, customer_id: str, made_up: Profile, role_ids: Sequence[str]) -> dict[str, Any]:
    person = fiction.person(made_up.country)
    methods = [{"kind": "EMAIL", "value": email(person, made_up.domain)}]
    if fiction.chance(0.7):
        kind = "MOBILE" if fiction.chance(0.4) else "PHONE"
        methods.append({"kind": kind, "value": fiction.phone(made_up.country)})
    return {
        "customer_id": customer_id,
        "first_name": person.first,
        "last_name": person.last,
        "title": fiction.random.choice(texts.TITLES) if fiction.chance(0.8) else None,
        "role_id": fiction.random.choice(role_ids) if fiction.chance(0.8) else None,
        "priority": fiction.random.randint(1, 5) if fiction.chance(0.3) else None,
        "methods": methods,
    }
