"""Contact methods: one clean list, without doubles, with one preferred method of each kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import identifier
from models.contact_method import ContactMethodKind
from models.fault import Fault
from services import values

FIELD = ("input", "methods")


def method(kind: str = "EMAIL", value: str = "jane@example.com", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value, **more}


def test_methods_are_cleaned_by_their_kind_and_get_ids() -> None:
    cleaned = values.methods(
        [
            method(value=" Jane@EXAMPLE.com", label=" Work "),
            method("PHONE", "020 7946 0958"),
            method("OTHER", "Signal:  @jane", label=" "),
        ],
        FIELD,
        country="GB",
    )
    assert [(m["kind"], m["value"], m["label"]) for m in cleaned] == [
        ("EMAIL", "Jane@example.com", "Work"),
        ("PHONE", "+442079460958", None),
        ("OTHER", "Signal: @jane", None),
    ]
    assert all(list(m) == ["id", "kind", "value", "label", "preferred"] for m in cleaned)
    assert {identifier.prefix_of(m["id"]) for m in cleaned} == {"mth"}
    assert len({m["id"] for m in cleaned}) == 3


def test_a_known_id_stays_and_a_kind_may_come_as_the_enum() -> None:
    known = identifier.new_id("mth")
    cleaned = values.methods([{"id": known, "kind": ContactMethodKind.EMAIL, "value": "a@example.com"}], FIELD)
    assert cleaned == [{"id": known, "kind": "EMAIL", "value": "a@example.com", "label": None, "preferred": True}]


def test_the_first_of_a_kind_is_preferred_unless_another_says_so() -> None:
    cleaned = values.methods(
        [
            method(value="a@example.com"),
            method(value="b@example.com", preferred=True),
            method("PHONE", "415 555 0101", preferred=False),
            method("PHONE", "415 555 0102"),
        ],
        FIELD,
    )
    assert [m["preferred"] for m in cleaned] == [False, True, True, False]
    assert values.preferred(cleaned, "EMAIL") == "b@example.com"
    assert values.preferred(cleaned, "PHONE") == "+14155550101"
    assert values.preferred(cleaned, "FAX") is None


ID = identifier.new_id("mth")


@pytest.mark.parametrize(
    ("given_methods", "at"),
    [
        ([method(preferred=True), method(value="b@example.com", preferred=True)], (1, "preferred")),
        ([method(), method(value="JANE@example.com")], (1, "value")),
        ([method("PHONE", "415 555 0101"), method("PHONE", "+1 (415) 555-0101")], (1, "value")),
        ([method("PHONE", "call Bob")], (0, "value")),
        ([method("FAX", "jane@example.com")], (0, "value")),
        ([method(value="")], (0, "value")),
        ([{"kind": "EMAIL"}], (0, "value")),
        ([method("PIGEON")], (0, "kind")),
        ([{"value": "a@example.com"}], (0, "kind")),
        ([method(label="x" * 61)], (0, "label")),
        ([method(id="cus_01kwef3q8seemv6gzaf2w8kdhe")], (0, "id")),
        ([method(id=ID), method(value="b@example.com", id=ID)], (1, "id")),
        ([method("OTHER", str(number)) for number in range(21)], ()),
    ],
)
def test_a_fault_in_a_method_names_its_place(given_methods: list[dict[str, Any]], at: tuple[str | int, ...]) -> None:
    with pytest.raises(Fault) as caught:
        values.methods(given_methods, FIELD)
    assert caught.value.field == FIELD + at


def test_twenty_methods_are_not_too_many_and_one_number_may_serve_two_kinds() -> None:
    assert len(values.methods([method("OTHER", str(number)) for number in range(20)], FIELD)) == 20
    assert len(values.methods([method("PHONE", "415 555 0101"), method("FAX", "415 555 0101")], FIELD)) == 2


ANY_METHOD = st.fixed_dictionaries(
    {"kind": st.sampled_from([kind.value for kind in ContactMethodKind]) | st.text(max_size=3)},
    optional={
        "value": st.sampled_from(["a@example.com", "b@example.com", "+14155550101", "x12"]) | st.text(max_size=5),
        "label": st.none() | st.text(max_size=5),
        "preferred": st.none() | st.booleans(),
        "id": st.none() | st.just(ID) | st.text(max_size=5),
    },
)


@given(given_methods=st.lists(ANY_METHOD, max_size=4))
def test_cleaning_methods_twice_is_cleaning_them_once(given_methods: list[dict[str, Any]]) -> None:
    try:
        cleaned = values.methods(given_methods, FIELD)
    except Fault as fault:
        at = fault.field or ()
    else:
        assert values.methods(cleaned, FIELD) == cleaned
        assert sorted(m["kind"] for m in cleaned if m["preferred"]) == sorted({m["kind"] for m in cleaned})
        return
    assert at[: len(FIELD)] == FIELD
