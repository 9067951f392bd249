"""Keys by which customers are compared: the same whatever stands around what tells them apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.likeness import name_key, similar, tax_key

NAMES = st.text(min_size=1, max_size=40)
WORDS = st.lists(st.text(st.characters(categories=["Ll"], max_codepoint=0x24F), min_size=2, max_size=9), min_size=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme, Inc.", "ACME"),
        ("Acme S.A.R.L.", "acme sarl"),
        ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne"),
        ("The Coffee Company", "Coffee"),
        ("O'Neill Ltd", "ONeill"),
        ("Łódź Sp. z o.o.", "lodz sp. z o.o."),
        ("J. P. Morgan", "JP Morgan"),
        ("Smith, John", "John Smith"),
        ("Ｆｕｌｌｗｉｄｔｈ　ＫＫ", "fullwidth"),
        ("Straße", "STRASSE"),
        ("Ærø Brød A.S.", "Aero Brod"),
    ],
)
def test_names_that_are_the_same_when_compared(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Acme 1", "Acme 2"), ("Alpha", "Beta"), ("北京", "上海")])
def test_names_that_are_not(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_a_name_of_nothing_but_a_legal_form_keeps_it() -> None:
    assert name_key("The Company, Inc.") == "company inc the"
    assert name_key("& Co.") == "co"
    assert name_key("!!!") == ""


@given(NAMES)
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(NAMES)
def test_a_key_does_not_depend_on_case_or_on_how_accents_are_coded(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == name_key(name)
    assert name_key(name.casefold()) == name_key(name)


@given(WORDS, st.randoms(use_true_random=False), st.sampled_from(["GmbH", "Inc.", "S.A.", "llc", "& Co. KG"]))
def test_order_accents_and_a_legal_form_make_no_difference(words: list[str], random: object, form: str) -> None:
    shuffled = sorted(words, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert name_key(" ".join([*shuffled, form])) == name_key(" ".join([*words, form]))


@pytest.mark.parametrize(
    ("given_id", "key"), [("DE 123.456-789", "DE123456789"), ("de１２", "DE12"), ("--", None), (None, None), ("", None)]
)
def test_a_tax_id_is_letters_and_digits(given_id: str | None, key: str | None) -> None:
    assert tax_key(given_id) == key


def test_similar_names_are_nine_tenths_alike() -> None:
    others = [("a", "acme bakery"), ("b", "acme bakerys"), ("c", "acme brewery"), ("d", "")]
    found = similar("acme bakery", others)
    assert found.keys() == {"a", "b"}
    assert found["a"] == 1
    assert 0.9 <= found["b"] < 1
    assert similar("", others) == {}
