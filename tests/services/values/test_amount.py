"""Amounts as decimals and as minor units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import money
from models.fault import Fault
from services import values
from services.values.money import LARGEST

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF", "USD"])


@given(minor=st.integers(min_value=0, max_value=LARGEST), currency=CURRENCIES)
def test_a_decimal_is_read_as_it_was_written(minor: int, currency: str) -> None:
    assert values.amount(money.decimal(minor, currency), currency, ("amount",)) == minor


@given(text=st.text(max_size=12), currency=CURRENCIES)
def test_whatever_is_written_is_an_amount_or_a_fault(text: str, currency: str) -> None:
    minor, field = None, None
    try:
        minor = values.amount(text, currency, ("amount",))
    except Fault as fault:
        field = fault.field
    assert field == ("amount",) if minor is None else 0 <= minor <= LARGEST


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [("12", "EUR", 1200), (" 12.5 ", "EUR", 1250), ("12.50", "JPY", None), ("12.00", "JPY", 12), ("0.001", "KWD", 1)],
)
def test_decimals_fit_the_currency(written: str, currency: str, minor: int | None) -> None:
    if minor is not None:
        assert values.amount(written, currency, ("amount",)) == minor
        return
    with pytest.raises(Fault) as caught:
        values.amount(written, currency, ("amount",))
    assert caught.value.message == "Write the amount in JPY like 1234: digits, at most 0 decimals."


def test_amounts_are_shown_with_all_decimals() -> None:
    shown = [money.text(5, "EUR"), money.text(-1205, "EUR"), money.text(5, "JPY"), money.text(5, "KWD")]
    assert shown == ["0.05 EUR", "-12.05 EUR", "5 JPY", "0.005 KWD"]


def test_what_somebody_forced_into_the_database_is_shown_as_it_is() -> None:
    assert money.text("much", "EUR") == "much EUR"  # type: ignore[arg-type]
