"""Currencies and percentages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fault import ErrorCode, Fault
from models.percentage import shown, written
from services import values


@pytest.mark.parametrize(("text", "code"), [("USD", "USD"), (" eur ", "EUR"), ("Jpy", "JPY")])
def test_currencies_are_codes_in_capitals(text: str, code: str) -> None:
    assert values.currency(text, ("currency",)) == code


@pytest.mark.parametrize("text", ["US", "DOLLAR", "QQQ", "€", "840", "ＵＳＤ", ""])
def test_other_currencies_are_refused(text: str) -> None:
    with pytest.raises(Fault) as caught:
        values.currency(text, ("currency",))
    assert (caught.value.code, caught.value.field) == (ErrorCode.INVALID, ("currency",))


@given(st.integers(0, 10_000))
def test_what_is_written_is_read_again(points: int) -> None:
    assert values.percentage(written(points), ()) == values.percentage(shown(points), ()) == points


@pytest.mark.parametrize(
    ("text", "points"), [("0", 0), ("2.5", 250), ("2.50", 250), ("0.01", 1), ("100", 10_000), (" 7 ", 700)]
)
def test_percentages_are_basis_points(text: str, points: int) -> None:
    assert values.percentage(text, ()) == points


@pytest.mark.parametrize("text", ["", "-1", "+1", "100.01", "1000", "1.005", ".5", "1.", "1,5", "2 %", "NaN", "1e1"])
def test_other_percentages_are_refused(text: str) -> None:
    with pytest.raises(Fault) as caught:
        values.percentage(text, ("card", "surcharge"))
    assert (caught.value.code, caught.value.field) == (ErrorCode.INVALID, ("card", "surcharge"))


@pytest.mark.parametrize(("points", "text"), [(0, "0"), (5, "0.05"), (250, "2.5"), (1000, "10"), (-150, "-1.5")])
def test_percentages_are_shown_without_idle_decimals(points: int, text: str) -> None:
    assert shown(points) == text
