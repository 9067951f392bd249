"""What the demo's office knows, and how it takes on customers and their people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from audit import Change
from models import BuiltInRole, Row
from services.demo.customers import Profile, enter, enter_locations, enter_person, enter_staff
from services.demo.fiction import Fiction
from services.demo.office import Member, Office


@dataclass
class Desk:
    """The office with its memory: customers by id, ids of synced ones, active and inactive contacts, notes,
    released and posted sales documents, which of them were emailed, and the next of their numbers.
    """

    office: Office
    fiction: Fiction
    role_ids: Sequence[str]
    order_password_hash: str
    profiles: dict[str, Profile] = field(default_factory=dict)
    synced: set[str] = field(default_factory=set)
    people: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    emailed: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(1001))

    @property
    def manager(self) -> Member:
        """Who may maintain customers."""
        return self.office.one_of(BuiltInRole.AR_MANAGER)

    def keeper(self, person: Row) -> Member:
        """Somebody who may maintain this contact."""
        if person["location_id"] is not None and self.fiction.chance(0.7):
            return self.office.one_of(BuiltInRole.LOCATION_CONTACT_EDITOR)
        return self.office.one_of(BuiltInRole.AR_CLERK, BuiltInRole.AR_MANAGER)

    def any_role(self) -> str:
        """A contact role's id."""
        return self.fiction.random.choice(self.role_ids)

    def company(self) -> str:
        """The id of a company."""
        return self.fiction.random.choice([one for one, made_up in self.profiles.items() if made_up.is_company])

    async def take_on(self, made_up: Profile) -> None:
        """Enter a new customer and its people in one request."""
        number = self.fiction.random.randrange(3) if made_up.is_company else 0

        async def work(change: Change) -> tuple[Row, list[Row]]:
            customer = await enter(change, self.fiction, made_up)
            person = await enter_person(change, customer["id"], made_up, self.role_ids)
            others = await enter_staff(change, self.fiction, customer["id"], made_up, self.role_ids, number)
            return customer, [person, *others]

        customer, people = await self.manager.act(work)
        self.profiles[customer["id"]] = made_up
        self.people += people

    async def meet_staff(self, customer_id: str, number: int) -> None:
        """Enter people who work for a known company."""
        made_up = self.profiles[customer_id]
        clerk = self.office.one_of(BuiltInRole.AR_CLERK)
        self.people += await clerk.act(
            lambda change: enter_staff(change, self.fiction, customer_id, made_up, self.role_ids, number)
        )

    async def learn_locations(self, customer_id: str) -> None:
        """Enter locations of a known company and the people there."""
        made_up = self.profiles[customer_id]
        if any(person["customer_id"] == customer_id and person["location_id"] for person in self.people):
            return
        self.people += await self.manager.act(
            lambda change: enter_locations(change, self.fiction, customer_id, made_up, self.role_ids)
        )
