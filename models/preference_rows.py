"""Reading preferences: a customer's own beside the global ones, and who inherits."""

from __future__ import annotations

from collections.abc import Sequence

from models.database import current
from models.preferences import PREFERENCES, Preferences, Settings, overrides, preferences_id
from models.table import Row, columns

GLOBAL = "global_"

_OWN = ", ".join(f"p.{name}" for name in columns(Preferences) if name not in ("id", "revision", "customer_id"))
_GLOBAL = ", ".join(f"s.{name} AS {GLOBAL}{name}" for name in columns(Settings))
_MEMBERS = f"""
SELECT c.id AS customer_id, coalesce(p.revision, 0) AS revision, {_OWN}, {_GLOBAL}
FROM customer c LEFT JOIN preferences p ON p.customer_id = c.id CROSS JOIN settings s WHERE """


async def preferences_of(customer_ids: Sequence[str]) -> list[Row | None]:
    """A loader: the preferences of each customer, with the settings in columns `global_…`; None without a customer.

    Of a customer who overrides nothing yet the revision is 0. One statement.
    """
    bound = current()
    rows = await bound.fetch(_MEMBERS + bound.member("c.id"), bound.array(list(customer_ids)))
    found = {row["customer_id"]: {"id": preferences_id(row["customer_id"]), **row} for row in rows}
    return [found.get(customer_id) for customer_id in customer_ids]


async def preferences_by_ids(ids: Sequence[str]) -> list[Row | None]:
    """A loader: the same by the preferences' own ids, whether or not there is a row. One statement."""
    return await preferences_of([f"cus_{identifier.rpartition('_')[2]}" for identifier in ids])


async def inheriting() -> dict[str, int]:
    """For each preference how many active customers do not override it. One statement."""
    overridden = ", ".join(f"count(CASE WHEN {_condition(name)} THEN 1 END) AS {name}" for name in PREFERENCES)
    [row] = await current().fetch(
        f"SELECT (SELECT count(*) FROM customer WHERE active) AS customers, {overridden}"
        " FROM preferences p JOIN customer c ON c.id = p.customer_id WHERE c.active"
    )
    return {name: int(row["customers"]) - int(row[name]) for name in PREFERENCES}


def _condition(name: str) -> str:
    """What `overrides` says, in SQL."""
    return f"p.{name} IS NOT NULL" + (" OR p.reminders IS NOT NULL" if name == "reminder_workflow_id" else "")


def effective_row(own: Row | None, settings: Row) -> Row:
    """The effective values by column name, from a customer's preferences (None: no row) and the settings."""
    return {name: own[name] if own is not None and overrides(own, name) else settings[name] for name in PREFERENCES}
