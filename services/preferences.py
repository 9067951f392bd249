"""Settings for all customers, what a customer overrides, and what holds for a customer in effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from audit import Change
from models import Customer, ErrorCode, Fault, Preferences, ReminderWorkflow, Row, Settings
from models.preference_rows import effective_row, inheriting
from models.preferences import SETTINGS_ID, preferences_id
from models.switch import NAMES
from services import switches, values

# What an email goes without, and so may be null.
_OPTIONAL = frozenset({"company", "reply_to"})


async def effective(change: Change, customer_id: str) -> Mapping[str, Any]:
    """What holds for the customer, by column name (models.preferences.PREFERENCES), read without locks.

    `contact_policy` is the value of a ContactPolicy, `reminder_workflow_id` None when no reminders are sent.
    """
    settings = await change.read(Settings, SETTINGS_ID)
    rows = await change.where(Preferences, customer_id=customer_id, lock=False)
    return effective_row(rows[0] if rows else None, settings)


async def update_settings(change: Change, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Change what holds for all customers. The event says of each change how many active customers it affects."""
    row = await change.get(Settings, SETTINGS_ID, expected_revision)
    for name, value in given.items():
        if value is None and name not in _OPTIONAL:
            raise Fault.invalid(f"{_heading(name)} cannot be null: for all customers something must hold.", name)
    fields = _clean(change, given, row)
    fields.update({name: switches.of_settings(name, row[name], given[name]) for name in NAMES if name in given})
    if "reminders" in given:
        fields["reminder_workflow_id"] = await _workflow(change, given["reminders"])
    if all(row[name] == value for name, value in fields.items()):
        return row
    return await change.update(Settings, row, fields, customers=await inheriting())


async def override(change: Change, customer_id: str, expected_revision: int | None, given: Mapping[str, Any]) -> None:
    """Change what the customer overrides: null takes an override back, absence leaves it.

    Before a customer's first override the revision is 0, and there is no row.
    """
    reminders: dict[str, Any] = {}
    if given.get("reminders") is not None:
        workflow_id = await _workflow(change, given["reminders"])
        reminders = {"reminder_workflow_id": workflow_id, "reminders": False if workflow_id is None else None}
    elif "reminders" in given:
        reminders = {"reminder_workflow_id": None, "reminders": None}
    await change.get(Customer, customer_id, field=("customer_id",))
    rows = await change.where(Preferences, customer_id=customer_id)
    row = rows[0] if rows else None
    _check_revision(row, expected_revision)
    fields = {**_clean(change, given, row), **reminders}
    if row is not None:
        await change.update(Preferences, row, fields)
    elif any(value is not None for value in fields.values()):
        await change.insert(Preferences, {"id": preferences_id(customer_id), "customer_id": customer_id, **fields})


def _check_revision(row: Row | None, expected: int | None) -> None:
    revision = row["revision"] if row is not None else 0
    if expected is not None and expected != revision:
        raise Fault(
            ErrorCode.CONFLICT,
            "Somebody changed this in the meantime. Read it again and repeat your change.",
            ("expected_revision",),
            current_revision=revision,
        )


async def _workflow(change: Change, reminders: Mapping[str, Any]) -> str | None:
    field = ("reminders", "workflow_id")
    if "workflow_id" not in reminders:
        raise Fault.invalid("Name a reminder workflow, or say null for no reminders.", *field)
    if reminders["workflow_id"] is None:
        return None
    return str((await change.refer(ReminderWorkflow, reminders["workflow_id"], field))["id"])


def _clean(change: Change, given: Mapping[str, Any], row: Row | None) -> dict[str, Any]:
    """Column values from input fields, checked; without reminders, which refer to a row, and without switches."""
    fields: dict[str, Any] = {
        name: None if value is None else _CLEAN[name](value)
        for name, value in given.items()
        if name not in ("reminders", *NAMES)
    }
    wanted, before = fields.get("online_payments"), row["online_payments"] if row is not None else None
    # What stands there already may have come to pass.
    if wanted is not None and wanted != before and wanted["disabled_until"] is not None:
        _check_future(wanted["disabled_until"], change.now.date())
    return fields


def _check_future(day: str, today: date) -> None:
    if day <= today.isoformat():
        message = f"Choose a day after today ({today.isoformat()} UTC), or none for an indefinite time."
        raise Fault.invalid(message, "online_payments", "disabled_until")


def _online_payments(value: Mapping[str, Any]) -> dict[str, Any]:
    until = value.get("disabled_until")
    if value["enabled"] and until is not None:
        raise Fault.invalid(
            "Online payments that are enabled have no day until which they are disabled: leave it out.",
            "online_payments",
            "disabled_until",
        )
    return {"enabled": value["enabled"], "disabled_until": until.isoformat() if until is not None else None}


def _with_rate(name: str, rate: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def clean(value: Mapping[str, Any]) -> dict[str, Any]:
        written = value.get(rate)
        points = 0 if written is None else values.percentage(written, (name, rate))
        return {"enabled": value["enabled"], f"{rate}_basis_points": points}

    return clean


_CLEAN: Mapping[str, Callable[[Any], Any]] = {
    "monthly_statement": bool,
    "online_payments": _online_payments,
    "customer_portal": bool,
    "card": _with_rate("card", "surcharge"),
    "ach": _with_rate("ach", "discount"),
    "contact_policy": lambda policy: policy.value,
    "portal_access": lambda audience: audience.value,
    "separate_messages": bool,
    "company": lambda value: values.company(value, ("company",)),
    "reply_to": lambda value: values.email(value, ("reply_to",)),
}


def _heading(name: str) -> str:
    return name.replace("_", " ").capitalize()
