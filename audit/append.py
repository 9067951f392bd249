"""Appending to the history: the last thing a transaction does, as one program.

Events are numbered here: take the append lock, then in a second statement read the last event (lock and read in one
statement would read a stale snapshot), then count on. So `seq` is dense and in commit order, and `at` never runs back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from audit.actor import Actor, Request
from audit.event import EVENT_COLUMNS, Composed, Pending, compose
from models.engine import Database
from models.engine.program import Program
from models.registry import BY_PREFIX
from models.table import column_list, decode_row, quoted

# Any number will do, as long as nobody else in the database uses it: "ctfl" in ASCII.
APPEND_LOCK = 0x6374666C

_EVENT_TYPES = {"seq": "bigint", "at": "timestamptz", "revision": "integer"}


def append(
    database: Database,
    pending: Sequence[Pending],
    actor: Actor,
    request: Request,
    now: datetime,
    labels: dict[str, str],
) -> Program[list[int]]:
    """Store the events in order; their `seq`s. `labels` are names of rows that are known already, by id."""
    yield from _label(database, pending, labels)
    if database.dialect == "postgres":
        yield "SELECT pg_advisory_xact_lock(?)", (APPEND_LOCK,)
    last = yield "SELECT seq, at FROM event ORDER BY seq DESC LIMIT 1", ()
    seq = last[0]["seq"] if last else 0
    at = last[0]["at"] if last else None
    composed = []
    for event in pending:
        seq += 1
        at = now if at is None else max(now, at + timedelta(microseconds=1))
        customer = labels.get(event.customer_id) if event.customer_id else None
        composed.append(compose(event, seq=seq, at=at, actor=actor, request=request, customer_label=customer))
    store = _store_postgres if database.dialect == "postgres" else _store_sqlite
    yield from store(composed)
    yield from _bodies(database, pending)
    return [event.row[0] for event in composed]


def _label(database: Database, pending: Sequence[Pending], labels: dict[str, str]) -> Program[None]:
    """Find the names of customers and of what changed references point to: one statement for each table."""
    wanted: dict[str, None] = {}
    for event in pending:
        if event.customer_id:
            wanted[event.customer_id] = None
        for change in event.changes.values():
            wanted.update(dict.fromkeys(change[side] for side in change.get("references", ()) if change[side]))
    by_prefix: dict[str, list[str]] = {}
    for identifier in wanted:
        prefix = identifier.rpartition("_")[0]
        # An id that was forced into the database may have any form.
        if identifier not in labels and prefix in BY_PREFIX:
            by_prefix.setdefault(prefix, []).append(identifier)
    for prefix, ids in by_prefix.items():
        table = BY_PREFIX[prefix]
        name = quoted(table._meta.tablename)
        rows = yield (
            f"SELECT {column_list(table)} FROM {name} WHERE {database.member('id')}",
            (database.array(ids),),
        )
        labels.update({row["id"]: table.label(decode_row(table, row)) for row in rows})
    for event in pending:
        for change in event.changes.values():
            for side in change.pop("references", ()):
                if change[side]:
                    change[f"{side}Text"] = labels.get(change[side])


def _store_sqlite(composed: Iterable[Composed]) -> Program[None]:
    places = ", ".join("?" for _ in EVENT_COLUMNS)
    for event in composed:
        yield f"INSERT INTO event ({', '.join(EVENT_COLUMNS)}) VALUES ({places})", event.row
        rows = ", ".join("(?, ?, ?)" for _ in event.details)
        args = tuple(value for about, texts in event.details for value in (event.row[0], about, texts))
        yield f"INSERT INTO event_detail (seq, about, disclosures) VALUES {rows}", args


def _store_postgres(composed: Sequence[Composed]) -> Program[None]:
    arrays = ", ".join(f"?::{_EVENT_TYPES.get(name, 'text')}[]" for name in EVENT_COLUMNS)
    values = tuple(list(column) for column in zip(*(event.row for event in composed), strict=True))
    yield f"INSERT INTO event ({', '.join(EVENT_COLUMNS)}) SELECT * FROM unnest({arrays})", values
    details = [(event.row[0], about, texts) for event in composed for about, texts in event.details]
    yield (
        "INSERT INTO event_detail (seq, about, disclosures) SELECT * FROM unnest(?::bigint[], ?::text[], ?::text[])",
        tuple(list(column) for column in zip(*details, strict=True)),
    )


def _bodies(database: Database, pending: Iterable[Pending]) -> Program[None]:
    bodies = {(event.about, key): body for event in pending for key, body in event.bodies.items()}
    rows = [(about, key, body) for (about, key), body in bodies.items()]
    if not rows:
        return
    unknown = "WHERE NOT EXISTS (SELECT 1 FROM event_body b WHERE b.about = n.about AND b.digest = n.digest)"
    insert = "INSERT INTO event_body (about, digest, body) SELECT n.about, n.digest, n.body FROM"
    if database.dialect == "postgres":
        source = "unnest(?::text[], ?::text[], ?::text[]) AS n (about, digest, body)"
        yield f"{insert} {source} {unknown}", tuple(list(column) for column in zip(*rows, strict=True))
        return
    for row in rows:
        yield f"{insert} (SELECT ? AS about, ? AS digest, ? AS body) n {unknown}", row
