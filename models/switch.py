"""Notification switches and portal permissions: what a contact says, and what the settings say for all others.

Both are held as name → bool, a contact's own ones sparsely: what is absent is inherited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.communication_kind import SWITCHED, PortalModule

# JSON column of contacts and settings → the names that it may hold; the settings hold all of them.
NAMES: Mapping[str, tuple[str, ...]] = {
    "notifications": tuple(kind.value for kind in SWITCHED),
    "portal_permissions": tuple(module.value for module in PortalModule),
}

Switches = Mapping[str, bool]


def effective(own: Switches | None, everywhere: Switches, name: str) -> bool:
    """Whether it is on: as the contact says, else as the settings do."""
    said = None if own is None else own.get(name)
    return everywhere[name] if said is None else said


def check_settings(row: Mapping[str, Any]) -> None:
    """ValueError unless the settings say something about each: only somebody past us wrote otherwise."""
    for column, names in NAMES.items():
        value = row[column]
        if not _holds(value, names) or value.keys() != set(names):
            raise ValueError(f"{column} is {value!r}")


def check_contact(row: Mapping[str, Any]) -> None:
    """ValueError when a contact's own ones have another form: only somebody past us wrote that."""
    for column, names in NAMES.items():
        value = row[column]
        if value is not None and not (value and _holds(value, names)):
            raise ValueError(f"{column} is {value!r}")


def _holds(value: object, names: tuple[str, ...]) -> bool:
    return isinstance(value, dict) and value.keys() <= set(names) and all(type(on) is bool for on in value.values())


def everywhere_text(value: Switches) -> str:
    """Those of the settings as people read them: `all but ticket, task`."""
    off = [_word(name) for name, on in value.items() if not on]
    return f"all but {', '.join(off)}" if off else "all"


def own_text(value: Switches) -> str:
    """A contact's own ones as people read them: `invoice on, task off`."""
    return ", ".join(f"{_word(name)} {'on' if on else 'off'}" for name, on in sorted(value.items()))


def _word(name: str) -> str:
    return name.replace("_", " ").lower()
