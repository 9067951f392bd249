"""Cursors as somebody may forge them: with the signature of a list, and anything as sort keys."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Database, listings
from models.listing import BadCursor, Listing, fetch_page, request_page

pytestmark = pytest.mark.anyio

LISTS: list[tuple[Listing, str]] = [
    (listings.CUSTOMERS, "NAME"),
    (listings.CUSTOMERS, "CREATED_AT"),
    (listings.CONTACTS, "PRIORITY"),
    (listings.NOTES_OF_CUSTOMER, "PINNED"),
]
GOOD: dict[str, list[Any]] = {
    "NAME": ["alder", "cus_1"],
    "CREATED_AT": ["2026-01-01T00:00:00+00:00", "cus_1"],
    "PRIORITY": [3, "alder", "con_1"],
    "PINNED": [True, "2026-01-01T00:00:00.000001+00:00", "note_1"],
}
JUNK: list[Any] = [
    *("", "\0", "a\0b", "\ud800", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "1", "true"),
    *("9999-12-31T23:59:59-14:00", 10**30, -(10**30), 2**31, 0, 1, 1.5, float("nan"), True, False, None, [], {}),
]
values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(JUNK),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(st.characters(codec=None, exclude_categories=())),
    st.datetimes().map(datetime.isoformat),
)


def forged(listing: Listing, order: str, keys: list[Any]) -> str:
    signature = request_page(listing, order=order).signature
    return base64.urlsafe_b64encode(json.dumps([signature, *keys]).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("listing", "order"), LISTS)
async def test_keys_of_the_right_types_are_accepted(database: Database, listing: Listing, order: str) -> None:
    page = request_page(listing, order=order, after=forged(listing, order, GOOD[order]))
    assert (await fetch_page(database, page)).rows == []
    assert page.cursor is not None
    assert [json.loads(json.dumps(key, default=datetime.isoformat)) for key in page.cursor] == GOOD[order]


WRONG: dict[str, list[Any]] = {
    "NAME": [1, True, None, "\0", "\ud800", []],
    "CREATED_AT": ["2026-01-01T00:00:00", "x", 1, "0001-01-01T00:00:00+14:00"],
    "PRIORITY": [10**30, 2**31, -1 - 2**31, "3", True, 1.0, None],
    "PINNED": [1, 0, "true", None],
}


@pytest.mark.parametrize(("order", "value"), [(order, value) for order, values in WRONG.items() for value in values])
def test_a_key_of_another_type_or_beyond_its_column_is_a_bad_cursor(order: str, value: Any) -> None:
    listing = next(listing for listing, name in LISTS if name == order)
    keys = [value, *GOOD[order][1:]]
    with pytest.raises(BadCursor):
        request_page(listing, order=order, after=forged(listing, order, keys))


async def test_whatever_is_forged_is_a_bad_cursor_or_a_page(database: Database) -> None:
    accepted = 0
    for listing, order in LISTS:
        for at, junk in itertools.product(range(len(GOOD[order])), JUNK):
            keys = [*GOOD[order][:at], junk, *GOOD[order][at + 1 :]]
            try:
                page = request_page(listing, order=order, after=forged(listing, order, keys))
            except BadCursor:
                continue
            accepted += 1
            assert (await fetch_page(database, page)).rows == []
    assert accepted > len(LISTS)


@given(data=st.data())
def test_keys_of_an_accepted_cursor_are_such_as_the_columns_hold(data: st.DataObject) -> None:
    listing, order = data.draw(st.sampled_from(LISTS))
    keys = [data.draw(st.one_of(st.just(good), values)) for good in GOOD[order]]
    try:
        page = request_page(listing, order=order, after=forged(listing, order, keys))
    except BadCursor:
        return
    for key in page.cursor or ():
        assert type(key) in (str, int, bool, datetime)
        assert not isinstance(key, str) or "\0" not in key.encode().decode()
        assert not isinstance(key, int) or abs(key) < 2**31
        assert not isinstance(key, datetime) or key.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "!", "é", "\ud800", "a", "W10", "[]", "=" * 9, "W" * 10_000])
def test_what_is_no_cursor_at_all_is_a_bad_one(text: str) -> None:
    with pytest.raises(BadCursor):
        request_page(listings.CUSTOMERS, after=text)


def test_times_of_cursors_are_in_utc() -> None:
    keys = ["2026-01-01T00:00:00+02:00", "cus_1"]
    page = request_page(listings.CUSTOMERS, order="CREATED_AT", after=forged(listings.CUSTOMERS, "CREATED_AT", keys))
    assert page.cursor == (datetime(2025, 12, 31, 22, tzinfo=UTC), "cus_1")
