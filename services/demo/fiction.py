"""Made-up companies, people, addresses and phone numbers, the same ones each time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from faker import Faker

SEED = 1494  # the year of Pacioli's Summa, which made double entry known

_LOCALES = {"US": "en_US", "GB": "en_GB", "DE": "de_DE", "FR": "fr_FR"}
_SHARES = {"US": 60, "GB": 20, "DE": 12, "FR": 8}
_AREAS = ("212", "312", "415", "503", "512", "617", "206", "303")

# Ranges that numbering authorities keep for fiction.
_PHONES: dict[str, Callable[[Random], str]] = {
    "US": lambda random: f"+1{random.choice(_AREAS)}55501{random.randrange(100):02}",
    "GB": lambda random: f"+442079460{random.randrange(1000):03}",
    "DE": lambda random: f"+493023125{random.randrange(1000):03}",
    "FR": lambda random: f"+3319900{random.randrange(10_000):04}",
}


@dataclass(frozen=True)
class Person:
    """Somebody with a name."""

    first: str
    last: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


class Fiction:
    """The source of all that is made up; `random` decides everything else, too."""

    def __init__(self) -> None:
        self._fakers = {country: Faker(locale) for country, locale in _LOCALES.items()}
        for number, faker in enumerate(self._fakers.values()):
            faker.seed_instance(SEED + number)
        self.random: Random = self._fakers["US"].random
        self._names: set[str] = set()

    def country(self) -> str:
        """The country of a customer."""
        return self.random.choices(list(_SHARES), list(_SHARES.values()))[0]

    def company(self, country: str) -> str:
        """A company's name, never the same twice."""
        return self._new(self._fakers[country].company)

    def person(self, country: str) -> Person:
        """A person, never two of the same name."""
        faker = self._fakers[country]
        first, _, last = self._new(lambda: f"{faker.first_name()}|{faker.last_name()}").partition("|")
        return Person(first, last)

    def address(self, country: str) -> dict[str, Any]:
        """An address as `values.address` takes it."""
        faker = self._fakers[country]
        return {
            "lines": faker.street_address().splitlines(),
            "city": faker.city(),
            "region": faker.state_abbr() if country == "US" else None,
            "postal_code": faker.postcode(),
            "country": country,
        }

    def phone(self, country: str) -> str:
        """A phone number in E.164."""
        return _PHONES[country](self.random)

    def chance(self, part: float) -> bool:
        """True in this part of all cases."""
        return self.random.random() < part

    def _new(self, make: Callable[[], str]) -> str:
        while (name := make()) in self._names:
            pass
        self._names.add(name)
        return name


def slug(name: str) -> str:
    """The name as a part of an email address or of a domain."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:40].strip("-")


def email(person: Person, domain: str) -> str:
    """The person's address at work."""
    return f"{slug(person.first)}.{slug(person.last)}@{domain}"
