"""Currencies: ISO 4217."""

from __future__ import annotations

import pycountry

from models.fault import Fault
from services.values.text import Field, line


def currency(value: str, field: Field) -> str:
    """The ISO 4217 code in capitals."""
    code = line(value, field).upper()
    if code.isascii() and len(code) == 3 and pycountry.currencies.get(alpha_3=code):
        return code
    raise Fault.invalid("Write the three-letter code of the currency (ISO 4217), such as USD or EUR.", *field)
