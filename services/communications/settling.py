"""Settling deliveries: what a mail server said, now or later, becomes their status, with an event each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from audit import Change
from models import Delivery, DeliveryStatus, Row
from models.communication import may_follow

_LONGEST_REPLY = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery `at` a time. `reply` is what the mail server said; `attempts` how many there have been,
    None when this is no attempt but a report; `may_repeat`: a further attempt may make the email arrive twice.
    `address_failed`: the address itself takes no mail, and will not.
    """

    status: DeliveryStatus
    at: datetime
    reply: str | None = None
    attempts: int | None = None
    may_repeat: bool = False
    address_failed: bool = False


async def settle(change: Change, outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Give each delivery (by id) its outcome, where that can follow what it is; the rows that changed."""
    settled = []
    for identifier, row in (await change.every(Delivery, outcomes)).items():
        outcome = outcomes[identifier]
        if not may_follow(DeliveryStatus(row["status"]), outcome.status):
            continue
        fields = {
            "status": outcome.status.value,
            "status_at": outcome.at,
            "reply": outcome.reply[:_LONGEST_REPLY] if outcome.reply is not None else row["reply"],
            "attempts": row["attempts"] if outcome.attempts is None else outcome.attempts,
            "may_repeat": row["may_repeat"] or outcome.may_repeat,
        }
        settled.append(await change.update(Delivery, row, fields))
    return settled
