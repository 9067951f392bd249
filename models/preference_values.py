"""The JSON values of preferences and workflows: the form that readers rely on, and what people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from models import switch
from models.percentage import WHOLE, shown
from models.text import counted

# JSON column of a payment that may cost more or less → the member with its rate in basis points, and what that is.
_RATES = {"card": ("surcharge_basis_points", "surcharge"), "ach": ("discount_basis_points", "discount")}

COMPANY = ("name", "address", "email", "phone", "tax_id", "payment_instructions")


def check(row: Mapping[str, Any]) -> None:
    """ValueError when a JSON value of settings or preferences has another form: only somebody past us wrote that."""
    for name in (*_RATES, "online_payments"):
        value = row[name]
        if value is not None and not _is_well_formed(name, value):
            raise ValueError(f"{name} is {value!r}")


def check_company(value: Any) -> None:
    """ValueError when a company is not as the settings hold it, or None."""
    if value is None:
        return
    if not isinstance(value, dict) or value.keys() != set(COMPANY) or not isinstance(value["name"], str):
        raise ValueError(f"company is {value!r}")
    address, texts = value["address"], [value[name] for name in COMPANY if name != "address"]
    if not all(text is None or isinstance(text, str) for text in texts) or not isinstance(address, dict | None):
        raise ValueError(f"company is {value!r}")


def check_steps(steps: Any) -> None:
    """ValueError when the steps of a reminder workflow are no list of steps, or of days as early versions had them."""
    if not isinstance(steps, list) or not all(type(step) is int or _is_step(step) for step in steps):
        raise ValueError(f"steps is {steps!r}")


def steps_of(stored: Sequence[Any]) -> list[dict[str, Any]]:
    """The steps of a reminder workflow, ascending: {days, template_id, attach_statement, attach_invoice}.

    Early versions stored days only.
    """
    return sorted((step_of(step) if type(step) is int else step for step in stored), key=lambda step: step["days"])


def step_of(days: int) -> dict[str, Any]:
    """A step with the standard template that attaches nothing."""
    return {"days": days, "template_id": None, "attach_statement": False, "attach_invoice": False}


def _is_step(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != step_of(0).keys() or type(value["days"]) is not int:
        return False
    switches = type(value["attach_statement"]) is bool and type(value["attach_invoice"]) is bool
    return switches and (value["template_id"] is None or isinstance(value["template_id"], str))


def _is_well_formed(name: str, value: Any) -> bool:
    member = _RATES[name][0] if name in _RATES else "disabled_until"
    if not isinstance(value, dict) or value.keys() != {"enabled", member} or type(value["enabled"]) is not bool:
        return False
    inner: object = value[member]
    if name in _RATES:
        return type(inner) is int and 0 <= inner <= WHOLE
    return inner is None or (not value["enabled"] and _is_day(inner))


def available(value: Mapping[str, Any], today: date) -> bool:
    """Whether online payments are possible on a day."""
    until = value["disabled_until"]
    return bool(value["enabled"]) or (until is not None and today.isoformat() >= until)


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _switch(value: bool) -> str:
    return "on" if value else "off"


def _with_rate(name: str) -> Callable[[Mapping[str, Any]], str]:
    member, what = _RATES[name]

    def read(value: Mapping[str, Any]) -> str:
        return _switch(value["enabled"]) + (f", {shown(value[member])} % {what}" if value[member] else "")

    return read


def _online_payments(value: Mapping[str, Any]) -> str:
    until = value["disabled_until"]
    return f"off until {until}" if until else _switch(value["enabled"])


def _company(value: Mapping[str, Any]) -> str:
    address = value["address"] or {}
    place = [*address.get("lines", ()), *(address.get(name) for name in ("city", "region", "postal_code", "country"))]
    parts = [value["name"], *place, *(value[name] for name in COMPANY[2:])]
    return ", ".join(part for part in parts if part)


def days(steps: Sequence[Any]) -> str:
    """The steps of a reminder workflow, as people read them; also those of early versions, which were days only."""
    return ", ".join(map(_step, steps_of(steps)))


def day(number: int) -> str:
    """A day relative to the due date, as people read it."""
    if number == 0:
        return "on the due date"
    return f"{counted(abs(number), 'day')} {'before' if number < 0 else 'after'}"


def _step(step: Mapping[str, Any]) -> str:
    extras = ["own template"] if step["template_id"] else []
    extras += [what for what in ("statement", "invoice") if step[f"attach_{what}"]]
    return day(step["days"]) + (f" ({', '.join(extras)})" if extras else "")


# Column of settings and preferences → its value as people read it.
TEXTS: Mapping[str, Callable[[Any], str]] = {
    "reminders": _switch,
    "monthly_statement": _switch,
    "online_payments": _online_payments,
    "customer_portal": _switch,
    "card": _with_rate("card"),
    "ach": _with_rate("ach"),
    "notifications": switch.everywhere_text,
    "portal_permissions": switch.everywhere_text,
    "portal_access": lambda value: str(value).replace("_", " ").lower(),
    "separate_messages": lambda value: "one for each recipient" if value else "one for all recipients",
    "company": _company,
    "contact_policy": lambda value: str(value).replace("_", " ").lower(),
}
