"""Notification switches and portal permissions: of a contact, of the settings, and as inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry

import models
from models import CommunicationKind, PortalModule, PreferenceSource, Row
from models.preferences import SETTINGS_ID
from models.rows import by_ids
from models.switch import NAMES
from schema.access import PARENT
from schema.field import batched, derived, optional, plain, required
from schema.stored import stored_json

_OWN = "The contact's own value; null when it is inherited."
_GLOBAL = "What the settings say."
_EFFECTIVE = "What holds for the contact: its own value, else the global one."
_SOURCE = "Where the effective value comes from: CONTACT or GLOBAL."


@strawberry.type(description="Whether a contact wants emails of a kind.", directives=[PARENT])
class NotificationSwitch:
    """Whether a contact wants emails of a kind."""

    kind: CommunicationKind = derived(lambda value: value["name"], "Which emails.")
    own: bool | None = plain(_OWN)
    global_: bool = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: bool = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="Whether a contact may see a module of the portal.", directives=[PARENT])
class PortalPermission:
    """Whether a contact may see a module of the portal."""

    module: PortalModule = derived(lambda value: value["name"], "Which module.")
    own: bool | None = plain(_OWN)
    global_: bool = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: bool = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="Whether contacts that say nothing else want emails of a kind.", directives=[PARENT])
class NotificationDefault:
    """Whether contacts that say nothing else want emails of a kind."""

    kind: CommunicationKind = derived(lambda value: value["name"], "Which emails.")
    enabled: bool = plain("Whether they get them.")


@strawberry.type(
    description="Whether contacts that nothing else is said of may see a module of the portal.", directives=[PARENT]
)
class PortalPermissionDefault:
    """Whether contacts that nothing else is said of may see a module of the portal."""

    module: PortalModule = derived(lambda value: value["name"], "Which module.")
    enabled: bool = plain("Whether they see it.")


@strawberry.input(description="A notification switch.")
class NotificationInput:
    """A notification switch."""

    kind: CommunicationKind = required("Which emails: each kind once. Reminders and statements have no switch.")
    enabled: bool | None = optional(
        "On or off; null for what the settings say, which settings themselves cannot be. It must be said."
    )


@strawberry.input(description="A portal permission.")
class PortalPermissionInput:
    """A portal permission."""

    module: PortalModule = required("Which module: each once.")
    enabled: bool | None = optional(
        "Permitted or not; null for what the settings say, which settings themselves cannot be. It must be said."
    )


def switches_of_contact(column: str, description: str) -> Any:
    """The contact's switches or permissions: all there are, beside what the settings say."""
    return batched(
        lambda _: SETTINGS_ID,
        by_ids(models.Settings),
        description,
        then=_inherited(column),
        at_most=len(NAMES[column]),
        values=True,
    )


def switches_of_settings(column: str, description: str) -> Any:
    """What holds for contacts that say nothing else."""

    def value(row: Row) -> list[Row]:
        everywhere = stored_json(row[column])
        return [{"name": name, "enabled": everywhere[name]} for name in NAMES[column]]

    return derived(value, description, at_most=len(NAMES[column]))


def _inherited(column: str) -> Callable[[Row, Any, Any], list[Row]]:
    def value(row: Row, settings: Row, _: Any) -> list[Row]:
        own, everywhere = stored_json(row[column]) or {}, stored_json(settings[column])
        return [_switch(name, own.get(name), everywhere[name]) for name in NAMES[column]]

    return value


def _switch(name: str, own: bool | None, everywhere: bool) -> Row:
    if own is None:
        source = PreferenceSource.GLOBAL
        return {"name": name, "own": None, "global": everywhere, "effective": everywhere, "source": source}
    return {"name": name, "own": own, "global": everywhere, "effective": own, "source": PreferenceSource.CONTACT}
