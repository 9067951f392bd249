"""How amounts, days and addresses are written in emails and on paper: in one form, in English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pycountry

from models import money

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Where the postal code stands behind the city.
_CITY_FIRST = frozenset(("AU", "CA", "GB", "IE", "IN", "NZ", "US"))


def amount(minor: int, currency: str) -> str:
    """Minor units with their currency: `EUR 1,234.50`."""
    return f"{currency} {money.grouped(minor, currency)}"


def day(value: date) -> str:
    """`1 June 2026`."""
    return f"{value.day} {month(value)}"


def short_day(value: date) -> str:
    """`1 Jun 2026`."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]} {value.year}"


def month(value: date) -> str:
    """The month of a day: `June 2026`."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def address(value: Mapping[str, Any] | None, home: str | None) -> list[str]:
    """The lines of a postal address; the country unless it is `home`."""
    if value is None:
        return []
    city, region, code, country = (value.get(name) for name in ("city", "region", "postal_code", "country"))
    if country in _CITY_FIRST:
        town = _joined(" ", _joined(", ", city, region), code)
    else:
        town = _joined(", ", _joined(" ", code, city), region)
    entry = pycountry.countries.get(alpha_2=country) if country and country != home else None
    abroad = entry.name if entry is not None else None
    return [line for line in (*value.get("lines", ()), town, abroad) if line]


def _joined(separator: str, *parts: str | None) -> str:
    return separator.join(part for part in parts if part)
