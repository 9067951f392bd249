"""Which reminder of an invoice is due: compared with a plain oracle, over due dates, steps, payments and downtimes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.preference_values import steps_of
from models.reminder import due_step, next_step, windows

DUE = date(2026, 3, 31)
DAYS = st.lists(st.integers(-30, 60), unique=True, min_size=1, max_size=6).map(sorted)


def after(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


def due(days: list[int], today: date, last_sent: int | None = None, **more: Any) -> int | None:
    """The day of the step that is due."""
    step = due_step(steps_of(days), DUE, today, last_sent, **more)
    return None if step is None else int(step["days"])


def oracle(days: list[int], age: int, sent: set[int]) -> int | None:
    """The rule, word by word: the latest step whose day has come, if nothing of it or later was sent."""
    come = [day for day in days if day <= age]
    if not come:
        return None
    latest = max(come)
    if latest < 0 < age or any(day >= latest for day in sent):
        return None
    return latest


@pytest.mark.parametrize(
    ("age", "last_sent", "expected"),
    [
        (-4, None, None),  # too early
        (-3, None, -3),
        (-3, -3, None),  # sent
        (-1, None, -3),  # late, and still before the due date
        (0, None, 0),
        (0, -3, 0),
        (5, None, 0),  # late
        (6, None, 0),
        (7, 0, 7),
        (30, None, 14),  # all collapse into the latest
        (30, -3, 14),
        (30, 14, None),
        (30, 21, None),  # a later step of another workflow was sent
    ],
)
def test_the_latest_step_whose_day_has_come_is_due(age: int, last_sent: int | None, expected: int | None) -> None:
    assert due([-3, 0, 7, 14], after(age), last_sent) == expected


def test_what_goes_out_before_the_due_date_is_not_sent_after_it() -> None:
    assert due([-3, 7], after(0)) == -3
    assert due([-3, 7], after(1)) is None
    assert due([-3, 7], after(7)) == 7
    assert due([-7, -3], after(2)) is None


def test_due_dates_at_both_ends_of_the_calendar_break_nothing() -> None:
    steps = steps_of([-365, 365])
    for day in (date.min, date.max):
        for due_on in (date.min, date.max):
            assert due_step(steps, due_on, day, None) in (None, *steps)
            assert next_step(steps, due_on, day, 365) is None
    assert next_step(steps_of([365]), date.max, date(2026, 1, 1), None) is None


@given(DAYS, st.integers(-40, 80), st.sets(st.integers(-30, 60), max_size=4))
def test_it_is_what_the_rule_says(days: list[int], age: int, sent: set[int]) -> None:
    assert due(days, after(age), max(sent, default=None)) == oracle(days, age, sent)


@given(DAYS, st.integers(-40, 80))
def test_on_a_day_to_come_exactly_the_step_of_that_day_is_due(days: list[int], age: int) -> None:
    assert due(days, after(age), exact=True) == (age if age in days else None)


@given(DAYS, st.booleans())
def test_no_due_date_is_in_two_windows(days: list[int], exact: bool) -> None:
    found = [window for window in windows(steps_of(days), DUE, exact=exact) if window.first <= window.last]
    for earlier, later in pairwise(found):
        assert later.last < earlier.first


@given(
    DAYS,
    st.sets(st.integers(-40, 80)),
    st.none() | st.integers(-40, 80),
    st.none() | st.tuples(st.integers(-40, 80), st.integers(-20, 20)),
    st.none() | st.tuples(st.integers(-40, 80), DAYS),
)
def test_over_a_life_each_step_goes_out_once_and_in_order(
    days: list[int],
    down: set[int],
    paid_at: int | None,
    due_moves: tuple[int, int] | None,
    workflow_changes: tuple[int, list[int]] | None,
) -> None:
    """A simulated life of an invoice: the worker runs on all days but those on which it is down."""
    sent: list[tuple[int, int]] = []
    shift = 0
    for age in range(-40, 81):
        if due_moves is not None and age == due_moves[0]:
            shift = due_moves[1]
        if workflow_changes is not None and age == workflow_changes[0]:
            days = workflow_changes[1]
        if age in down or (paid_at is not None and age >= paid_at):
            continue
        known = {day for _, day in sent}
        step = due_step(steps_of(days), after(shift), after(age), max(known, default=None))
        assert (None if step is None else step["days"]) == oracle(days, age - shift, known)
        if step is not None:
            sent.append((age, step["days"]))
    told = [day for _, day in sent]
    assert told == sorted(set(told))
    if not down and paid_at is None and due_moves is None and workflow_changes is None:
        assert sent == [(day, day) for day in days]


@given(DAYS, st.integers(-40, 80), st.none() | st.integers(-30, 60))
def test_the_next_reminder_is_the_one_that_a_daily_worker_sends_next(
    days: list[int], age: int, last_sent: int | None
) -> None:
    told = next_step(steps_of(days), DUE, after(age), last_sent)
    for later in range(age, 90):
        step = due(days, after(later), last_sent)
        if step is not None:
            assert told is not None
            assert (told.step["days"], told.on) == (step, after(later))
            return
    assert told is None
