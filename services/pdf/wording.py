"""What layouts say of both parties, how files are called, and on which paper: in English, whatever the machine's
language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from models import Row
from services.writing import address

# Where office paper is US Letter (Unicode CLDR, paper sizes); elsewhere it is A4.
_LETTER = frozenset(("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"))
_LONGEST_FOOT = 120
_UNKEPT = re.compile(r'[/\\<>:"|?*\x00-\x1f]')


def decoded(value: Any) -> Any:
    """A JSON column's value, whether or not the read left it as text."""
    return json.loads(value) if isinstance(value, str) else value


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
