"""What may happen to reminder workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit import Change
from models import (
    CommunicationKind,
    Customer,
    ErrorCode,
    Fault,
    Permission,
    Preferences,
    ReminderWorkflow,
    Row,
    Settings,
    Template,
)
from models.identifier import check_id
from models.preference_rows import inheriting
from models.preference_values import step_of, steps_of
from models.preferences import SETTINGS_ID
from models.rows import by_ids
from models.text import counted
from services import values

STEP_LIMIT = 20
# Days before or after the due date.
FURTHEST = 365
BULK_LIMIT = 1000
_NAMED = 5


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a workflow from its name and its steps: days relative to the due date, and what is sent then."""
    fields = _clean({"name": None, "steps": None, **given})
    await _check_templates(change, fields)
    return await change.insert(ReminderWorkflow, fields)


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Rename a workflow or replace its steps."""
    row = await change.get(ReminderWorkflow, identifier, expected_revision)
    fields = _clean(given)
    await _check_templates(change, fields)
    return await change.update(ReminderWorkflow, row, fields)


async def delete(change: Change, identifier: str, expected_revision: int | None, replacement_id: str | None) -> None:
    """Remove a workflow. Whoever uses it gets the replacement; without one a workflow in use is refused."""
    settings = await change.get(Settings, SETTINGS_ID)
    row = await change.get(ReminderWorkflow, identifier, expected_revision, to_delete=True)
    if replacement_id is None:
        await _refuse_in_use(change, identifier, everywhere=settings["reminder_workflow_id"] == identifier)
    elif replacement_id == identifier:
        raise Fault.invalid("A reminder workflow cannot replace itself.", "replacement_id")
    else:
        replacement = await change.refer(ReminderWorkflow, replacement_id, ("replacement_id",))
        await _replace(change, settings, identifier, replacement["id"])
    await change.delete(ReminderWorkflow, row)


async def upgrade(change: Change) -> None:
    """Give workflows of an early version, whose steps were days only, the steps of this one."""
    for row in await change.where(ReminderWorkflow):
        await change.update(ReminderWorkflow, row, {"steps": steps_of(row["steps"])})


async def _replace(change: Change, settings: Row, identifier: str, replacement_id: str) -> None:
    users = await change.where(Preferences, reminder_workflow_id=identifier, limit=BULK_LIMIT + 1)
    if len(users) > BULK_LIMIT:
        message = f"More than {BULK_LIMIT} customers use this workflow: give most of them another first."
        raise Fault(ErrorCode.IN_USE, message, ("replacement_id",))
    await change.update_all(Preferences, users, {"reminder_workflow_id": replacement_id})
    if settings["reminder_workflow_id"] == identifier:
        fields = {"reminder_workflow_id": replacement_id}
        await change.update(Settings, settings, fields, customers=await inheriting())


async def _refuse_in_use(change: Change, identifier: str, *, everywhere: bool) -> None:
    users = await change.where(Preferences, reminder_workflow_id=identifier, limit=_NAMED, lock=False)
    if not users and not everywhere:
        return
    number = await change.count(Preferences, reminder_workflow_id=identifier)
    said = ["the settings"] if everywhere else []
    if change.actor.may(Permission.CUSTOMERS_READ):
        customers = await by_ids(Customer)([user["customer_id"] for user in users])
        said += [customer["name"] for customer in customers if customer is not None]
        said += [counted(number - len(users), "more customer")] if number > len(users) else []
    elif number:
        said.append(counted(number, "customer"))
    message = f"This workflow is used by {', '.join(said)}. Name a workflow to replace it."
    raise Fault(ErrorCode.IN_USE, message, ("replacement_id",))


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("name", "steps"):
        if name in given and given[name] is None:
            raise Fault.invalid(f"{name.capitalize()} cannot be null.", name)
    if "name" in given:
        fields["name"] = values.line(given["name"], ("name",), longest=100)
    if "steps" in given:
        fields["steps"] = _steps(given["steps"])
    return fields


def _steps(given: Sequence[Mapping[str, Any]]) -> list[Row]:
    if not 1 <= len(given) <= STEP_LIMIT:
        raise Fault.invalid(f"Name 1 to {STEP_LIMIT} steps.", "steps")
    steps: list[Row] = []
    for index, item in enumerate(given):
        day = item["days"]
        if abs(day) > FURTHEST:
            message = f"A step is at most {FURTHEST} days before (negative) or after the due date."
            raise Fault.invalid(message, "steps", index, "days")
        if any(step["days"] == day for step in steps):
            raise Fault.invalid("This day is named twice.", "steps", index, "days")
        for name in ("attach_statement", "attach_invoice"):
            if name in item and item[name] is None:
                raise Fault.invalid("Say true or false, or leave it out: it cannot be null.", "steps", index, name)
        if item.get("template_id") is not None:
            check_id(item["template_id"], Template.prefix, "steps", index, "template_id")
        steps.append({**step_of(day), **item})
    return steps_of(steps)


async def _check_templates(change: Change, fields: Mapping[str, Any]) -> None:
    """Fault at `steps` unless their templates exist, and are for reminders. They stay until the end of the change."""
    wanted = {step["template_id"] for step in fields.get("steps", ()) if step["template_id"] is not None}
    for template_id in sorted(wanted):
        template = await change.refer(Template, template_id, ("steps",))
        if template["kind"] != CommunicationKind.WORKFLOW_REMINDER.value:
            message = f"The template {template['name']} is not for workflow reminders: choose one of that kind."
            raise Fault.invalid(message, "steps")
