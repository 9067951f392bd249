"""Reading rows by their ids, many at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache

from models.contact import Contact
from models.database import current
from models.identifier import prefix_of
from models.preference_rows import preferences_by_ids
from models.preferences import Preferences
from models.registry import BY_PREFIX
from models.table import Audited, Row, quoted, read_list

ALSO_AT_LIMIT = 100

Load = Callable[[Sequence[str]], Awaitable[list[Row | None]]]


@cache
def by_ids(table: type[Audited]) -> Load:
    """A loader: the rows with these ids, in this order; None for an id that nobody has. One statement.

    Every customer has preferences, also without a row: theirs are `preference_rows.preferences_of`.
    """
    if table is Preferences:
        return preferences_by_ids
    name = quoted(table._meta.tablename)
    names = read_list(table)

    async def load(ids: Sequence[str]) -> list[Row | None]:
        bound = current()
        sql = f"SELECT {names} FROM {name} WHERE {bound.member('id')}"
        found = {row["id"]: row for row in await bound.fetch(sql, bound.array(list(ids)))}
        return [found.get(identifier) for identifier in ids]

    return load


@cache
def count_by(table: type[Audited], column: str) -> Callable[[Sequence[str]], Awaitable[list[int]]]:
    """A loader: how many rows have each of these values in the column. One statement."""
    sql_column = quoted(column)
    name = quoted(table._meta.tablename)

    async def load(values: Sequence[str]) -> list[int]:
        bound = current()
        sql = (
            f"SELECT {sql_column} AS value, count(*) AS n FROM {name}"
            f" WHERE {bound.member(sql_column)} GROUP BY {sql_column}"
        )
        found = {row["value"]: int(row["n"]) for row in await bound.fetch(sql, bound.array(list(values)))}
        return [found.get(value, 0) for value in values]

    return load


async def primary_contacts(customer_ids: Sequence[str]) -> list[Row | None]:
    """A loader: the primary contact of each customer. One statement."""
    bound = current()
    sql = f'SELECT {read_list(Contact)} FROM contact WHERE {bound.member("customer_id")} AND "primary"'
    found = {row["customer_id"]: row for row in await bound.fetch(sql, bound.array(list(customer_ids)))}
    return [found.get(customer_id) for customer_id in customer_ids]


async def also_at(contact_ids: Sequence[str]) -> list[list[Row]]:
    """A loader: the contacts at other customers that are the same person as each of these, by name, 100 at most.

    They are linked by hand, or are one and the same in an accounting system; who is the same as one of them counts,
    too. One statement.
    """
    bound = current()
    who = "id, person_id, origin_system, origin_external_id"
    named = ", ".join(f"c.{name}" for name in who.split(", "))
    rows = await bound.fetch(
        f"WITH RECURSIVE same (start, home, {who}) AS ("
        f"SELECT c.id, c.customer_id, {named} FROM contact c WHERE {bound.member('c.id')}"
        f" UNION SELECT s.start, s.home, {named} FROM same s JOIN contact c ON c.person_id = s.person_id"
        " OR (c.origin_external_id = s.origin_external_id AND c.origin_system = s.origin_system)"
        f") SELECT s.start, {read_list(Contact, 't')} FROM same s JOIN contact t ON t.id = s.id"
        " WHERE t.customer_id <> s.home ORDER BY t.name_key, t.id",
        bound.array(list(contact_ids)),
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.pop("start"), []).append(row)
    return [found.get(contact_id, [])[:ALSO_AT_LIMIT] for contact_id in contact_ids]


async def merged_into(customer_ids: Sequence[str]) -> list[list[str]]:
    """A loader: the ids of the customers that were merged into each customer. One statement."""
    bound = current()
    sql = f"SELECT id, merged_into_id FROM customer WHERE {bound.member('merged_into_id')} ORDER BY id"
    found: dict[str, list[str]] = {}
    for row in await bound.fetch(sql, bound.array(list(customer_ids))):
        found.setdefault(row["merged_into_id"], []).append(row["id"])
    return [found.get(customer_id, []) for customer_id in customer_ids]


async def by_any_id(identifiers: Sequence[str]) -> list[Row | None]:
    """A loader: the audited rows with these ids, of whatever table; one statement for each table among them."""
    by_prefix: dict[str, list[str]] = {}
    for identifier in identifiers:
        prefix = prefix_of(identifier) or ""
        if prefix in BY_PREFIX:
            by_prefix.setdefault(prefix, []).append(identifier)
    found: dict[str, Row] = {}
    for prefix, ids in by_prefix.items():
        found.update({row["id"]: row for row in await by_ids(BY_PREFIX[prefix])(ids) if row is not None})
    return [found.get(identifier) for identifier in identifiers]
