"""Places: countries (ISO 3166-1) and postal addresses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pycountry

from models import text
from models.fault import Fault
from services.values.text import Field, line, optional_line

ADDRESS_LINES = 5

# What people and accounting systems write that ISO 3166-1 does not list.
_OTHER_NAMES = {
    "GB": ("UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "US": ("U S", "U S A", "America", "United States of America", "The United States"),
    "AE": ("UAE", "Emirates"),
    "AT": ("Österreich",),
    "BE": ("Belgique", "België"),
    "BR": ("Brasil",),
    "CD": ("Democratic Republic of the Congo",),
    "CH": ("Schweiz", "Suisse", "Svizzera"),
    "CI": ("Ivory Coast", "Cote d'Ivoire"),
    "CZ": ("Czech Republic",),
    "DE": ("Deutschland",),
    "DK": ("Danmark",),
    "ES": ("España",),
    "FM": ("Micronesia",),
    "IE": ("Republic of Ireland", "Éire"),
    "IT": ("Italia",),
    "KR": ("Republic of Korea", "Korea"),
    "MK": ("Macedonia",),
    "MX": ("México",),
    "NL": ("Holland", "The Netherlands", "Nederland"),
    "NO": ("Norge",),
    "NZ": ("Aotearoa",),
    "PL": ("Polska",),
    "PS": ("Palestine",),
    "RU": ("Russia",),
    "SE": ("Sverige",),
    "TR": ("Turkey",),
    "VA": ("Vatican", "Vatican City"),
}


def country(value: str, field: Field, *, lenient: bool = False) -> str:
    """The ISO 3166-1 alpha-2 code in capitals. `lenient`, for imports, also takes alpha-3 codes and common names."""
    written = line(value, field)
    code = written.upper()
    if code.isascii() and len(code) == 2 and pycountry.countries.get(alpha_2=code):
        return code
    if lenient:
        known = _codes_by_name().get(_name_key(written))
        if known is not None:
            return known
    raise Fault.invalid("Write the two-letter code of the country (ISO 3166-1), such as US or GB.", *field)


def address(value: Mapping[str, Any], field: Field, *, lenient: bool = False) -> dict[str, Any] | None:
    """A postal address: `lines` (list, at most 5), `city`, `region`, `postal_code`, `country` (each text or None).

    The same keys are read; each may be missing or None. Blank lines are left out; nothing written at all gives None.
    `lenient`, for imports: line breaks inside a line separate lines, lines beyond the fifth join it, and the country
    may be a name.
    """
    lines = [
        line(part, (*field, "lines", number))
        for number, written in enumerate(value.get("lines") or ())
        for part in (written.splitlines() if lenient else (written,))
        if optional_line(part, (*field, "lines", number)) is not None
    ]
    if len(lines) > ADDRESS_LINES:
        if not lenient:
            raise Fault.invalid(f"Use at most {ADDRESS_LINES} address lines.", *field, "lines")
        rest = ", ".join(lines[ADDRESS_LINES - 1 :])
        lines[ADDRESS_LINES - 1 :] = [line(rest, (*field, "lines", ADDRESS_LINES - 1))]
    code = optional_line(value.get("country"), (*field, "country"))
    cleaned: dict[str, Any] = {
        "lines": lines,
        "city": optional_line(value.get("city"), (*field, "city"), longest=100),
        "region": optional_line(value.get("region"), (*field, "region"), longest=100),
        "postal_code": optional_line(value.get("postal_code"), (*field, "postal_code"), longest=30),
        "country": country(code, (*field, "country"), lenient=lenient) if code is not None else None,
    }
    return cleaned if any(cleaned.values()) else None


def _name_key(name: str) -> str:
    return text.key(name.replace(".", " "))


@lru_cache(maxsize=1)
def _codes_by_name() -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in pycountry.countries:
        for name in ("alpha_3", "name", "common_name", "official_name"):
            written = getattr(entry, name, None)
            if written is not None:
                codes[_name_key(written)] = entry.alpha_2
    for code, names in _OTHER_NAMES.items():
        codes.update((_name_key(name), code) for name in names)
    return codes
