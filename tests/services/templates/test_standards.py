"""The product's own templates: all render, with whatever is known, and say what the reader needs."""

from __future__ import annotations

import re

import pytest

from models import CommunicationKind
from services.communications import Message
from services.templates import render
from services.templates.sources import looked_at
from services.templates.standards import standard_of
from tests.services.templates.facts import INVOICE, LINK, full, minimal, statement

ALL = pytest.mark.parametrize("kind", CommunicationKind, ids=lambda kind: kind.value)
_K = CommunicationKind


def text_of(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def check_reads_well(message: Message) -> None:
    assert message.html is not None
    for part in (message.subject_line, message.text, text_of(message.html)):
        assert part.strip()
        for unwanted in ("None", "{{", "{%", " .", " ,", "  ", "Empty", "namespace"):
            assert unwanted not in part, part
    assert "\n\n\n" not in message.text
    assert message.text.startswith("Dear ")
    assert "<img" not in message.html


@ALL
def test_it_can_be_saved_as_it_is(kind: CommunicationKind) -> None:
    template = standard_of(kind)
    given = {name: template[name] for name in ("subject_source", "text_source", "html_source")}
    sources, problems = looked_at(kind, given)
    assert problems == {}
    assert sources == {name: source.strip() for name, source in given.items()} == given


@ALL
def test_it_reads_well_with_all_and_with_little(kind: CommunicationKind) -> None:
    known, unknown = (render(standard_of(kind), known(kind)) for known in (full, minimal))
    check_reads_well(known)
    check_reads_well(unknown)
    assert known.text.startswith("Dear Ada Example,\n\n")
    assert known.text.endswith("Lakeside & Sons\nPhone: +1 503 555 0100\nEmail: accounts@lakeside.example\n")
    assert unknown.text.startswith("Dear Harbor Bakery,\n\n")
    assert unknown.text.endswith("Kind regards,\nAccounts receivable\n")
    assert "Lakeside &amp; Sons" in str(known.html)


@pytest.mark.parametrize("kind", [_K.WELCOME, _K.SET_PASSWORD], ids=lambda kind: kind.value)
def test_links_for_passwords_say_how_long_they_work(kind: CommunicationKind) -> None:
    message = render(standard_of(kind), full(kind))
    assert LINK in message.text
    assert f'href="{LINK}"' in str(message.html)
    for part in (message.text, str(message.html)):
        assert "The link works once, within 48 hours." in part


def test_a_reminder_says_how_late_it_is() -> None:
    for due, balance, said in (
        ("2026-01-31", 1, "Invoice 1007 was due on 31 January 2026 and is 12 days overdue. Please arrange"),
        ("2026-02-11", 1, "and is 1 day overdue."),
        ("2026-02-12", 1, "Invoice 1007 is due today. EUR 0.01 is to be paid."),
        ("2026-02-13", 1, "is due on 13 February 2026, in 1 day."),
        ("2026-02-15", 1, "is due on 15 February 2026, in 3 days."),
        (None, 1, "what is still open"),
        ("2026-01-31", 0, "what is still open"),
    ):
        invoice = {**INVOICE, "due_on": due, "balance": balance}
        message = render(standard_of(_K.REMINDER), full(_K.REMINDER, sales_document=invoice))
        assert said in message.text, due
        late = due is not None and due < "2026-02-12" and balance > 0
        assert message.subject_line.startswith("Overdue: invoice 1007 " if late else "Reminder: invoice 1007 ")


def test_a_statement_lists_what_is_open() -> None:
    message = render(standard_of(_K.STATEMENT), full(_K.STATEMENT, statement=statement(2, "EUR", "USD")))
    assert message.subject_line == "Statement for February 2026 from Lakeside & Sons"
    assert (
        "On 12 February 2026 EUR 2,000.00 and USD 2,000.00 is to be paid on the account of Harbor <b>Bakery</b>, of"
        " which EUR 2,000.00 and USD 2,000.00 is overdue." in message.text
    )
    assert message.text.count(", issued 1 January 2026, due 31 January 2026: EUR 1,000.00 (overdue)\n") == 2
    assert str(message.html).count("<td") == 16
    long = render(standard_of(_K.STATEMENT), full(_K.STATEMENT, statement=statement(230)))
    assert (long.text.count("issued"), "Further open invoices: 30." in long.text) == (200, True)
    assert "nothing is to be paid" in render(standard_of(_K.STATEMENT), full(_K.STATEMENT, statement=statement(0))).text
