"""Money: whole minor units in a currency of ISO 4217, and how they are written as decimals."""

from __future__ import annotations

import re

# Currencies whose minor unit is not a hundredth (ISO 4217, list one).
_DIGITS = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
            *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
# Metals, funds of accounts and the codes for tests and for nothing: they have no minor unit.
NOT_MONEY = frozenset(
    ("XAD", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX", "ZZZ")
)
_DECIMAL = re.compile(r"(\d{1,18})(?:\.(\d{1,6}))?", re.ASCII)


def digits(currency: str) -> int:
    """How many decimals the currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def decimal(minor: int, currency: str) -> str:
    """Minor units as a decimal with all of the currency's decimals: 123450 EUR is `1234.50`."""
    if not isinstance(minor, int):
        # SQLite takes any text that somebody forces into a column of numbers.
        return str(minor)
    places = digits(currency)
    text = f"{abs(minor):0{places + 1}d}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else f"{sign}{text}"


def text(minor: int, currency: str) -> str:
    """As `decimal`, with the currency behind it: `1234.50 EUR`."""
    return f"{decimal(minor, currency)} {currency}"


def grouped(minor: int, currency: str) -> str:
    """As `decimal`, for people who read it on paper: `1,234.50`, with a minus sign (U+2212) below 0."""
    whole, point, fraction = decimal(abs(minor), currency).partition(".")
    sign = "\u2212" if minor < 0 else ""
    return f"{sign}{int(whole):,}{point}{fraction}"


def minor_units(written: str, currency: str) -> int | None:
    """The minor units of a decimal such as `1234.5`; None when it is none or has more decimals than the currency."""
    match = _DECIMAL.fullmatch(written)
    places = digits(currency)
    fraction = (match[2] or "").rstrip("0") if match else ""
    if match is None or len(fraction) > places:
        return None
    return int(match[1] + fraction.ljust(places, "0"))
