"""Purposes: what contacts are referenced for elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Text

from models import text
from models.table import Audited, Row, SubjectType

PURPOSE_LIMIT = 100


class WellKnownPurpose(Enum):
    """Purposes that exist from the start, survive renaming and cannot be deleted."""

    SERVICE_REQUEST_CALLER = "SERVICE_REQUEST_CALLER"
    JOB_PROJECT_MANAGER = "JOB_PROJECT_MANAGER"
    ACCOUNTS_PAYABLE_CONTACT = "ACCOUNTS_PAYABLE_CONTACT"


class Purpose(Audited, tablename="purpose"):
    """What somebody is assigned for. A `single` one has at most one contact for each customer and reference."""

    prefix = "pur"
    subject = SubjectType.PURPOSE
    derived = frozenset({"name_key"})
    taken = {"name_key": ("name", "Another purpose has this name.")}

    name = Text()
    name_key = Text()
    well_known = Text(null=True)
    single = Boolean()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the name unique."""
        return {"name_key": text.key(row["name"])}
