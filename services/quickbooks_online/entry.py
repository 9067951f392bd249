"""One Customer entry while it is read: its members as text, and what could not be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from models.fault import Fault
from services.quickbooks_online.record import Problem

T = TypeVar("T")


@dataclass
class Entry:
    """The decoded members of one customer; what cannot be used gathers in `problems`."""

    members: dict[str, Any]
    external_id: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def text(self, *path: str) -> str:
        """The trimmed text at `path`, or the empty string. Numbers become text: some sources write ids so."""
        value: Any = self.members
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        return str(value).strip()

    def says(self, name: str, *, default: bool) -> bool:
        """A true-or-false member, also when it is written as text."""
        value = self.members.get(name)
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower(), default)

    def report(self, reason: str, field: str | None) -> None:
        """Note what happened to `field`."""
        self.problems.append(Problem(self.external_id, reason, field))

    def attempt(self, field: str, check: Callable[..., T], value: object, **options: Any) -> T | None:
        """What `check`, a function of `services.values`, makes of the value; on its Fault None and a problem."""
        try:
            return check(value, (), **options)
        except Fault as fault:
            self.report(fault.message, field)
            return None
