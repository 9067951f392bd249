"""What each built-in user role may do, as the table in the README."""

from __future__ import annotations

import re

from models import Permission
from schema.enums import descriptions
from services.user_roles import BUILT_IN

_BEGIN, _END = "<!-- roles: written by export-roles -->", "<!-- /roles -->"
_BETWEEN = re.compile(f"(?<={re.escape(_BEGIN)}\n).*(?={re.escape(_END)})", re.DOTALL)


def table() -> str:
    """A row for each permission, a column for each role; `✓` where the role has the permission."""
    names = [name for name, _ in BUILT_IN.values()]
    meanings = descriptions(Permission)
    lines = [["Permission", "What it lets do", *names], ["---", "---", *(":-:" for _ in names)]]
    for permission in Permission:
        marks = ("✓" if permission in permissions else "" for _, permissions in BUILT_IN.values())
        lines.append([f"`{permission.value}`", meanings[permission.value].rstrip("."), *marks])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def written(text: str) -> str:
    """The text of the README with today's table between its marks. ValueError without marks."""
    found, number = _BETWEEN.subn(table(), text)
    if number != 1:
        raise ValueError(f"there is no place for the table: {_BEGIN} and {_END}")
    return found
