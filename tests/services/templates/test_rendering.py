"""What becomes of a template: values as people write them, nothing where nothing is known, one line of subject, and
HTML in which nothing of a value is markup.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models import CommunicationKind, Fault, Row
from services.templates import render, variables
from services.templates.markup import sanitized
from tests.services.templates.facts import CONTACT, CUSTOMER, INVOICE, full, minimal

_K = CommunicationKind


def template(text: str = "x", subject: str = "x", html: str | None = None, kind: CommunicationKind = _K.INVOICE) -> Row:
    return {
        "kind": kind.value,
        "name": "Mine",
        "subject_source": subject,
        "text_source": text,
        "html_source": html,
    }


def rendered(text: str, kind: CommunicationKind = _K.INVOICE, **fields: Any) -> str:
    return render(template(text, kind=kind), full(kind, **fields)).text.removesuffix("\n")


def test_values_are_written_as_people_write_them() -> None:
    for source, expected in {
        "{{ sales_document.amount }}": "EUR 1,234.50",
        "{{ sales_document.amount | money }} {{ sales_document.amount | money('plain') }}": "EUR 1,234.50 1,234.50",
        "{{ sales_document.paid }} {{ sales_document.currency }}": "EUR 234.50 EUR",
        "{{ sales_document.due_on }}": "31 January 2026",
        "{{ sales_document.due_on | date }} {{ today | date('iso') }}": "31 January 2026 2026-02-12",
        "{{ sales_document.kind | capitalize }} {{ sales_document.kind | title | length }}": "Invoice 7",
        "{{ company.address }}": "12 Harbour Street\n2nd floor\nPortland, OR 97209\nUnited States",
        "{{ customer.name | upper }} {{ customer.name | lower | trim }}": "HARBOR <B>BAKERY</B> harbor <b>bakery</b>",
        "{% if sales_document.amount > 1234 and sales_document.amount <= 1234.5 %}a{% endif %}": "a",
        "{% if sales_document.balance < sales_document.amount %}a{% endif %}": "a",
        "{% if sales_document.amount == sales_document.amount and sales_document.amount != 3 %}a{% endif %}": "a",
        "{% if sales_document.due_on < today and today >= today %}a{% endif %}": "a",
        "{{ sales_document.days_overdue }} {{ sales_document.days_until_due }}": "12 0",
        "a\n{% if customer %}\nb\n{% endif %}\nc": "a\nb\nc",
        "a\n\n\n\n\nb": "a\n\nb",
    }.items():
        assert rendered(source) == expected, source
    for minor, currency, expected in (
        (0, "EUR", "EUR 0.00"),
        (5, "EUR", "EUR 0.05"),
        (-123_456_789, "EUR", "EUR \u22121,234,567.89"),
        (1_234_567, "JPY", "JPY 1,234,567"),
        (1_234_567, "KWD", "KWD 1,234.567"),
    ):
        invoice = {**INVOICE, "amount": minor, "currency": currency}
        assert rendered("{{ sales_document.amount }}", sales_document=invoice) == expected


def test_what_is_not_known_is_nothing() -> None:
    for source, expected in {
        "{{ contact.first_name }}{{ contact.first_name | upper }}{{ contact.title | trim | lower }}": "",
        "{{ contact.first_name | default('you') }} {{ contact.last_name or 'there' }}": "you there",
        "{{ contact.first_name | length }}": "0",
        "{% if contact.first_name is none and contact is not defined and customer.name is defined %}a{% endif %}": "a",
        "{{ sales_document.amount }}{{ sales_document.due_on }}{{ sales_document.due_on | date('iso') }}": "",
        "{{ sales_document.amount | money('plain') }}{{ sales_document.days_overdue }}": "",
        "{% if sales_document.days_overdue > 0 or sales_document.days_overdue <= 0 %}a{% endif %}": "",
        "{% if 0 < sales_document.amount or today > sales_document.due_on %}a{% endif %}": "",
        "{% if sales_document or contact or sales_document.amount == 0 %}a{% endif %}": "",
        "{% if sales_document.number == none and sales_document.number != 'x' %}a{% endif %}": "a",
        "{% if sales_document.currency in ('EUR',) %}a{% endif %}": "",
        "{{ company.name }}{{ company.address }}": "Accounts receivable",
        "{{ none }}{{ none | upper }}": "",
    }.items():
        assert render(template(source), minimal(_K.INVOICE)).text == expected + "\n", source
    nobody = variables(
        _K.STATEMENT, settings={"company": None}, customer=CUSTOMER, contact=None, today=date(2026, 1, 1)
    )
    source = "{% for a in statement.lines %}a{% else %}{{ contact.name }}none{% endfor %}{{ statement.month }}"
    assert render(template(source, kind=_K.STATEMENT), nobody).text == "none\n"


def test_a_subject_is_one_line_of_a_header() -> None:
    evil = {**CUSTOMER, "name": "Bakery\r\nBcc: eve@example.com\x00\x1b[2J\u2028x\ud800"}
    for source, expected in (
        ("Hello {{ customer.name }}", "Hello Bakery Bcc: eve@example.com [2J x"),
        ("{{ '\\r\\nBcc: eve@example.com' }}", None),
        ("{{ contact.title }}", "Mine"),
        ("  {{ customer.name | upper }}  ", "BAKERY BCC: EVE@EXAMPLE.COM [2J X"),
    ):
        if expected is None:
            with pytest.raises(Fault):
                render(template(subject=source), full(_K.INVOICE))
            continue
        facts = full(_K.INVOICE, customer=evil, contact={**CONTACT, "title": "\n"})
        subject = render(template(subject=source), facts).subject_line
        assert subject == expected
        assert subject.isprintable()
    long = render(
        template(subject="{{ customer.name }} " * 10), full(_K.INVOICE, customer={**CUSTOMER, "name": "ä" * 200})
    )
    assert (len(long.subject_line.encode()), long.subject_line[-2:]) == (997, "ä…")


def test_nothing_of_a_value_is_markup() -> None:
    evil = {**CUSTOMER, "name": "<script>alert('x')</script>&\"'", "website": "javascript:alert(1)"}
    html = (
        '<p title="{{ customer.name }}">{{ customer.name }}<br>{{ "<b>" }}</p><a href="{{ customer.website }}">y</a>'
        '<p style="color: {{ customer.website }}">z</p>{{ company.address }}'
    )
    message = render(template("{{ customer.name }}", "{{ customer.name }}", html), full(_K.INVOICE, customer=evil))
    assert message.text == "<script>alert('x')</script>&\"'\n"
    assert message.subject_line == "<script>alert('x')</script>&\"'"
    assert message.html == (
        "<p title=\"&lt;script&gt;alert('x')&lt;/script&gt;&amp;&quot;'\">"
        "&lt;script&gt;alert('x')&lt;/script&gt;&amp;\"'<br>&lt;b&gt;</p><a>y</a><p>z</p>"
        "12 Harbour Street<br>\n2nd floor<br>\nPortland, OR 97209<br>\nUnited States"
    )


def test_the_sanitiser_lets_nothing_active_through() -> None:
    for html, expected in {
        "<script>alert(1)</script>x": "x",
        "<style>p { color: red }</style>x": "x",
        "<p onclick=alert(1) id=a class=b>x</p>": "<p>x</p>",
        "<img src=https://x.example/open.gif>x": "x",
        "<iframe src=https://x.example></iframe><form><input></form>x": "x",
        "<a href=javascript:alert(1)>x</a>": "<a>x</a>",
        "<a href='JaVaScRiPt:alert(1)'>x</a>": "<a>x</a>",
        "<a href='java\nscript:alert(1)'>x</a>": "<a>x</a>",
        "<a href='data:text/html,x'>x</a><a href='/x'>y</a><a href='//x.example'>z</a>": "<a>x</a><a>y</a><a>z</a>",
        "<a href='https://x.example/?a=b&c'>x</a>": '<a href="https://x.example/?a=b&amp;c">x</a>',
        "<p style='position: fixed; color: red'>x</p>": '<p style="color:red">x</p>',
        "<p style='background: url(https://x.example); color: red'>x</p>": "<p>x</p>",
        "<p style='border: 1px solid url(https://x.example)'>x</p>": "<p>x</p>",
        "<svg><p onclick=x>x": "<p>x</p>",
        "<b><i>x</b>y": "<b><i>x</i></b><i>y</i>",
        "<!-- x --><meta http-equiv=refresh><base href=x><object></object>x": "x",
    }.items():
        assert sanitized(html) == expected, html


def test_what_was_forced_past_the_checks_is_not_sent() -> None:
    forced = template("{{ customer.nmae }}\x00\x01", html="<script>{{ x }}</script>\x01")
    with pytest.raises(Fault, match=r"^Mend the template Mine first\. Its text: Line 1: There is no part nmae\."):
        render(forced, full(_K.INVOICE))
    with pytest.raises(Fault, match=r"^Mend the template Mine first\. Its html: Line 1: <script> may not stand"):
        render(template("x", html="<script>x</script>\x01"), full(_K.INVOICE))
