"""Countries and postal addresses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fault import Fault
from services import values

FIELD = ("input", "billing_address")
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@pytest.mark.parametrize("written", ["US", "us", " gb ", "De"])
def test_a_country_is_its_code_in_capitals(written: str) -> None:
    assert values.country(written, FIELD) == written.strip().upper()


@pytest.mark.parametrize("written", ["", "USA", "United States", "UK", "XX", "ZZ", "U", "1", "ＵＳ", "\ud800"])
def test_a_name_or_an_unknown_code_is_not_a_country(written: str) -> None:
    with pytest.raises(Fault) as caught:
        values.country(written, FIELD)
    assert caught.value.field == FIELD


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("USA", "US"), ("U.S.A.", "US"), ("u.s.", "US"), ("United States", "US"), ("us", "US")),
        *(("UK", "GB"), ("England", "GB"), ("united kingdom", "GB"), ("GBR", "GB")),
        *(("Czech Republic", "CZ"), ("South Korea", "KR"), ("Bolivia", "BO"), ("Deutschland", "DE"), ("Türkiye", "TR")),
    ],
)
def test_a_lenient_country_may_be_a_common_name(written: str, code: str) -> None:
    assert values.country(written, FIELD, lenient=True) == code


def test_even_a_lenient_country_must_exist() -> None:
    with pytest.raises(Fault, match="two-letter code"):
        values.country("Atlantis", FIELD, lenient=True)


def test_an_address_has_exactly_its_five_parts() -> None:
    written = {"lines": [" 1 High St ", "", "Flat  2"], "city": "Ely", "postal_code": " CB7 4AB", "country": "gb"}
    assert values.address(written, FIELD) == {
        "lines": ["1 High St", "Flat 2"],
        "city": "Ely",
        "region": None,
        "postal_code": "CB7 4AB",
        "country": "GB",
    }


@pytest.mark.parametrize(
    "written", [{}, {"lines": []}, {"lines": None, "city": " "}, {"lines": ["", " "], "country": ""}]
)
def test_an_address_with_nothing_in_it_is_none(written: dict[str, Any]) -> None:
    assert values.address(written, FIELD) is None


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ({"lines": ["a"] * 6}, ("lines",)),
        ({"lines": ["a", "b\nc"]}, ("lines", 1)),
        ({"lines": ["", "x" * 201]}, ("lines", 1)),
        ({"lines": ["a"], "country": "Germany"}, ("country",)),
        ({"lines": ["a"], "city": "a\x00"}, ("city",)),
        ({"lines": ["a"], "postal_code": "1" * 31}, ("postal_code",)),
    ],
)
def test_a_fault_in_an_address_names_its_part(written: dict[str, Any], at: tuple[str | int, ...]) -> None:
    with pytest.raises(Fault) as caught:
        values.address(written, FIELD)
    assert caught.value.field == FIELD + at


def test_a_lenient_address_takes_breaks_within_lines_and_loses_no_line() -> None:
    cleaned = values.address({"lines": ["a\r\nb\n", "c", "d", "e", "f"], "country": "USA"}, FIELD, lenient=True)
    assert cleaned is not None
    assert cleaned["lines"] == ["a", "b", "c", "d", "e, f"]
    assert cleaned["country"] == "US"


@given(
    written=st.fixed_dictionaries(
        {},
        optional={
            "lines": st.none() | st.lists(ANY_TEXT, max_size=7),
            "city": st.none() | ANY_TEXT,
            "region": st.none() | ANY_TEXT,
            "postal_code": st.none() | ANY_TEXT,
            "country": st.none() | ANY_TEXT | st.sampled_from(["us", "USA", "Germany"]),
        },
    ),
    lenient=st.booleans(),
)
def test_cleaning_an_address_twice_is_cleaning_it_once(written: dict[str, Any], lenient: bool) -> None:
    try:
        cleaned = values.address(written, FIELD, lenient=lenient)
    except Fault as fault:
        at = fault.field or ()
    else:
        assert cleaned is None or values.address(cleaned, FIELD) == cleaned
        return
    assert at[: len(FIELD)] == FIELD
