"""Values as templates show them: money, days and what is empty; and the filters that templates may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup, escape

from models import money
from services import writing


class Empty:
    """What is not known: it shows nothing, counts as false, and is neither less nor more than anything."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # equal to None, whose hash is another

    def __str__(self) -> str:
        return ""

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Empty)

    def _never(self, _: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never


EMPTY = Empty()


class Facts(SimpleNamespace):
    """Named values of one thing; false when none of them is known."""

    def __bool__(self) -> bool:
        return any(value is not EMPTY and value != () for value in vars(self).values())


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency: `EUR 1,234.50`. It is compared with others and with plain numbers."""

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount in whole units of the currency."""
        return Decimal(self.minor).scaleb(-money.digits(self.currency))

    def __str__(self) -> str:
        return writing.amount(self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Money):
            return (self.amount, self.currency) == (other.amount, other.currency)
        return self.amount == other

    def __hash__(self) -> int:
        return hash(self.amount)

    def __lt__(self, other: Money | float | Empty) -> bool:
        return not isinstance(other, Empty) and self.amount < _number(other)

    def __le__(self, other: Money | float | Empty) -> bool:
        return not isinstance(other, Empty) and self.amount <= _number(other)

    def __gt__(self, other: Money | float | Empty) -> bool:
        return not isinstance(other, Empty) and self.amount > _number(other)

    def __ge__(self, other: Money | float | Empty) -> bool:
        return not isinstance(other, Empty) and self.amount >= _number(other)


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A day: `31 January 2026`."""

    date: date

    def __str__(self) -> str:
        return writing.day(self.date)


def _number(value: Money | float) -> Decimal | float:
    return value.amount if isinstance(value, Money) else value


def shown(value: object) -> object:
    """A value as plain text shows it: nothing for what is empty."""
    return "" if value is None else value


def shown_in_html(value: object) -> object:
    """A value as HTML shows it: escaped, its line breaks kept."""
    if isinstance(value, str) and not isinstance(value, Markup) and "\n" in value:
        return Markup("<br>\n").join(escape(line) for line in value.split("\n"))
    return shown(value)


def _text(of: Callable[[str], str]) -> Callable[[object], str]:
    def changed(value: object) -> str:
        return of(str(shown(value)))

    return changed


def _capitalize(value: str) -> str:
    return value[:1].upper() + value[1:]


def _default(value: object, instead: object) -> object:
    return instead if isinstance(value, Empty) or value is None or value == "" else value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, tuple) else len(str(shown(value)))


def _money(value: object, style: str = "") -> str:
    if not isinstance(value, Money):
        return ""
    return money.grouped(value.minor, value.currency) if style == "plain" else str(value)


def _date(value: object, style: str = "") -> str:
    if not isinstance(value, Day):
        return ""
    return value.date.isoformat() if style == "iso" else str(value)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "upper": _text(str.upper),
    "lower": _text(str.lower),
    "title": _text(str.title),
    "capitalize": _text(_capitalize),
    "trim": _text(str.strip),
    "default": _default,
    "length": _length,
    "money": _money,
    "date": _date,
}


def _is_none(value: object) -> bool:
    return value is None or isinstance(value, Empty) or (isinstance(value, Facts) and not value)


TESTS: Mapping[str, Callable[[object], bool]] = {
    "defined": lambda value: not _is_none(value),
    "none": _is_none,
}
