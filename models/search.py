"""Finding rows by words: what is searched for, and the conditions that find it, with an index or without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models import text
from models.engine import Database
from models.listing import Condition, Page
from models.table import quoted

# Each word of a search is found when one of its ways to be written stands anywhere in the row's search key.
Words = tuple[tuple[str, ...], ...]

# So many rows or fewer are looked up by their ids, so many by their numbers in SQLite's index. Of more, a page is found
# sooner along the list's own order.
FEW = 500
SOME = 5_000
# The index knows sequences of so many characters.
GRAM = 3

_NUMBER = re.compile(r"\+?[\d ().\-/]*\d[\d ().\-/]*")
_PUNCTUATED = re.compile(r"\+?[\d().\-/]*\d[\d().\-/]*")
# A whole phone number has so many digits or more: only there a leading zero may be a trunk prefix.
_PHONE_DIGITS = 7


@dataclass(frozen=True)
class Search(Condition):
    """The condition that holds for exactly the rows that a search finds; `words` are what an index is asked for."""

    words: Words = ()


def words_of(search: str) -> Words:
    """The words of a search, each in all ways to write it. Empty for a blank search.

    Numbers are found with and without punctuation; a whole phone number also without its trunk prefix, which is not
    dialled from abroad and not stored: `030 1234567`, `+49 (0)30 1234567`.
    """
    found = text.folded(search)
    number = _NUMBER.fullmatch(found)
    if number:
        found = found.replace("(0)", " ")
    written = [word for word in found.split() if not number or text.digits(word)]
    words = [_ways(word) for word in written]
    if number and written and len(text.digits(found)) >= _PHONE_DIGITS:
        shorter = text.digits(written[0]).lstrip("0")
        if written[0].startswith(("0", "(0")) and shorter:
            words[0] = (*words[0], shorter)
    return tuple(dict.fromkeys(words))


def _ways(word: str) -> tuple[str, ...]:
    if not _PUNCTUATED.fullmatch(word):
        return (word,)
    return tuple(dict.fromkeys((word, text.digits(word))))


def finds(words: Words, key: str) -> bool:
    """Whether a search key has all of the words: what the conditions below mean."""
    return all(any(way in key for way in word) for word in words)


def matches(search: str) -> Search | None:
    """The rows that a search finds; None when it is blank and finds all of them."""
    words = words_of(search)
    if not words:
        return None
    if not all(_storable(way) for word in words for way in word):
        return Search("1 = 0", (), words)
    sql = " AND ".join("(" + " OR ".join("t.search_key LIKE ? ESCAPE '\\'" for _ in word) + ")" for word in words)
    return Search(sql, tuple(_pattern(way) for word in words for way in word), words)


def _storable(way: str) -> bool:
    # No text of a database holds NUL or half of a character.
    return "\0" not in way and not any("\ud800" <= character <= "\udfff" for character in way)


def _pattern(way: str) -> str:
    escaped = way.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def narrow(database: Database, page: Page) -> Page:
    """The same page of a whole list, with conditions that use the index where a search is quicker with it.

    One statement for a search. For the lists of many parents it would be a detour: there the rows of each parent are
    looked through.
    """
    conditions: list[Condition] = []
    for condition in page.conditions:
        conditions += await _narrowed(database, page, condition) if isinstance(condition, Search) else [condition]
    return replace(page, conditions=tuple(conditions))


async def _narrowed(database: Database, page: Page, search: Search) -> list[Condition]:
    name = page.listing.table._meta.tablename
    words = [word for word in search.words if all(len(way) >= GRAM for way in word)]
    if not search.args:
        return [search]
    if words and database.dialect == "sqlite":
        found = _full_text(name, words)
        sql = f"SELECT count(*) AS n FROM ({found.sql} LIMIT {SOME + 1})"
        many = (await database.fetch(sql, *found.args))[0]["n"] > SOME
        return [search] if many else [Condition(f"t.rowid IN ({found.sql})", found.args), search]
    conditions = [_trigrams(words), search] if words else [search]
    where = " AND ".join(condition.sql for condition in conditions)
    args = [value for condition in conditions for value in condition.args]
    rows = await database.fetch(f"SELECT t.id FROM {quoted(name)} t WHERE {where} LIMIT {FEW + 1}", *args)
    if len(rows) > FEW:
        return [search]
    return [Condition(database.member("t.id"), (database.array([row["id"] for row in rows]),)), search]


def _full_text(table: str, words: Sequence[tuple[str, ...]]) -> Condition:
    """A query of SQLite's FTS5 with its trigram tokenizer: a quoted string is found as it stands."""
    name = f"{table}_search"
    asked = " AND ".join("(" + " OR ".join(_string(way) for way in word) + ")" for word in words)
    return Condition(f"SELECT rowid FROM {name} WHERE {name} MATCH ?", (asked,))


def _string(way: str) -> str:
    doubled = way.replace('"', '""')
    return f'"{doubled}"'


def _trigrams(words: Sequence[tuple[str, ...]]) -> Condition:
    """PostgreSQL's inverted index over the trigrams of search keys."""
    grams = "counterfoil_trigrams"
    sql = " AND ".join("(" + " OR ".join(f"{grams}(t.search_key) @> {grams}(?)" for _ in word) + ")" for word in words)
    return Condition(sql, tuple(way for word in words for way in word))
