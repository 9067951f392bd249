"""The outbox: messages that wait for a mail server. Written in the transaction of the events that say so.

Who attempts messages claims them first, in a transaction of its own, by a lease; afterwards it records what came of
them in another one, if the lease is still its own. Rows are locked in the order of their ids, before any delivery.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from models.communication import Communication, Delivery, DeliveryStatus
from models.database import current
from models.mailing import OutboxMessage
from models.preferences import SETTINGS_ID
from models.table import Row, column_list, decode_row, encode

# A message that could not be delivered for so long after its first attempt fails.
KEPT_TRYING = timedelta(hours=48)

# A delivery that is anything else needs no further attempt.
OPEN = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN, DeliveryStatus.DEFERRED})

# Called when this process has committed messages that wait.
listeners: list[Callable[[], None]] = []

_MESSAGES = column_list(OutboxMessage)


class Waiting(NamedTuple):
    """What the outbox holds for whoever attempts messages now: those that are due, leases that have run out."""

    due: bool
    expired: bool


async def enqueue(communication_id: str, message_ids: Sequence[str], due_at: datetime) -> None:
    """Let messages wait for an attempt from `due_at` on, in the transaction that records their deliveries."""
    places = ", ".join("(?, ?, ?, ?, 0)" for _ in message_ids)
    rows = [(message_id, communication_id, due_at, due_at + KEPT_TRYING) for message_id in message_ids]
    await current().fetch(
        f"INSERT INTO outbox_message (message_id, communication_id, due_at, expires_at, attempts) VALUES {places}",
        *(value for row in rows for value in row),
    )
    current().after_commit(_tell)


def _tell() -> None:
    for listener in listeners:
        listener()


async def look(now: datetime) -> Waiting:
    """Whether there is anything to do. One statement, which takes no locks."""
    due = "SELECT 1 FROM outbox_message WHERE lease IS NULL AND due_at <= ?"
    expired = "SELECT 1 FROM outbox_message WHERE leased_until <= ?"
    [row] = await current().fetch(f"SELECT EXISTS ({due}) AS due, EXISTS ({expired}) AS expired", now, now)
    return Waiting(bool(row["due"]), bool(row["expired"]))


async def claim(lease: str, now: datetime, until: datetime, most: int) -> list[Row]:
    """Lease `most` of the due messages at most, each with one more attempt, in a write transaction that is open.

    The time for which a message is tried begins with its first attempt: until then it has waited for us. Those that
    somebody else claims at the same moment are left to them.
    """
    bound = current()
    skip = " FOR UPDATE SKIP LOCKED" if bound.dialect == "postgres" else ""
    rows = await bound.fetch(
        "WITH due AS (SELECT message_id FROM outbox_message WHERE lease IS NULL AND due_at <= ?"
        f" ORDER BY due_at, message_id LIMIT {most:d}{skip})"
        " UPDATE outbox_message SET lease = ?, leased_until = ?, attempts = attempts + 1,"
        " expires_at = CASE WHEN attempts = 0 THEN ? ELSE expires_at END"
        f" WHERE message_id IN (SELECT message_id FROM due) RETURNING {_MESSAGES}",
        now,
        lease,
        until,
        now + KEPT_TRYING,
    )
    return sorted((decode_row(OutboxMessage, row) for row in rows), key=lambda row: (row["due_at"], row["message_id"]))


async def held(messages: Collection[Row]) -> set[str]:
    """The ids of those of the claimed messages that nobody else has claimed since, locked until the end of the
    transaction: their lease stands, or somebody has taken them back when it ran out, and no more.
    """
    bound = current()
    claimed = {message["message_id"]: message for message in messages}
    rows = await bound.fetch(
        f"SELECT message_id, lease, attempts FROM outbox_message WHERE {bound.member('message_id')}"
        f" ORDER BY message_id{_locked()}",
        bound.array(list(claimed)),
    )
    return {
        row["message_id"]
        for row in rows
        if row["lease"] == (ours := claimed[row["message_id"]])["lease"]
        or (row["lease"] is None and row["attempts"] == ours["attempts"])
    }


async def expired(now: datetime, most: int, only: str | None = None) -> list[Row]:
    """Messages whose leases have run out, `most` at most, locked until the end of the transaction; with `only` none
    but the one with this id.
    """
    condition, args = ("", ()) if only is None else (" AND message_id = ?", (only,))
    skip = " SKIP LOCKED" if current().dialect == "postgres" else ""
    rows = await current().fetch(
        f"SELECT {_MESSAGES} FROM outbox_message WHERE leased_until <= ?{condition}"
        f" ORDER BY message_id LIMIT {most:d}{_locked()}{skip}",
        now,
        *args,
    )
    return [decode_row(OutboxMessage, row) for row in rows]


async def remove(message_ids: Collection[str]) -> None:
    """Let messages go whose deliveries need no further attempt."""
    if message_ids:
        bound = current()
        sql = f"DELETE FROM outbox_message WHERE {bound.member('message_id')}"
        await bound.fetch(sql, bound.array(list(message_ids)))


async def reschedule(again: Mapping[str, tuple[datetime, Sequence[str]]]) -> None:
    """Give messages back, by id: when they are due again, and which of their deliveries are still to be sent."""
    if not again:
        return
    bound = current()
    rows = [(message_id, due_at, encode(list(waiting))) for message_id, (due_at, waiting) in again.items()]
    update = (
        "UPDATE outbox_message SET lease = NULL, leased_until = NULL, due_at = v.due_at, waiting = v.waiting"
        " FROM {} WHERE outbox_message.message_id = v.message_id"
    )
    if bound.dialect == "postgres":
        source = "unnest(?::text[], ?::timestamptz[], ?::text[]) AS v (message_id, due_at, waiting)"
        await bound.fetch(update.format(source), *(list(column) for column in zip(*rows, strict=True)))
        return
    places = ", ".join("(?, ?, ?)" for _ in rows)
    values = f"WITH v (message_id, due_at, waiting) AS (VALUES {places}) "
    await bound.fetch(values + update.format("v"), *(value for row in rows for value in row))


async def release(message_ids: Collection[str], lease: str) -> None:
    """Give messages back that were claimed with this lease and not attempted, in a write transaction that is open."""
    bound = current()
    await bound.fetch(
        "UPDATE outbox_message SET lease = NULL, leased_until = NULL, attempts = attempts - 1"
        f" WHERE lease = ? AND {bound.member('message_id')}",
        lease,
        bound.array(list(message_ids)),
    )


async def deliveries(messages: Collection[Row]) -> dict[str, list[Row]]:
    """All deliveries of each of the messages, by message id: as they stand in its headers. One statement."""
    bound = current()
    found: dict[str, list[Row]] = {message["message_id"]: [] for message in messages}
    sql = (
        f"SELECT {column_list(Delivery)} FROM delivery WHERE {bound.member('message_id')}"
        " ORDER BY message_id, created_at, id"
    )
    for row in await bound.fetch(sql, bound.array(list(found))):
        found[row["message_id"]].append(decode_row(Delivery, row))
    return found


async def communications(identifiers: Collection[str]) -> dict[str, Row]:
    """The communications with these ids. One statement."""
    bound = current()
    sql = f"SELECT {column_list(Communication)} FROM communication WHERE {bound.member('id')}"
    rows = await bound.fetch(sql, bound.array(sorted(identifiers)))
    return {row["id"]: decode_row(Communication, row) for row in rows}


async def letterhead() -> Row:
    """What the settings say about whoever writes: `company` and `reply_to`, None as long as nobody has said it."""
    rows = await current().fetch("SELECT company, reply_to FROM settings WHERE id = ?", SETTINGS_ID)
    row = rows[0] if rows else {"company": None, "reply_to": None}
    return {**row, "company": None if row["company"] is None else json.loads(row["company"])}


def still_open(message: Row, its_deliveries: Iterable[Row]) -> list[Row]:
    """Those of a message's deliveries that are still to be sent.

    A status alone does not say so: a report can turn a delivery that a server took into a deferred one.
    """
    waiting = message["waiting"]
    return [
        row
        for row in its_deliveries
        if DeliveryStatus(row["status"]) in OPEN and (waiting is None or row["id"] in waiting)
    ]


def _locked() -> str:
    return " FOR UPDATE" if current().dialect == "postgres" else ""


async def name_contents(communication_id: str, attachments: Iterable[Mapping[str, Any]]) -> None:
    """Let the sweep keep the bytes of the communication's attachments, in the transaction that records it."""
    contents = {attachment["sha256"]: attachment["size"] for attachment in attachments}
    if not contents:
        return
    places = ", ".join("(?, ?, ?, ?)" for _ in contents)
    rows = [(f"{communication_id} {sha256}", communication_id, sha256, size) for sha256, size in contents.items()]
    await current().fetch(
        f"INSERT INTO communication_content (id, communication_id, sha256, size) VALUES {places}",
        *(value for row in rows for value in row),
    )
