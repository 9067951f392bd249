"""Contact roles: what a contact does at the customer, and which emails that brings."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Text

from models import text
from models.table import Audited, Row, SubjectType

ROLE_LIMIT = 30


class WellKnownRole(Enum):
    """Contact roles that exist from the start, survive renaming and cannot be deleted."""

    COMPANY_CONTACT = "COMPANY_CONTACT"
    PRIMARY_CONTACT = "PRIMARY_CONTACT"


class DesignationSource(Enum):
    """Who decided a role's designations last. What a user set is never overwritten by a sync."""

    DEFAULT = "DEFAULT"
    ACCOUNTING = "ACCOUNTING"
    USER = "USER"


class ContactRole(Audited, tablename="contact_role"):
    """A role with its two designations: invoice presentment and communication."""

    prefix = "rol"
    subject = SubjectType.CONTACT_ROLE
    derived = frozenset({"name_key"})
    taken = {"name_key": ("name", "Another contact role has this name.")}

    name = Text()
    name_key = Text()
    well_known = Text(null=True)
    invoice_presentment = Boolean()
    communication = Boolean()
    designated_by = Text()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the name unique."""
        return {"name_key": text.key(row["name"])}
