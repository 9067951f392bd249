"""What is wrong with a template: where, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches

_LONGEST_NAME = 50
# Beyond so many nobody reads on.
MOST = 20


@dataclass(frozen=True)
class Problem:
    """Something wrong with a source; `line` counts from 1, None when it is about the source as a whole."""

    message: str
    line: int | None = None

    def __str__(self) -> str:
        return self.message if self.line is None else f"Line {self.line}: {self.message}"


@dataclass
class Problems:
    """What was found so far, in the order of the source."""

    found: list[Problem] = field(default_factory=list)

    def add(self, line: int | None, message: str) -> None:
        """Note one, unless it is known or there are enough."""
        problem = Problem(message, line)
        if len(self.found) < MOST and problem not in self.found:
            self.found.append(problem)


def unknown(what: str, name: str, known: list[str]) -> str:
    """There is no such thing; perhaps one that is spelled alike, in any case these."""
    shown = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    close = get_close_matches(shown, known, 1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"There is no {what} {shown}.{guess} There are {', '.join(known)}."
