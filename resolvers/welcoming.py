"""Welcoming new contacts, whatever mutation makes them."""

from __future__ import annotations

from audit import Change
from models import Row
from resolvers.mutation import Sent
from services.communications.welcoming import welcome


async def welcomed(change: Change, contact: Row, sent: Sent) -> Sent:
    """The id of the new contact's welcome email for the payload, unless the sender wants none or there is none."""
    if sent.get("do_not_send_welcome"):
        return {}
    communication = await welcome(change, contact)
    return {} if communication is None else {"welcome": communication["id"]}
