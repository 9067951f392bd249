"""Percentages, as basis points: hundredths of a percent."""

from __future__ import annotations

import re

from models.fault import Fault
from models.percentage import WHOLE
from services.values.text import Field, line

_DECIMAL = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?")


def percentage(value: str, field: Field) -> int:
    """Basis points from 0 to 10,000 of a decimal such as “2.50”."""
    match = _DECIMAL.fullmatch(line(value, field))
    points = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else -1
    if not 0 <= points <= WHOLE:
        raise Fault.invalid("Write a percentage from 0 to 100 with at most two decimals, such as 2.50.", *field)
    return points
