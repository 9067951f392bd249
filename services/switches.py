"""Changes of notification switches and portal permissions, of one contact or of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models import Fault
from models.switch import NAMES, Switches

# Column → the member of its inputs that says which one, and what those are called.
_WHICH = {
    "notifications": ("kind", "emails of this kind have no notification switch"),
    "portal_permissions": ("module", "the portal has no such module"),
}

Given = Sequence[Mapping[str, Any]]


def of_contact(column: str, own: Switches | None, given: Given | None) -> dict[str, bool] | None:
    """A contact's own ones after a change: `enabled` None inherits, None for all of them, too; None without any."""
    if given is None:
        return None
    said = {**(own or {}), **_read(column, given)}
    return {name: on for name, on in said.items() if on is not None} or None


def of_settings(column: str, everywhere: Switches, given: Given) -> dict[str, bool]:
    """What holds for all contacts after a change. Fault for one that would be neither on nor off."""
    read = _read(column, given)
    for number, on in enumerate(read.values()):
        if on is None:
            message = "Say true or false: for all contacts something must hold."
            raise Fault.invalid(message, column, number, "enabled")
    return {**everywhere, **{name: on for name, on in read.items() if on is not None}}


def _read(column: str, given: Given) -> dict[str, bool | None]:
    member, unknown = _WHICH[column]
    read: dict[str, bool | None] = {}
    for number, item in enumerate(given):
        name = item[member].value
        if name not in NAMES[column]:
            raise Fault.invalid(f"Leave {name} out: {unknown}.", column, number, member)
        if name in read:
            raise Fault.invalid(f"Leave this out: {name} is in the list already.", column, number, member)
        if "enabled" not in item:
            raise Fault.invalid("Say whether it is on.", column, number, "enabled")
        read[name] = item["enabled"]
    return read
