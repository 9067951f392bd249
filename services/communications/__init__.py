"""Communications: recorded with their deliveries, sent, and settled when it is known what became of them."""

from __future__ import annotations

from services.communications.draft import Addressee, Attachment, Draft, Message
from services.communications.recording import record
from services.communications.settling import Outcome, settle, settle_in_turn

__all__ = ["Addressee", "Attachment", "Draft", "Message", "Outcome", "record", "settle", "settle_in_turn"]
