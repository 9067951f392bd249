"""Lists with rows of several values of the parent column: their pages are those of the whole list, sorted."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from piccolo.columns import BigInt, Text
from piccolo.table import Table

from models.listing import Key, Listing, Page, Slice, merged, request_page, sliced


class Thing(Table, tablename="thing"):
    """Something with a rank that several may have."""

    id = BigInt(primary_key=True)
    rank = Text()


LISTING = Listing(Thing, {"RANK": (Key.column("rank"), Key.column("id", int))}, "RANK")

Rows = list[dict[str, Any]]


def page_of(rows: Rows, page: Page) -> Rows:
    """What the database answers for a page of these rows: one more than the page has, if there are."""
    keyed = [((row["rank"], row["id"]), row) for row in rows]
    descending = page.descending != page.backward
    if page.cursor is not None:
        cursor = page.cursor
        keyed = [(key, row) for key, row in keyed if (key < cursor if descending else key > cursor)]
    keyed.sort(key=lambda one: one[0], reverse=descending)
    return [row for _, row in keyed][: page.size + 1]


def walk(parts: list[Rows], size: int, *, descending: bool, backward: bool) -> tuple[Rows, list[Slice]]:
    """All rows in the list's order, by pages of the parts merged, and those pages."""
    found: Rows = []
    pages: list[Slice] = []
    cursor = None
    while True:
        sent: dict[str, Any] = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = request_page(LISTING, descending=descending, **sent)
        part = sliced(page, merged(page, [page_of(rows, page) for rows in parts]))
        pages.append(part)
        found = [*part.rows, *found] if backward else [*found, *part.rows]
        if not (part.has_previous if backward else part.has_next):
            return found, pages
        cursor = page.cursor_of(part.rows[0 if backward else -1])


@given(
    st.lists(st.tuples(st.sampled_from("abcé𐀀"), st.integers(0, 3)), max_size=30),
    st.integers(1, 7),
    st.booleans(),
    st.booleans(),
)
def test_pages_of_merged_parts_are_the_pages_of_the_whole(
    things: list[tuple[str, int]], size: int, descending: bool, backward: bool
) -> None:
    rows = [{"id": number, "rank": rank, "part": part} for number, (rank, part) in enumerate(things)]
    parts = [[row for row in rows if row["part"] == number] for number in range(4)]
    found, pages = walk(parts, size, descending=descending, backward=backward)
    assert found == sorted(rows, key=lambda row: (row["rank"], row["id"]), reverse=descending)
    assert all(len(page.rows) == size for page in pages[:-1])
    whole, _ = walk([rows], size, descending=descending, backward=backward)
    assert whole == found
