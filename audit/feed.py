"""Following the history: the events after a position that fit a filter, in order, each once, and without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from audit.action import Action
from audit.history import conditions
from audit.tail import COLUMNS, Tail
from models.database import current
from models.listing import Condition
from models.out_of_reach import patiently
from models.rows import merged_into
from models.table import Row

PAGE = 100
# So many events of the past are looked through at once, also where few fit.
SPAN = 100_000

# What stands on a sales document is not in the History view of its customer.
VIEW = Condition("t.sales_document_id IS NULL")


@dataclass(frozen=True)
class Following:
    """What a feed follows: the events that fit `wanted`, as audit.history.conditions takes it.

    `view`: only those of the History view, without those that stand on sales documents.
    """

    wanted: Mapping[str, Any]
    view: bool = False


async def beginning(tail: Tail, following: Following) -> int:
    """The position of a feed that continues none: before the first event of its time, or at the newest event."""
    begins: datetime | None = following.wanted.get("from_")
    if begins is None:
        return tail.last
    sql = "SELECT t.seq FROM event t WHERE t.at >= ? ORDER BY t.at LIMIT 1"
    rows = await patiently(lambda: current().fetch(sql, begins))
    return rows[0]["seq"] - 1 if rows else tail.last


async def follow(tail: Tail, position: int, following: Following, seconds: float) -> AsyncGenerator[list[Row], None]:
    """The events after `position`, oldest first, without end; some at a time, none when none fitted for `seconds`.

    Those who read slowly hold up nobody: what the tail does not keep any more is read from the database. Unavailable
    when that stays out of reach.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    fits: Callable[[Row], bool] | None = None
    while True:
        rows = tail.newer(position)
        if rows is None:
            # Customers may be merged in what is passed over here.
            fits = None
            # All events up to the tail's last were committed before this statement, so none can turn up later.
            bound = min(tail.last, position + SPAN)
            async with tail.paging:
                # Who waited for those that waited for the database does not begin to wait for it.
                tail.check()
                rows = await _page(position, bound, following)
            position = rows[-1]["seq"] if len(rows) == PAGE else bound
        else:
            position = rows[-1]["seq"] if rows else position
            if fits is None or any(row["action"] == Action.CUSTOMER_MERGED.value for row in rows):
                fits = await _predicate(following)
            rows = [row for row in rows if fits(row)]
        if not rows and tail.last <= position:
            await tail.wait(position, due - loop.time())
        if rows or loop.time() >= due:
            yield rows
            due = loop.time() + seconds


async def _page(position: int, bound: int, following: Following) -> list[Row]:
    also = [*conditions(following.wanted), *([VIEW] if following.view else [])]
    where = " AND ".join(["t.seq > ?", "t.seq <= ?", *(condition.sql for condition in also)])
    args = [value for condition in also for value in condition.args]
    sql = f"SELECT {COLUMNS} FROM event t WHERE {where} ORDER BY t.seq LIMIT {PAGE}"
    return await patiently(lambda: current().fetch(sql, position, bound, *args))


async def _predicate(following: Following) -> Callable[[Row], bool]:
    """`conditions` for rows that have been read already: the same, without a statement for each feed."""
    wanted = {name: value for name, value in following.wanted.items() if value is not None}
    tests: list[Callable[[Row], bool]] = [
        _is_one_of(name, [wanted[name]]) for name in ("sales_document_id", "subject_id", "actor_id") if name in wanted
    ]
    if "customer_id" in wanted:
        [merged] = await patiently(lambda: merged_into([wanted["customer_id"]]))
        tests.append(_is_one_of("customer_id", [wanted["customer_id"], *merged]))
    for name, column in (("actor_kinds", "actor_kind"), ("categories", "category"), ("actions", "action")):
        if name in wanted:
            values: Sequence[Enum] = wanted[name]
            tests.append(_is_one_of(column, [value.value for value in values]))
    if "from_" in wanted:
        tests.append(lambda row: row["at"] >= wanted["from_"])
    if "to" in wanted:
        tests.append(lambda row: row["at"] < wanted["to"])
    if following.view:
        tests.append(lambda row: row["sales_document_id"] is None)
    return lambda row: all(test(row) for test in tests)


def _is_one_of(column: str, values: Sequence[str]) -> Callable[[Row], bool]:
    allowed = frozenset(values)
    return lambda row: row[column] in allowed
