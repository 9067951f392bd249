"""Money: currencies of ISO 4217, and decimals as minor units."""

from __future__ import annotations

import pycountry

from models import money
from models.fault import Fault
from services.values.text import Field, line

# Fifteen digits: every JSON reader keeps them exactly (RFC 8259, section 6).
LARGEST = 10**15 - 1


def currency(value: str, field: Field) -> str:
    """The ISO 4217 code in capitals. Metals and the codes that stand for no money are refused."""
    code = line(value, field).upper()
    if code in money.NOT_MONEY or not (code.isascii() and len(code) == 3 and pycountry.currencies.get(alpha_3=code)):
        raise Fault.invalid("Write the three-letter code of the currency (ISO 4217), such as USD or EUR.", *field)
    return code


def amount(value: str, code: str, field: Field) -> int:
    """The minor units of a decimal such as `1234.50`, from 0 to 15 digits, in the currency `code`."""
    minor = money.minor_units(line(value, field), code)
    if minor is None:
        places = money.digits(code)
        example = "1234" if places == 0 else f"1234.{'5'.ljust(places, '0')}"
        raise Fault.invalid(f"Write the amount in {code} like {example}: digits, at most {places} decimals.", *field)
    if minor > LARGEST:
        raise Fault.invalid(f"Use at most {money.text(LARGEST, code)}.", *field)
    return minor
