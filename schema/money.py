"""Amounts of money."""

from __future__ import annotations

from typing import Any

import strawberry

from models import money
from schema.access import PARENT
from schema.field import derived


@strawberry.type(description="An amount of money.", directives=[PARENT])
class Money:
    """An amount of money."""

    amount: str = derived(
        lambda value: money.decimal(value["minor"], value["currency"]),
        "A decimal with all decimals of the currency: “1234.50” in EUR, “1234” in JPY, “1.250” in KWD.",
    )
    currency: str = derived(lambda value: value["currency"], "ISO 4217 code, in capitals.")


def amount_of(column: str, description: str) -> Any:
    """A column of minor units as a field, in the currency of the row."""
    return derived(lambda row: {"minor": row[column], "currency": row["currency"]}, description)
