"""Settling deliveries: what a mail server said, now or later, becomes their status, with an event each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit import Change
from models import Delivery, DeliveryStatus, Row
from models.communication import may_follow
from services.communications import email_problems

_LONGEST_REPLY = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery `at` a time. `reply` is what the mail server said; `attempts` how many there have been,
    None when this is no attempt but a report; `may_repeat`: a further attempt may make the email arrive twice.
    `address_failed`: the address itself takes no mail, and will not. `proven`: it is known who says so.
    """

    status: DeliveryStatus
    at: datetime
    reply: str | None = None
    attempts: int | None = None
    may_repeat: bool = False
    address_failed: bool = False
    proven: bool = True


async def settle(change: Change, outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Give each delivery (by id) its outcome, where that can follow what it is; the rows that changed."""
    return await settle_in_turn(change, list(outcomes.items()))


async def settle_in_turn(change: Change, outcomes: Sequence[tuple[str, Outcome]]) -> list[Row]:
    """Give deliveries (by id) their outcomes, one after the other, where each can follow what the delivery is then;
    the rows that changed. Where an address has failed, all contacts who prefer it are marked; when anybody could say
    so, none but the delivery's own contact.
    """
    contacts = await email_problems.concerned(change, [one for one, outcome in outcomes if outcome.address_failed])
    rows = await change.every(Delivery, {identifier for identifier, _ in outcomes})
    settled: dict[str, Row] = {}
    for identifier, outcome in outcomes:
        row = rows.get(identifier)
        if row is None or not may_follow(DeliveryStatus(row["status"]), outcome.status):
            continue
        rows[identifier] = settled[identifier] = await change.update(Delivery, row, _columns(row, outcome))
        if outcome.address_failed:
            blamed = contacts if outcome.proven else await email_problems.open_to_doubt(contacts, row)
            await email_problems.mark(change, contacts, rows[identifier], blamed)
    return list(settled.values())


def _columns(row: Row, outcome: Outcome) -> Row:
    return {
        "status": outcome.status.value,
        # Others' clocks may be behind ours.
        "status_at": max(outcome.at, row["status_at"]),
        "reply": outcome.reply[:_LONGEST_REPLY] if outcome.reply is not None else row["reply"],
        "attempts": row["attempts"] if outcome.attempts is None else outcome.attempts,
        "may_repeat": row["may_repeat"] or outcome.may_repeat,
    }
