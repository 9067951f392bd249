"""What may happen to templates. Every earlier text stays in history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import CommunicationKind, ErrorCode, Fault, ReminderWorkflow, Row, Template
from models.template import TEMPLATE_LIMIT
from services import values
from services.templates.finding import standard
from services.templates.rendering import NAMES
from services.templates.sources import checked
from services.templates.standards import sources

_LOCK = "template"


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a template of a kind from its name; the sources that are omitted are those of the kind's standard one.

    Fault LIMIT_REACHED when there are TEMPLATE_LIMIT.
    """
    kind: CommunicationKind = given["kind"]
    cleaned = _clean({"name": None, **given}, kind)
    await change.lock(_LOCK)
    if await change.count(Template) >= TEMPLATE_LIMIT:
        message = f"There are {TEMPLATE_LIMIT} templates already, the most there can be: delete one."
        raise Fault(ErrorCode.LIMIT_REACHED, message)
    copied = await standard(kind)
    fields = {
        "kind": kind.value,
        "standard": False,
        "enabled": True,
        **{name: copied[name] for name in NAMES},
        **cleaned,
    }
    return await change.insert(Template, fields)


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Rename, enable or disable a template, or change its sources."""
    row = await change.get(Template, identifier, expected_revision)
    return await change.update(Template, row, _clean(given, CommunicationKind(row["kind"])))


async def reset(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """Give a template the product's own sources for its kind."""
    row = await change.get(Template, identifier, expected_revision)
    return await change.update(Template, row, sources(CommunicationKind(row["kind"])))


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a template that is not the standard one, and that no reminder workflow names."""
    row = await change.get(Template, identifier, expected_revision, to_delete=True)
    if row["standard"]:
        message = "This is the standard template of its kind, and stays: disable it, or reset it."
        raise Fault(ErrorCode.READ_ONLY, message, ("id",))
    # Whoever names the template in a workflow keeps it from disappearing: they are done, or wait for this.
    workflows = await change.where(ReminderWorkflow, lock=False)
    users = [workflow["name"] for workflow in workflows if identifier in _templates_of(workflow)]
    if users:
        message = f"These reminder workflows use it: {', '.join(users)}. Give them another template first."
        raise Fault(ErrorCode.IN_USE, message, ("id",))
    await change.delete(Template, row)


def _templates_of(workflow: Row) -> set[str]:
    """The templates that the steps of a workflow name; steps from early versions are numbers of days."""
    return {step["template_id"] for step in workflow["steps"] if isinstance(step, dict) and step.get("template_id")}


def _clean(given: Mapping[str, Any], kind: CommunicationKind) -> dict[str, Any]:
    fields: dict[str, Any] = dict(checked(kind, given))
    for name in ("name", "enabled"):
        if name in given and given[name] is None:
            raise Fault.invalid(f"{name.capitalize()} cannot be null.", name)
    if "name" in given:
        fields["name"] = values.line(given["name"], ("name",), longest=100)
    if "enabled" in given:
        fields["enabled"] = given["enabled"]
    return fields
