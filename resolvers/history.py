"""History for auditors: the whole of it."""

from __future__ import annotations

import strawberry

from models import Permission
from schema.access import needs
from schema.connection import Connection
from schema.history import HistoryEvent, history


@strawberry.type
class HistoryQuery:
    """Reading the whole history."""

    history: Connection[HistoryEvent] = history(
        "For auditors: everything that happened, newest first.", access=needs(Permission.AUDIT_READ)
    )
