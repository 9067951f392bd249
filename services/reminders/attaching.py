"""The PDFs that go with reminders and statements: made and kept before they are recorded."""

from __future__ import annotations

from services.communications import Attachment
from services.reminders.item import Item


async def attachments(item: Item) -> list[Attachment]:
    """What the item attaches; nothing when nobody gets it."""
    return []
