"""Settings, customers' preferences and reminder workflows: queries and mutations."""

from __future__ import annotations

from typing import Any

import strawberry

import models
from audit import Change
from models import Permission
from models.listings import REMINDER_WORKFLOWS
from models.preferences import SETTINGS_ID, preferences_id
from models.rows import by_ids
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection, connection
from schema.context import Info
from schema.preference_mutations import (
    CreateReminderWorkflowInput,
    CreateReminderWorkflowPayload,
    DeleteReminderWorkflowInput,
    DeleteReminderWorkflowPayload,
    UpdateCustomerPreferencesInput,
    UpdateCustomerPreferencesPayload,
    UpdateReminderWorkflowInput,
    UpdateReminderWorkflowPayload,
    UpdateSettingsInput,
    UpdateSettingsPayload,
)
from schema.preferences import Settings
from schema.reminder_workflow import ReminderWorkflow
from services import preferences as service
from services import reminder_workflows as workflow_service

_READ = needs(Permission.CUSTOMERS_READ)
_WRITE = needs(Permission.SETTINGS_WRITE)
_load_settings = by_ids(models.Settings)


async def _settings(info: Info) -> Any:
    return await info.context.loaders.load(_load_settings, _load_settings, SETTINGS_ID)


@strawberry.type
class PreferenceQuery:
    """Reading settings and reminder workflows."""

    settings: Settings = strawberry.field(
        resolver=_settings, description="What holds for all customers.", directives=[_READ]
    )
    reminder_workflow: ReminderWorkflow | None = single(
        models.ReminderWorkflow, "One reminder workflow; null when there is none with this ID.", _READ
    )
    reminder_workflows: Connection[ReminderWorkflow] = connection(
        REMINDER_WORKFLOWS, "All reminder workflows, by name.", access=_READ
    )


async def _update_settings(change: Change, sent: Sent) -> Sent:
    revision = sent.pop("expected_revision", None)
    return {"settings": (await service.update_settings(change, revision, sent))["id"]}


async def _override(change: Change, sent: Sent) -> Sent:
    customer_id, revision = sent.pop("customer_id"), sent.pop("expected_revision", None)
    await service.override(change, customer_id, revision, sent)
    return {"preferences": preferences_id(customer_id)}


async def _create_workflow(change: Change, sent: Sent) -> Sent:
    return {"reminder_workflow": (await workflow_service.create(change, sent))["id"]}


async def _update_workflow(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"reminder_workflow": (await workflow_service.update(change, identifier, revision, sent))["id"]}


async def _delete_workflow(change: Change, sent: Sent) -> Sent:
    await workflow_service.delete(change, sent["id"], sent.get("expected_revision"), sent.get("replacement_id"))
    return {"deleted": sent["id"]}


@strawberry.type
class PreferenceMutation:
    """Changing settings, preferences and reminder workflows."""

    update_settings = mutation(
        _update_settings, UpdateSettingsInput, UpdateSettingsPayload, "Change what holds for all customers.", _WRITE
    )
    update_customer_preferences = mutation(
        _override,
        UpdateCustomerPreferencesInput,
        UpdateCustomerPreferencesPayload,
        "Change what a customer overrides of the settings.",
        needs(Permission.CUSTOMERS_WRITE),
    )
    create_reminder_workflow = mutation(
        _create_workflow, CreateReminderWorkflowInput, CreateReminderWorkflowPayload, "Add a reminder workflow.", _WRITE
    )
    update_reminder_workflow = mutation(
        _update_workflow,
        UpdateReminderWorkflowInput,
        UpdateReminderWorkflowPayload,
        "Rename a reminder workflow or change its steps.",
        _WRITE,
    )
    delete_reminder_workflow = mutation(
        _delete_workflow,
        DeleteReminderWorkflowInput,
        DeleteReminderWorkflowPayload,
        "Delete a reminder workflow, or replace it.",
        _WRITE,
    )
