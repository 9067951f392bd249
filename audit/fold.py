"""The fold of history: the state of audited rows, rebuilt from nothing but the events about them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from audit.action import is_change
from audit.difference import recorded_columns
from audit.event import SUBJECT_LABEL, read_disclosures
from models.engine import Database, Row
from models.registry import BY_SUBJECT
from models.table import Audited

# So many events at a time are in memory.
PAGE = 2_000

Key = tuple[type[Audited], str]


class LongText(NamedTuple):
    """Where the text of a long column stands in `event_body`."""

    about: str
    digest: str


@dataclass
class State:
    """A row as its events leave it; `revision` is the last one, also when the row is gone.

    `values` are the recorded columns as events hold them: times as text, long texts as LongText. A column that is
    missing is unknown: a secret that has been set, or one whose details have been removed.
    """

    exists: bool = False
    revision: int = 0
    values: dict[str, Any] = field(default_factory=dict)


async def fold(database: Database, ids: Sequence[str]) -> dict[Key, State]:
    """The states of the rows with these `ids`, by table and id, deleted ones included; without events there is none.

    Two statements for every `PAGE` events.
    """
    states: dict[Key, State] = {}
    async for page in _pages(database, ids):
        details = await _details(database, page)
        for event in page:
            table = BY_SUBJECT.get(event["subject_type"])
            if table is not None and is_change(event["action"]):
                state = states.setdefault((table, event["subject_id"]), State())
                _apply(table, state, event, details.get(event["seq"], []))
    return states


async def _pages(database: Database, ids: Sequence[str]) -> AsyncIterator[list[Row]]:
    """The events about `ids`, for each id in order of seq."""
    sql = (
        "SELECT seq, action, subject_type, subject_id, revision FROM event"
        f" WHERE {database.member('subject_id')} AND (subject_id, seq) > (?, ?)"
        f" ORDER BY subject_id, seq LIMIT {PAGE}"
    )
    position: tuple[str, int] = ("", 0)
    while page := await database.fetch(sql, database.array(ids), *position):
        yield page
        if len(page) < PAGE:
            return
        position = (page[-1]["subject_id"], page[-1]["seq"])


async def _details(database: Database, page: Sequence[Row]) -> dict[int, list[Row]]:
    rows = await database.fetch(
        f"SELECT seq, about, disclosures FROM event_detail WHERE {database.member('seq')} ORDER BY seq",
        database.array([event["seq"] for event in page]),
    )
    return {seq: list(group) for seq, group in groupby(rows, key=itemgetter("seq"))}


def _apply(table: type[Audited], state: State, event: Row, details: Sequence[Row]) -> None:
    state.revision = event["revision"]
    state.exists = not event["action"].endswith(".deleted")
    disclosed = {name: (row["about"], value) for row in details for name, value in read_disclosures(row["disclosures"])}
    if SUBJECT_LABEL not in disclosed or not state.exists:
        # The label stands beside the changes: without it, nobody knows any more which columns had changed.
        state.values.clear()
    elif event["action"].endswith(".created"):
        state.values = {**dict.fromkeys(recorded_columns(table)), **table.added}
    for name in recorded_columns(table):
        if name in disclosed and state.exists:
            about, change = disclosed[name]
            if change.get("secret"):
                state.values.pop(name, None)
            elif name in table.long:
                digest = change.get("afterDigest")
                state.values[name] = LongText(about, digest) if digest else None
            else:
                state.values[name] = change["after"]
