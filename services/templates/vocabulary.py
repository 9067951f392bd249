"""What templates can say: the variables of each kind of email, with what they mean and an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from models import CommunicationKind
from services.templates.values import Day, Facts, Money


class Shape(Enum):
    """What a value is, so that only what can be compared is compared."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    MONEY = "MONEY"
    DATE = "DATE"
    FLAG = "FLAG"


@dataclass(frozen=True)
class Value:
    """A value; all but flags can be shown. Texts are cut to `longest` characters, the others are never longer."""

    description: str
    example: str | int | Money | Day
    shape: Shape = Shape.TEXT
    longest: int = 200


@dataclass(frozen=True)
class Group:
    """Several values of one thing, each by its name."""

    description: str
    parts: Mapping[str, Value | Group | Several]


@dataclass(frozen=True)
class Several:
    """A list of things of a kind, at most so many: the only ones that a template can repeat something for."""

    description: str
    each: Group
    at_most: int


@dataclass(frozen=True)
class Variable:
    """A line of the documentation: `lines[].number` stands for the number of each line."""

    name: str
    description: str
    example: str | None
    repeated: bool = False


Part = Value | Group | Several
Parts = Mapping[str, Part]

# Of more open invoices than these a statement's email only says how many there are: all are in its PDF.
LINES = 200


def _money(description: str, minor: int) -> Value:
    return Value(description, Money(minor, "EUR"), Shape.MONEY, 40)


def _day(description: str, *example: int) -> Value:
    return Value(description, Day(date(*example)), Shape.DATE, 20)


def _number(description: str, example: int) -> Value:
    return Value(description, example, Shape.NUMBER, 20)


_COMPANY = Group(
    "Who writes: what the settings say about your company.",
    {
        "name": Value("Its name; `Accounts receivable` until the settings say it.", "Lakeside Supplies Ltd"),
        "address": Value("Its address, several lines.", "12 Harbour Street\nPortland 97201", longest=1000),
        "email": Value("Its email address.", "accounts@lakeside.example", longest=320),
        "phone": Value("Its phone number.", "+1 503 555 0100"),
        "tax_id": Value("Its tax ID.", "12-3456789"),
        "payment_instructions": Value(
            "How to pay, several lines.", "Bank transfer to IBAN DE02 1203 0000 0000 2020 51", longest=2000
        ),
    },
)
_CUSTOMER = Group(
    "The customer who is written to.",
    {
        "name": Value("The name.", "Harbor Bakery"),
        "email": Value("The preferred email address.", "office@harbor.example", longest=320),
        "phone": Value("The preferred phone number.", "+1 503 555 0142"),
        "website": Value("The web address.", "https://harbor.example", longest=500),
        "billing_address": Value("The billing address, several lines.", "7 Pier Road\nPortland 97209", longest=1500),
        "tax_id": Value("The tax ID.", "98-7654321"),
        "payment_terms": Value("The payment terms.", "Net 30"),
        "currency": Value("The preferred currency, as a code of ISO 4217.", "EUR"),
    },
)
_CONTACT = Group(
    "The contact who is written to.",
    {
        "name": Value("First and last name.", "Ada Example", longest=401),
        "first_name": Value("The first name.", "Ada"),
        "last_name": Value("The last name.", "Example"),
        "title": Value("The position.", "Head of Purchasing"),
        "email": Value("The preferred email address.", "ada@harbor.example", longest=320),
        "phone": Value("The preferred phone number.", "+1 503 555 0143"),
    },
)
_INVOICE = {
    "number": Value("The number.", "1007"),
    "issued_on": _day("The day it was issued.", 2026, 1, 1),
    "due_on": _day("The day it is due.", 2026, 1, 31),
    "amount": _money("The amount.", 123450),
    "balance": _money("What is still to be paid.", 123450),
    "days_overdue": _number("For how many days it has been overdue; 0 while it is not.", 12),
}
_SALES_DOCUMENT = Group(
    "The quote, order or invoice that the email is about; false when it is about none.",
    {
        "kind": Value("`quote`, `order` or `invoice`.", "invoice", longest=20),
        **_INVOICE,
        "paid": _money("What has been paid.", 0),
        "currency": Value("The currency, as a code of ISO 4217.", "EUR"),
        "days_until_due": _number("In how many days it is due; 0 from that day on.", 0),
    },
)
_STATEMENT = Group(
    "The statement of account; false when there is none.",
    {
        "month": Value("The month.", "January 2026", longest=20),
        "as_of": _day("The last day that it tells about.", 2026, 1, 31),
        "total": Value("All that is to be paid, in each currency.", "EUR 1,234.50"),
        "overdue": Value("How much of it is overdue.", "EUR 1,234.50"),
        "lines": Several("What is open, the first due first.", Group("An open invoice.", _INVOICE), LINES),
        "more": _number(f"How many open invoices there are beyond these {LINES}.", 0),
    },
)
_LINK = Value(
    "The address at which the contact sets a password: it works for 48 hours, once.",
    "https://portal.example/set-password/…",
    longest=2000,
)

_EVERYWHERE: Parts = {
    "company": _COMPANY,
    "customer": _CUSTOMER,
    "contact": _CONTACT,
    "today": _day("The day on which the email is written.", 2026, 2, 12),
}
_K = CommunicationKind
_FURTHER: Mapping[CommunicationKind, Parts] = {
    _K.STATEMENT: {"statement": _STATEMENT},
    _K.WORKFLOW_REMINDER: {
        "sales_document": _SALES_DOCUMENT,
        "reminder_days": _number("The step of the workflow: days after the due date, negative before it.", 7),
    },
    _K.WELCOME: {"link": _LINK},
    _K.SET_PASSWORD: {"link": _LINK},
}

# In a loop there is also this.
LOOP = Group(
    "Where a loop is.",
    {
        "index": _number("The number of this round, from 1.", 1),
        "first": Value("Whether this is the first round: for `if` only.", "", Shape.FLAG),
        "last": Value("Whether this is the last round: for `if` only.", "", Shape.FLAG),
    },
)


def parts(kind: CommunicationKind) -> Parts:
    """The variables of emails of a kind, by name."""
    return {**_EVERYWHERE, **_FURTHER.get(kind, {"sales_document": _SALES_DOCUMENT})}


def examples(kind: CommunicationKind) -> dict[str, Any]:
    """The documented examples as the values of the variables."""
    return _examples(parts(kind))


def _examples(documented: Parts) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, part in documented.items():
        if isinstance(part, Value):
            found[name] = part.example
        elif isinstance(part, Group):
            found[name] = Facts(**_examples(part.parts))
        else:
            found[name] = (Facts(**_examples(part.each.parts)),)
    return found


def documented(kind: CommunicationKind) -> list[Variable]:
    """All that a template of this kind can name, in order."""
    return [line for name, part in parts(kind).items() for line in _lines(name, part, repeated=False)]


def _lines(name: str, part: Part, *, repeated: bool) -> Iterator[Variable]:
    if isinstance(part, Value):
        yield Variable(name, part.description, str(part.example), repeated)
        return
    yield Variable(name, part.description, None, repeated)
    inside = part.each if isinstance(part, Several) else part
    for inner, value in inside.parts.items():
        several = isinstance(part, Several)
        yield from _lines(f"{name}{'[]' if several else ''}.{inner}", value, repeated=repeated or several)
