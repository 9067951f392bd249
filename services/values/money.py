"""Money: decimals as minor units, and the currencies that they can be in."""

from __future__ import annotations

from models import money
from models.fault import Fault
from services.values.currency import currency
from services.values.text import Field, line

# Fifteen digits: every JSON reader keeps them exactly (RFC 8259, section 6).
LARGEST = 10**15 - 1


def tradable(value: str, field: Field) -> str:
    """The ISO 4217 code of a currency that amounts can be in: metals and codes that stand for no money are refused."""
    code = currency(value, field)
    if code in money.NOT_MONEY:
        raise Fault.invalid("Choose a currency with which one can pay.", *field)
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
