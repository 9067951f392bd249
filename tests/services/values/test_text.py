"""Lines and bodies of text: what is cleaned, what is refused, what is left alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.fault import ErrorCode, Fault
from services import values

FIELD = ("input", "name")
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("  Acme Ltd \n", "Acme Ltd"),
        ("Acme   Ltd", "Acme Ltd"),
        ("Acme\u00a0\u3000Ltd", "Acme Ltd"),
        ("Cafe\u0301", "Café"),
        ("株式会社アクメ", "株式会社アクメ"),
        ("\u200fשלום", "\u200fשלום"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_a_line_is_composed_and_trimmed_and_keeps_every_script(written: str, stored: str) -> None:
    assert values.line(written, FIELD) == stored


@pytest.mark.parametrize(
    "written",
    [
        *("", "   ", "\u200b", "\u3164", "\u2800", "\u0301", "\u034f\ufe0f"),
        *("a\x00b", "a\nb", "a\tb", "a\x1b[2J", "a\x85b", "a\u2028b", "\x1fa", "a\x7f"),
        *("a\ud800", "\udc00a", "a\u202eb", "a\u2066b"),
        "x" * 201,
    ],
)
def test_a_line_that_hides_something_or_is_empty_or_too_long_is_refused_at_its_field(written: str) -> None:
    with pytest.raises(Fault) as caught:
        values.line(written, FIELD)
    assert caught.value.code is ErrorCode.INVALID
    assert caught.value.field == FIELD


def test_length_counts_code_points_after_cleaning_and_the_message_says_both_numbers() -> None:
    assert values.line("  " + "é" * 200 + "  ", FIELD) == "é" * 200
    with pytest.raises(Fault, match=r"at most 1,000 characters: it has 10,000"):
        values.line("x" * 10_000, FIELD, longest=1_000)


@pytest.mark.parametrize("written", [None, "", "  \n", "\u00a0"])
def test_a_blank_optional_line_is_none(written: str | None) -> None:
    assert values.optional_line(written, FIELD) is None


def test_an_optional_line_with_text_is_a_line() -> None:
    assert values.optional_line(" a  b ", FIELD) == "a b"
    with pytest.raises(Fault):
        values.optional_line("\u200b", FIELD)


def test_a_body_keeps_its_layout_and_gets_plain_line_ends() -> None:
    assert values.body("\r\nCalled.\r\n\r\n\t- pays  Friday\rBye  \n", FIELD) == "Called.\n\n\t- pays  Friday\nBye"


@pytest.mark.parametrize("written", ["", " \n\t", "a\x0bb", "a\x00", "a\u202eb", "a\u2029b", "\ud83d", "x" * 20_001])
def test_a_body_refuses_what_hides_and_what_is_empty_or_too_long(written: str) -> None:
    with pytest.raises(Fault):
        values.body(written, FIELD)


@pytest.mark.parametrize("clean", [values.line, values.body])
@given(written=ANY_TEXT)
@example(written="a \u0301")
@example(written="\u00a0\u0344\u00a0")
def test_cleaning_text_twice_is_cleaning_it_once(clean: Callable[..., str], written: str) -> None:
    try:
        stored = clean(written, FIELD)
    except Fault:
        return
    assert clean(stored, FIELD) == stored
    assert unicodedata.is_normalized("NFC", stored)
    stored.encode()
