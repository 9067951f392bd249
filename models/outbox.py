"""The outbox: messages that wait for a mail server. Written in the transaction of the events that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.database import current

# A message that could not be delivered for so long fails.
KEPT_TRYING = timedelta(hours=48)


async def enqueue(communication_id: str, message_ids: Sequence[str], due_at: datetime) -> None:
    """Let messages wait for an attempt from `due_at` on, in the transaction that records their deliveries."""
    places = ", ".join("(?, ?, ?, ?, 0)" for _ in message_ids)
    rows = [(message_id, communication_id, due_at, due_at + KEPT_TRYING) for message_id in message_ids]
    await current().fetch(
        f"INSERT INTO outbox_message (message_id, communication_id, due_at, expires_at, attempts) VALUES {places}",
        *(value for row in rows for value in row),
    )


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
