"""Drift: where live tables are not what history says, because somebody wrote past the recorder; and its adoption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from piccolo.columns import Timestamptz

from audit.action import action_of
from audit.actor import DATABASE, Request
from audit.append import APPEND_LOCK
from audit.body import bodies
from audit.change import Change
from audit.difference import recorded_columns, recorded_value
from audit.event import Pending, body_digest
from audit.fold import Key, LongText, State, fold
from audit.recorder import transact
from models.engine import Database
from models.fault import Fault
from models.registry import AUDITED, LOCKED
from models.table import Audited, Row, column_list, decode_row, quoted

REASON = "Found when the tables were compared with history. Columns that derive from others were computed again."

# So many rows at a time are compared, and adopted in one transaction.
BATCH = 500


@dataclass(frozen=True)
class Drift:
    """A row that is not what history says.

    `before` is the row by history, as far as its columns are known, None when it should not exist; `after` is the live
    row, None when it is gone. `kind` is created, updated or deleted, `fields` the columns that differ in an updated
    row, `revision` the last one in history, 0 for a row without any.
    """

    table: type[Audited]
    id: str
    kind: str
    before: Row | None
    after: Row | None
    fields: tuple[str, ...]
    revision: int


async def drift(database: Database) -> list[Drift]:
    """Compare history with all audited tables, in order of ids. Nothing found means fold(history) = live tables.

    History does not hold the values of secret columns: of those only one that was set although it never had been is
    found. Columns whose details were removed from history are not compared. A derived column must be what derives
    from the live row. ValueError names a row that cannot be read at all.
    """
    found: list[Drift] = []
    position: str | None = ""
    while position is not None:
        ids, tables = await _next_ids(database, position)
        if await _compare(database, ids, tables):
            # It may only look so: somebody may have committed between two statements. Nobody can now.
            async with database.write():
                await _keep_from_committing(database)
                found += await _compare(database, ids, AUDITED)
        position = ids[-1] if len(ids) == BATCH else None
    return found


async def adopt(database: Database, drifts: Sequence[Drift]) -> list[int]:
    """Bring history up to what was forced, with events whose actor is the database; their numbers.

    Each row is compared anew, under a lock. Afterwards history says what the live row is, the row's revision is above
    all that were known, and its derived columns are right; what they were forced to be is in the event. A derived
    column that would repeat a unique one of another row stays as it is, and is found again. `database` is the bound
    one.
    """
    seqs: list[int] = []
    for start in range(0, len(drifts), BATCH):
        seqs += await _adopt(database, drifts[start : start + BATCH])
    return seqs


async def _adopt(database: Database, drifts: Sequence[Drift], *, mend: bool = True) -> list[int]:
    ids = sorted({drift.id for drift in drifts})

    async def work(change: Change) -> None:
        await _lock_rows(database, ids)
        await _keep_from_committing(database)
        for found in await _compare(database, ids, AUDITED):
            told = found.kind == "updated" and found.table.derived.issuperset(found.fields)
            if mend or not told:
                await _adopt_one(change, found, mend)

    try:
        _, seqs = await transact(DATABASE, Request.new(REASON), work)
    except Fault:
        if len(drifts) == 1:
            return await _adopt(database, drifts, mend=False)
        middle = len(drifts) // 2
        return await _adopt(database, drifts[:middle]) + await _adopt(database, drifts[middle:])
    return seqs


async def _adopt_one(change: Change, found: Drift, mend: bool) -> None:
    table, before = found.table, found.before
    if before is not None:
        unknown = [name for name in recorded_columns(table) if name not in before]
        if found.after is not None:
            before = {**{name: found.after[name] for name in unknown}, **before}
        elif table.secret.issuperset(unknown):
            before = {**dict.fromkeys(unknown, "unknown"), **before}
        else:
            action = action_of(table, "deleted")
            change.append(Pending(action, table.subject, found.id, found.revision, found.id, found.id))
            return
    await change.adopt(table, before, found.after, found.revision, mend=mend)


async def _next_ids(database: Database, position: str) -> tuple[list[str], list[type[Audited]]]:
    """The next ids that history or a table has, at most BATCH; and the tables that have some of them."""
    sources = [("event", "subject_id"), *((quoted(table._meta.tablename), "id") for table in AUDITED)]
    parts = " UNION ALL ".join(
        f"SELECT id, {1 << number} AS source FROM (SELECT DISTINCT {column} AS id FROM {table} WHERE {column} > ?"
        f" ORDER BY {column} LIMIT {BATCH}) AS part{number}"
        for number, (table, column) in enumerate(sources)
    )
    sql = f"SELECT id, sum(source) AS sources FROM ({parts}) AS ids GROUP BY id ORDER BY id LIMIT {BATCH}"
    rows = await database.fetch(sql, *(position for _ in sources))
    found = 0
    for row in rows:
        found |= row["sources"]
    return [row["id"] for row in rows], [table for number, table in enumerate(AUDITED, 1) if found & 1 << number]


async def _keep_from_committing(database: Database) -> None:
    """Nobody commits recorded changes until this transaction ends; on SQLite nobody could since it began.

    Who takes this lock takes no other afterwards: those who wait for it may hold any row.
    """
    if database.dialect == "postgres":
        await database.fetch("SELECT pg_advisory_xact_lock(?)", APPEND_LOCK)


async def _lock_rows(database: Database, ids: Sequence[str]) -> None:
    """Lock what will be adopted before the append lock, in the order in which all others lock rows, too."""
    if database.dialect == "postgres":
        for table in LOCKED:
            name = quoted(table._meta.tablename)
            sql = f"SELECT id FROM {name} WHERE {database.member('id')} ORDER BY id FOR UPDATE"
            await database.fetch(sql, database.array(ids))


async def _compare(database: Database, ids: Sequence[str], tables: Sequence[type[Audited]]) -> list[Drift]:
    """What is not as history says, of the rows with these ids. `tables` are those that may have some of them."""
    live = await _live(database, ids, tables)
    states = await fold(database, ids)
    for key in live.keys() - states.keys():
        states[key] = State()
    suspects = {key: state for key, state in states.items() if _differs(key[0], state, live.get(key))}
    named = [value for state in suspects.values() for value in state.values.values() if isinstance(value, LongText)]
    texts = await bodies(database, named)
    found = []
    for (table, identifier), state in sorted(suspects.items(), key=lambda item: item[0][1]):
        state.values = {
            name: value for name, value in state.values.items() if not isinstance(value, LongText) or value in texts
        }
        row = live.get((table, identifier))
        if _differs(table, state, row):
            found.append(_drift(table, identifier, state, row, texts))
    return found


async def _live(database: Database, ids: Sequence[str], tables: Sequence[type[Audited]]) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for table in tables:
        sql = f"SELECT {column_list(table)} FROM {quoted(table._meta.tablename)} WHERE {database.member('id')}"
        for row in await database.fetch(sql, database.array(ids)):
            try:
                decode_row(table, row)
                table.derive(row)
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                message = f"The {table.subject.value} {row['id']} holds what the product cannot read: {error!r}"
                raise ValueError(message) from error
            rows[table, row["id"]] = row
    return rows


def _differs(table: type[Audited], state: State, row: Row | None) -> bool:
    if row is None or not state.exists:
        return state.exists or row is not None
    return bool(_fields(table, state, row))


def _fields(table: type[Audited], state: State, row: Row) -> list[str]:
    fields = [name for name, value in state.values.items() if _recorded(table, name, row[name]) != _digest(value)]
    fields += [name for name, value in table.derive(row).items() if row[name] != value]
    return fields if row["revision"] == state.revision else [*fields, "revision"]


def _recorded(table: type[Audited], name: str, value: Any) -> Any:
    return body_digest(value) if name in table.long and value is not None else recorded_value(value)


def _digest(value: Any) -> Any:
    return value.digest if isinstance(value, LongText) else value


def _drift(
    table: type[Audited], identifier: str, state: State, row: Row | None, texts: Mapping[tuple[str, str], str]
) -> Drift:
    before: Row | None = None
    if state.exists:
        before = {name: _live_value(table, name, value, texts) for name, value in state.values.items()}
        before |= {"id": identifier, "revision": state.revision}
        if before.keys() >= set(recorded_columns(table)) - table.secret:
            before |= table.derive(before)
    if row is None:
        return Drift(table, identifier, "deleted", before, None, (), state.revision)
    if before is None:
        return Drift(table, identifier, "created", None, row, (), state.revision)
    return Drift(table, identifier, "updated", before, row, tuple(_fields(table, state, row)), state.revision)


def _live_value(table: type[Audited], name: str, value: Any, texts: Mapping[tuple[str, str], str]) -> Any:
    if isinstance(value, LongText):
        return texts[value]
    if value is not None and isinstance(table._meta.get_column_by_name(name), Timestamptz):
        return datetime.fromisoformat(value)
    return value
