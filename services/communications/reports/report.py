"""What a report says, whoever sent it and in whatever format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from models import DeliveryStatus

# A header of our emails that has the Message-ID once more: some providers give emails another one.
HEADER = "X-Counterfoil-Message-Id"


@dataclass(frozen=True)
class Report:
    """What became of one recipient's email. `id` is what the sender of the report calls it, the same in a repeat.

    `message_ids` are the Message-IDs that the email may have here, without brackets, the likeliest first; `recipients`
    the addresses that the recipient may have here. `at` is None when the report does not say when. `reply` is what a
    mail server said. `address_failed`: the address itself takes no mail, and will not. `proven`: nobody but its source
    can have written it.
    """

    id: str
    message_ids: Sequence[str]
    recipients: Sequence[str]
    status: DeliveryStatus
    at: datetime | None = None
    reply: str | None = None
    address_failed: bool = False
    proven: bool = True


def bare(message_id: object) -> str:
    """A Message-ID without its brackets."""
    return str(message_id).strip().removeprefix("<").removesuffix(">")


def instant(text: object) -> datetime | None:
    """A time in ISO 8601, in UTC; None for what is none."""
    try:
        at = datetime.fromisoformat(str(text))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
