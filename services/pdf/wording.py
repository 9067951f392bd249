"""How layouts write days, addresses and file names, and on which paper: in English, whatever the machine's language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pycountry

from models import Row

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Where office paper is US Letter (Unicode CLDR, paper sizes); elsewhere it is A4.
_LETTER = frozenset(("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"))
# Where the postal code stands behind the city.
_CITY_FIRST = frozenset(("AU", "CA", "GB", "IE", "IN", "NZ", "US"))
_LONGEST_FOOT = 120
_UNKEPT = re.compile(r'[/\\<>:"|?*\x00-\x1f]')


def day(value: date) -> str:
    """`1 June 2026`."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date) -> str:
    """`1 Jun 2026`."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]} {value.year}"


def decoded(value: Any) -> Any:
    """A JSON column's value, whether or not the read left it as text."""
    return json.loads(value) if isinstance(value, str) else value


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


def country_of(value: Mapping[str, Any] | None) -> str | None:
    """The country of an address, if there is one."""
    return None if value is None else value.get("country")


def paper(*countries: str | None) -> str:
    """The name of the paper that is used in the first country that is known; A4 when none is."""
    known = next((country for country in countries if country), None)
    return "us-letter" if known in _LETTER else "a4"


def parties(settings: Row, customer: Row) -> dict[str, Any]:
    """What layouts know of who writes and to whom, and the paper: that of the one who reads it."""
    company = decoded(settings["company"])
    home = country_of(company["address"]) if company else None
    billing = decoded(customer["billing_address"])
    written = None
    if company:
        tax_id = f"Tax ID {company['tax_id']}" if company["tax_id"] else None
        further = [line for line in (company["email"], company["phone"], tax_id) if line]
        written = {"name": company["name"], "lines": [*address(company["address"], None), *further]}
    return {
        "company": written,
        "customer": {"name": customer["name"], "lines": address(billing, home)},
        "paper": paper(country_of(billing), home),
    }


def instructions(settings: Row) -> list[list[str]]:
    """How to pay: paragraphs of lines, none when nobody has said it."""
    company = decoded(settings["company"])
    text = (company["payment_instructions"] if company else None) or ""
    paragraphs = [paragraph.splitlines() for paragraph in re.split(r"\n\s*\n", text.strip())]
    return [[line.strip() for line in lines] for lines in paragraphs if lines]


def foot(*parts: str | None) -> str:
    """What stands at the foot of each page, short enough for three lines."""
    text = " · ".join(part for part in parts if part)
    return text if len(text) <= _LONGEST_FOOT else f"{text[: _LONGEST_FOOT - 1]}…"


def file_name(*parts: str) -> str:
    """The name of a PDF, such as every system can keep: `Invoice 1042.pdf`."""
    return f"{_UNKEPT.sub('-', ' '.join(parts))}.pdf"


def _joined(separator: str, *parts: str | None) -> str:
    return separator.join(part for part in parts if part)
