"""Settings for all customers, what a customer overrides, and what holds for a customer in effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import Preferences, Settings
from models.preference_rows import effective_row
from models.preferences import SETTINGS_ID


async def effective(change: Change, customer_id: str) -> Mapping[str, Any]:
    """What holds for the customer, by column name (models.preferences.PREFERENCES), read without locks.

    `contact_policy` is the value of a ContactPolicy, `reminder_workflow_id` None when no reminders are sent.
    """
    settings = await change.read(Settings, SETTINGS_ID)
    rows = await change.where(Preferences, customer_id=customer_id, lock=False)
    return effective_row(rows[0] if rows else None, settings)
