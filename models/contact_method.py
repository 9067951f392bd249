"""Contact methods: the ways in which a customer or a contact is reached. A list of them is one column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

# How many a customer or a contact may have.
METHOD_LIMIT = 20


class ContactMethodKind(Enum):
    """How a contact method is used. Values may be added."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    MOBILE = "MOBILE"
    FAX = "FAX"
    OTHER = "OTHER"


def preferred(methods: Sequence[Mapping[str, Any]], kind: str) -> str | None:
    """The value of the preferred method of `kind`, or None when there is none."""
    return next((str(method["value"]) for method in methods if method["kind"] == kind and method["preferred"]), None)
