"""Settings, customers' preferences and reminder workflows: queries and mutations."""

from __future__ import annotations

from typing import Any

import strawberry

import models
from models import Permission
from models.listings import REMINDER_WORKFLOWS
from models.preferences import SETTINGS_ID
from models.rows import by_ids
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection, connection
from schema.context import Info
from schema.preferences import Settings
from schema.reminder_workflow import ReminderWorkflow

_READ = needs(Permission.CUSTOMERS_READ)
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
