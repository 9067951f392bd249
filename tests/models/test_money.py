"""Amounts as people read them on paper."""

from __future__ import annotations

import pytest

from models import money


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (0, "EUR", "0.00"),
        (5, "EUR", "0.05"),
        (123_456_789, "EUR", "1,234,567.89"),
        (-99_950, "USD", "\u2212999.50"),
        (1_500, "JPY", "1,500"),
        (-1_234_567, "KWD", "\u22121,234.567"),
    ],
)
def test_thousands_are_in_groups(minor: int, currency: str, written: str) -> None:
    assert money.grouped(minor, currency) == written
