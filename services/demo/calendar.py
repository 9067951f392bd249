"""When the demo's office works: from Monday to Friday, 8 to 18 o'clock UTC, never in the future."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random

DAYS = 61
OPENS = time(8, tzinfo=UTC)
SETTLED = time(9, 15, tzinfo=UTC)
CLOSES = time(17, 50, tzinfo=UTC)


def working_days(now: datetime) -> list[date]:
    """The working days of the last two months, oldest first, as far as the office has opened on them."""
    first = now.date() - timedelta(days=DAYS)
    days = (first + timedelta(days=number) for number in range(DAYS + 1))
    return [day for day in days if day.weekday() < 5 and datetime.combine(day, OPENS) < now]


def moment(random: Random, day: date, begin: time = SETTLED, end: time = CLOSES) -> datetime:
    """Some moment of the day between two times."""
    earliest = datetime.combine(day, begin)
    seconds = (datetime.combine(day, end) - earliest).total_seconds()
    return earliest + timedelta(seconds=random.uniform(0, seconds))
