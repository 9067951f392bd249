"""Keyset paging: one page of a table, for the whole of it or for many parents at once, in one statement."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from piccolo.table import Table

from models.engine import Database
from models.table import Row, quoted, read_list

MAX_PAGE = 100
DEFAULT_PAGE = 20

# No table has a column of this name.
_PARENT = "parent of the row"


class BadCursor(Exception):
    """The cursor is not one of ours, or belongs to another order, filter or list."""


class BadPage(Exception):
    """`first` and `last` together, or outside 0 to 100. The message says which."""


@dataclass(frozen=True)
class Key:
    """One sort key: an SQL expression over the alias `t` that is never null, and its value in a row.

    The value is a str, an int up to `largest`, a bool or a datetime.
    """

    sql: str
    value: Callable[[Row], Any]
    kind: type = str
    largest: int = 2**63 - 1

    @classmethod
    def column(cls, name: str, kind: type = str) -> Key:
        """The column of that name."""
        return cls(f"t.{quoted(name)}", lambda row: row[name], kind)

    def decode(self, value: object) -> Any:
        """The value as JSON holds it, such as the database takes it. ValueError or OverflowError for all others."""
        if self.kind is datetime and type(value) is str:
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                raise ValueError("a time without a time zone")
            return at.astimezone(UTC)
        # Not isinstance(): a bool is no number here.
        if type(value) is not self.kind:
            raise ValueError(f"not of type {self.kind.__name__}")
        if isinstance(value, int) and abs(value) > self.largest:
            raise ValueError("beyond what the column holds")
        # encode() raises ValueError for halves of characters; PostgreSQL's texts hold no NUL either.
        if isinstance(value, str) and b"\0" in value.encode():
            raise ValueError("a character that no text holds")
        return value


@dataclass(frozen=True)
class Condition:
    """A WHERE condition over the alias `t`, with its arguments."""

    sql: str
    args: tuple[Any, ...] = ()

    @classmethod
    def one_of(cls, column: str, values: Sequence[Any]) -> Condition:
        """The column has one of the values; without any, no row does."""
        distinct = tuple(dict.fromkeys(values))
        return cls(f"{column} IN ({', '.join('?' for _ in distinct)})", distinct) if distinct else cls("1 = 0")


@dataclass(frozen=True)
class Listing:
    """What can be listed: a table, its orders (the last key of each is unique), and the column of the parent.

    `always` are conditions that every page of the list has, whatever its filter. `also` is a loader: for each parent
    the further values of that column whose rows are in its list, too. `through` stands in place of `parent` where
    another table says which rows belong to a parent: a condition over the alias `t`, with {parent} where its value is.
    """

    table: type[Table]
    orders: Mapping[str, tuple[Key, ...]]
    default_order: str
    parent: str | None = None
    descending: bool = False
    always: tuple[Condition, ...] = ()
    also: Callable[[Sequence[str]], Awaitable[Sequence[Sequence[str]]]] | None = None
    through: str | None = None

    @property
    def nested(self) -> bool:
        """Whether it is the list of a parent."""
        return self.parent is not None or self.through is not None

    def belongs(self, parent: str) -> str:
        """The condition that a row belongs to the parent with the value of this SQL expression."""
        return self.through.format(parent=parent) if self.through else f"t.{quoted(self.parent or '')} = {parent}"


@dataclass(frozen=True)
class Page:
    """One request for a page. `signature` ties cursors to the list, its order and its filter."""

    listing: Listing
    order: str
    descending: bool
    backward: bool
    size: int
    cursor: tuple[Any, ...] | None
    conditions: tuple[Condition, ...]
    signature: str

    @property
    def keys(self) -> tuple[Key, ...]:
        """The sort keys of the chosen order."""
        return self.listing.orders[self.order]

    def cursor_of(self, row: Row) -> str:
        """The opaque cursor of a row in this list."""
        values = [key.value(row) for key in self.keys]
        text = json.dumps([self.signature, *values], default=_encode, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass
class Slice:
    """The rows of one page, in the list's order."""

    page: Page
    rows: list[Row] = field(default_factory=list)
    has_next: bool = False
    has_previous: bool = False


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a sort key cannot be {type(value).__name__}")


def request_page(
    listing: Listing,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    order: str | None = None,
    descending: bool | None = None,
    conditions: Sequence[Condition] = (),
) -> Page:
    """Check the arguments of a connection. Raises BadPage or BadCursor."""
    if first is not None and last is not None:
        raise BadPage("Use first or last, not both.")
    if (last is not None and after is not None) or (first is not None and before is not None):
        raise BadPage("Use first with after, or last with before.")
    backward = last is not None or before is not None
    size = last if last is not None else first
    size = DEFAULT_PAGE if size is None else size
    if not 0 <= size <= MAX_PAGE:
        raise BadPage(f"{'last' if backward else 'first'} must be from 0 to {MAX_PAGE}.")
    order = order or listing.default_order
    descending = listing.descending if descending is None else descending
    conditions = (*listing.always, *conditions)
    described = [listing.table._meta.tablename, order, descending, [[c.sql, c.args] for c in conditions]]
    signature = hashlib.sha256(json.dumps(described, default=_encode).encode()).hexdigest()[:12]
    text = before if backward else after
    cursor = None if text is None else _decode(text, signature, listing.orders[order])
    return Page(listing, order, descending, backward, size, cursor, conditions, signature)


def _decode(text: str, signature: str, keys: tuple[Key, ...]) -> tuple[Any, ...]:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(keys) + 1:
            raise BadCursor
        if values[0] != signature:
            raise BadCursor
        return tuple(key.decode(value) for key, value in zip(keys, values[1:], strict=True))
    except (binascii.Error, ValueError, OverflowError, RecursionError):
        raise BadCursor from None


async def fetch_page(database: Database, page: Page) -> Slice:
    """The page of the whole list."""
    where, args = _where(page)
    sql = f"SELECT {_columns(page)} FROM {_name(page)} t{where}{_order(page)} LIMIT {page.size + 1}"
    return sliced(page, await database.fetch(sql, *args))


async def fetch_pages(database: Database, page: Page, parents: Sequence[str]) -> list[Slice]:
    """The same page for each parent, in their order: one statement whatever their number, and that of `also`."""
    if not page.listing.nested:
        raise TypeError("this list has no parent")
    members = await _members(page, parents)
    values = list(dict.fromkeys(value for some in members for value in some))
    by_value = await _fetch_for(database, page, values)
    return [sliced(page, merged(page, [by_value[value] for value in some])) for some in members]


async def _members(page: Page, parents: Sequence[str]) -> list[list[str]]:
    """The values of the parent column that belong to each parent."""
    if page.listing.also is None:
        return [[parent] for parent in parents]
    return [[parent, *more] for parent, more in zip(parents, await page.listing.also(parents), strict=True)]


def merged(page: Page, parts: Sequence[list[Row]]) -> list[Row]:
    """One list of several, each in the order in which the page is read: at most one row more than the page has."""
    if len(parts) == 1:
        return parts[0]
    rows = [row for part in parts for row in part]
    rows.sort(key=lambda row: tuple(key.value(row) for key in page.keys), reverse=page.descending != page.backward)
    return rows[: page.size + 1]


async def _fetch_for(database: Database, page: Page, parents: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each parent."""
    if len(parents) == 1:
        where, args = _where(page, page.listing.belongs("?"))
        sql = f"SELECT {_columns(page)} FROM {_name(page)} t{where}{_order(page)} LIMIT {page.size + 1}"
        return {parents[0]: await database.fetch(sql, parents[0], *args)}
    where, args = _where(page, page.listing.belongs("p.value"))
    limited = f"FROM {_name(page)} t{where}{_order(page)} LIMIT {page.size + 1}"
    array = database.array(list(parents))
    # Where no column of the row says whose it is, the statement does.
    column = page.listing.parent or _PARENT
    parent = f"p.value AS {quoted(_PARENT)}, " if page.listing.parent is None else ""
    if database.dialect == "postgres":
        rows = f"unnest(?::text[]) p(value) CROSS JOIN LATERAL (SELECT {_columns(page)} {limited}) x"
        sql = f"SELECT {parent}x.* FROM {rows}"
    else:
        unique = page.keys[-1].sql
        sql = (
            f"SELECT {parent}{_columns(page)} FROM json_each(?) p JOIN {_name(page)} t"
            f" ON {unique} IN (SELECT {unique} {limited}){_order(page)}"
        )
    found: dict[str, list[Row]] = {value: [] for value in parents}
    for row in await database.fetch(sql, array, *args):
        found[row[column]].append(row)
    return found


async def count(database: Database, page: Page) -> int:
    """How many rows the whole list has."""
    where, args = _where(page, paged=False)
    rows = await database.fetch(f"SELECT count(*) AS n FROM {_name(page)} t{where}", *args)
    return int(rows[0]["n"])


async def counts(database: Database, page: Page, parents: Sequence[str]) -> list[int]:
    """How many rows the list of each parent has, in one statement, and that of `also`."""
    members = await _members(page, parents)
    array = database.array(list(dict.fromkeys(value for some in members for value in some)))
    if page.listing.parent is not None:
        column = f"t.{quoted(page.listing.parent)}"
        where, args = _where(page, database.member(column), paged=False)
        sql = f"SELECT {column} AS parent, count(*) AS n FROM {_name(page)} t{where} GROUP BY {column}"
    else:
        where, args = _where(page, page.listing.belongs("p.value"), paged=False)
        each = "unnest(?::text[]) p(value)" if database.dialect == "postgres" else "json_each(?) p"
        sql = f"SELECT p.value AS parent, count(*) AS n FROM {each} CROSS JOIN {_name(page)} t{where} GROUP BY p.value"
    rows = await database.fetch(sql, array, *args)
    found = {row["parent"]: int(row["n"]) for row in rows}
    return [sum(found.get(value, 0) for value in some) for some in members]


def _name(page: Page) -> str:
    return quoted(page.listing.table._meta.tablename)


def _columns(page: Page) -> str:
    return read_list(page.listing.table, "t")


def _where(page: Page, parent: str | None = None, *, paged: bool = True) -> tuple[str, list[Any]]:
    parts = [parent] if parent else []
    args: list[Any] = []
    for condition in page.conditions:
        parts.append(condition.sql)
        args.extend(condition.args)
    if paged and page.cursor is not None:
        forward = page.descending == page.backward
        sides = ", ".join(key.sql for key in page.keys), ", ".join("?" for _ in page.keys)
        parts.append(f"({sides[0]}) {'>' if forward else '<'} ({sides[1]})")
        args.extend(page.cursor)
    return (" WHERE " + " AND ".join(parts) if parts else ""), args


def _order(page: Page) -> str:
    direction = "ASC" if page.descending == page.backward else "DESC"
    return " ORDER BY " + ", ".join(f"{key.sql} {direction}" for key in page.keys)


def sliced(page: Page, rows: list[Row]) -> Slice:
    """The page of rows in the order in which they were read: one more than it has, if there are more."""
    more = len(rows) > page.size
    rows = rows[: page.size]
    if page.backward:
        rows.reverse()
        return Slice(page, rows, has_next=page.cursor is not None, has_previous=more)
    return Slice(page, rows, has_next=more, has_previous=page.cursor is not None)
