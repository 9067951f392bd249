"""Reminders of open invoices and monthly statements: planned for a day, and sent on it."""

from __future__ import annotations

from services.reminders.item import Item
from services.reminders.planning import Position, page
from services.reminders.running import Counts, run

__all__ = ["Counts", "Item", "Position", "page", "run"]
