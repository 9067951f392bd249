"""Which reminder of an invoice is due on a day: pure functions of the workflow's steps, the due date and what was sent.

They stand here, not in services/, because reads and fields of the schema answer with them, too. What they decide, and
why, is in docs/decisions/0022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from models.table import Row


@dataclass(frozen=True)
class Window:
    """The due dates, from `first` to `last`, of the invoices for which a step is the one that counts on some day.

    `days` names the step: its day relative to the due date.
    """

    days: int
    first: date
    last: date


@dataclass(frozen=True)
class Next:
    """The reminder that comes next, and the day on which it does."""

    step: Row
    on: date


def windows(steps: Sequence[Row], day: date, *, exact: bool = False) -> list[Window]:
    """The due dates for which each of the ascending steps is the one that counts on the day; none are in two windows.

    The latest step whose day has come counts: earlier ones that were missed collapse into it. One that goes out before
    the due date counts no more when that has passed. With `exact` only steps that fall on the very day count, as on a
    day to come, before which the others will have gone out.
    """
    found = []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        youngest = step["days"]
        oldest = following["days"] - 1 if following is not None else None
        if exact:
            oldest = youngest
        elif youngest < 0:
            oldest = 0 if oldest is None else min(oldest, 0)
        first = date.min if oldest is None else _before(day, oldest)
        found.append(Window(youngest, first, _before(day, youngest)))
    return found


def due_step(
    steps: Sequence[Row], due_on: date, day: date, last_sent: int | None, *, exact: bool = False
) -> Row | None:
    """The step that is due on the day, None when there is none. `last_sent` is the latest one that was sent already.

    Nothing comes after a later one: neither a new due date nor another workflow repeats what was sent.
    """
    for window, step in zip(windows(steps, day, exact=exact), steps, strict=True):
        if window.first <= due_on <= window.last:
            return step if last_sent is None or window.days > last_sent else None
    return None


def next_step(steps: Sequence[Row], due_on: date, today: date, last_sent: int | None) -> Next | None:
    """The reminder that goes out next while nothing changes: today, or on a day to come; None when all have."""
    now = due_step(steps, due_on, today, last_sent)
    if now is not None:
        return Next(now, today)
    for step in steps:
        if (today - due_on).days < step["days"] and (last_sent is None or step["days"] > last_sent):
            on = _before(due_on, -step["days"])
            return Next(step, on) if (on - due_on).days == step["days"] else None
    return None


def _before(day: date, days: int) -> date:
    """The day so many days before, or the first or the last one of all."""
    try:
        return day - timedelta(days=days)
    except OverflowError:
        return date.min if days > 0 else date.max
