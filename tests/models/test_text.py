"""How text is folded for searches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import text


@pytest.mark.parametrize(
    ("value", "folded"),
    [
        ("  Éva \t QUINN\u00a0 ", "eva quinn"),
        ("Müller", "muller"),
        ("STRASSE Straße", "strasse strasse"),
        ("Ørjan Łukasz Đorđe Æsir Œuvre Þór", "orjan lukasz dorde aesir oeuvre thor"),
        ("İstanbul Isparta ısı", "istanbul isparta isi"),
        ("\uff21da \ufb01n Ⅳ", "ada fin iv"),
        ("Nguyễn Văn", "nguyen van"),
        ("Ἀθῆναι ΣΟΦΙΑΣ σοφίας", "αθηναι σοφιασ σοφιασ"),
        ("ガガ ｶﾞ か", "ガガ ガ か"),
        ("한국", "한국"),
        ("٤١٥", "415"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("100% a_b\\c", "100% a_b\\c"),
    ],
)
def test_case_accents_and_forms_are_ignored(value: str, folded: str) -> None:
    assert text.folded(value) == folded


@given(st.text())
def test_folding_what_is_folded_changes_nothing(value: str) -> None:
    folded = text.folded(value)
    assert text.folded(folded) == folded
    assert text.folded(value.upper()) == text.folded(text.folded(value.upper()))
    assert folded == " ".join(folded.split())


@given(st.text(), st.text())
def test_parts_of_a_key_stand_in_it_as_they_are_searched(one: str, other: str) -> None:
    key = text.search_key([one, None, other])
    assert text.folded(one) in key
    assert all(word in key for word in text.folded(other).split())


def test_numbers_in_groups_are_in_the_key_in_one_piece_too() -> None:
    assert text.search_key(["Fax (030) 12-34/56", "4711 b"]) == "fax (030) 12-34/56 4711 b 030123456"
