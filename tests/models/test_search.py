"""Searches: the words of a search, and the index, which answers exactly what looking at every row would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audit import SYSTEM, Change, Request, transact
from models import Contact, Customer, Database, Row, search
from models.listing import count, fetch_page, fetch_pages, request_page
from models.listings import CONTACTS, CONTACTS_OF_CUSTOMER, CUSTOMERS
from tests.audit.rows import insert, new

pytestmark = pytest.mark.anyio

NUMBER = "+14155550101"
GERMAN = "+49301234567"


@pytest.mark.parametrize(
    ("searched", "key"),
    [
        *((written, NUMBER) for written in ("415 555 0101", "(415) 555-0101", "+1 415 555 0101", "415.555.0101")),
        *((written, NUMBER) for written in ("1-415-555-0101", "4155550101", "+1 (415) 555 - 0101", "555 0101", "0101")),
        *((written, GERMAN) for written in ("030 1234567", "+49 (0)30 1234567", "+49 30 123-4567", "(030) 123 45 67")),
        *((written, GERMAN) for written in ("0301234567", "0049 30 1234567", "030/1234567", "30 1234567")),
        ("+14155550101;ext=12", "+14155550101;ext=12"),
        ("Éva q", "eva quinn"),
        ("quinn EVA", "eva quinn"),
        ("12-34", "cust 12-34"),
        ("-", "a-b"),
        ("100%", "100%"),
    ],
)
def test_a_search_finds(searched: str, key: str) -> None:
    assert search.finds(search.words_of(searched), key)


@pytest.mark.parametrize(
    ("searched", "key"),
    [
        ("415 555 0102", NUMBER),
        ("0101 0", "+1 55 11101"),
        ("0101", "+1555101"),
        ("eva x", "eva quinn"),
        ("12-34", "cust 12 34"),
        ("-", "ab"),
        ("1%", "100"),
        ("1_0", "100"),
    ],
)
def test_a_search_does_not_find(searched: str, key: str) -> None:
    assert not search.finds(search.words_of(searched), key)


def test_a_blank_search_has_no_words() -> None:
    for blank in ("", "  \t\n", "\u200b", "\u0301"):
        assert search.words_of(blank) == ()
        assert search.matches(blank) is None


LETTERS = "aAáàßsøoæłıİiIbBcCgq"
SIGNS = "%_\\\"'*^:()-+./ 0123456789\u3000\u0301\u200d"
OTHERS = "がガか李雷🦊一ﬁ"
stored = st.text(st.sampled_from(LETTERS + SIGNS + OTHERS), max_size=12)
searched = st.one_of(
    st.text(st.sampled_from(LETTERS + SIGNS + OTHERS + "\0\ud800"), max_size=6),
    st.sampled_from(
        ["AND", "OR", "NOT", "NEAR(a b)", "a OR b", "search_key: a", '"', "a*", "^a", "%", "__", "{}", "$1"]
    ),
)


@pytest.fixture
async def people(database: Database) -> list[Row]:
    """A few contacts of one customer."""
    customer = await new(Customer)
    return [await new(Contact, customer_id=customer["id"]) for _ in range(4)]


async def found(database: Database, listing: Any, text: str) -> tuple[list[str], int]:
    """Ids and number of the rows that a search of the whole list finds."""
    condition = search.matches(text)
    page = request_page(listing, first=100, conditions=[condition] if condition else [])
    part = await fetch_page(database, await search.narrow(database, page))
    return [row["id"] for row in part.rows], await count(database, part.page)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(titles=st.lists(stored, min_size=4, max_size=4), text=searched, few=st.integers(0, 4))
@example(titles=["abc", "abcd", "bcd", ""], text="bcd abc", few=4)
@example(titles=["030 123 45 67", "", "0301234567", "30"], text="030 1234567", few=1)
async def test_the_index_answers_what_looking_at_every_row_does(
    database: Database, people: list[Row], titles: list[str], text: str, few: int
) -> None:
    async def work(change: Change) -> None:
        for person, title in zip(people, titles, strict=True):
            await change.update(Contact, await change.get(Contact, person["id"]), {"title": title})

    await transact(SYSTEM, Request.new(), work)
    rows = await database.fetch("SELECT id, customer_id, search_key FROM contact ORDER BY name_key, id")
    expected = [row["id"] for row in rows if search.finds(search.words_of(text), row["search_key"])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", few)
        patch.setattr(search, "SOME", few)
        assert await found(database, CONTACTS, text) == (expected, len(expected))
    condition = search.matches(text)
    page = request_page(CONTACTS_OF_CUSTOMER, first=100, conditions=[condition] if condition else [])
    [part] = await fetch_pages(database, page, [rows[0]["customer_id"]])
    assert [row["id"] for row in part.rows] == expected


async def test_the_longest_searches_are_answered(database: Database) -> None:
    row = await new(Customer, name="Lakeside")
    for size in (1, 2, 3):
        words = dict.fromkeys("".join(chr(0x4E00 + number + part) for part in range(size)) for number in range(100))
        text = " ".join(words)[:200]
        assert await found(database, CUSTOMERS, text) == ([], 0)
    assert await found(database, CUSTOMERS, " ".join(["lakeside"] * 22)) == ([row["id"]], 1)


async def test_new_changed_and_deleted_rows_are_in_the_index_and_out_of_it(database: Database) -> None:
    async def work(change: Change) -> Row:
        return await insert(
            change, Customer, name="Lakeside Bakery", origin_system="NETSUITE", origin_external_id="C-77"
        )

    row, _ = await transact(SYSTEM, Request.new(), work)
    for text in ("lakeside", "side bak", "c-77", "77"):
        assert await found(database, CUSTOMERS, text) == ([row["id"]], 1)

    async def rename(change: Change) -> None:
        await change.update(Customer, await change.get(Customer, row["id"]), {"name": "Mill"})

    await transact(SYSTEM, Request.new(), rename)
    assert (await found(database, CUSTOMERS, "lakeside"), await found(database, CUSTOMERS, "mill")) == (
        ([], 0),
        ([row["id"]], 1),
    )

    async def delete(change: Change) -> None:
        await change.delete(Customer, await change.get(Customer, row["id"]))

    await transact(SYSTEM, Request.new(), delete)
    assert await found(database, CUSTOMERS, "mill") == ([], 0)


async def test_what_is_rolled_back_is_not_found(database: Database) -> None:
    async def work(change: Change) -> None:
        await insert(change, Customer, name="Lakeside")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await transact(SYSTEM, Request.new(), work)
    assert await found(database, CUSTOMERS, "lakeside") == ([], 0)
