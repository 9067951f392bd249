"""Whatever is accepted renders, for every combination of what is known and what is not: without an error, within its
bounds, and without anything active.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import CommunicationKind
from services.templates import render, variables
from services.templates.checking import LARGEST, problems
from services.templates.markup import ATTRIBUTES, TAGS
from services.templates.rendering import LONGEST_SUBJECT
from services.templates.sources import LONGEST_SOURCE
from services.templates.vocabulary import LINES, documented
from tests.services.templates.facts import COMPANY, CONTACT, CUSTOMER, INVOICE, LINK, TODAY, statement

_K = CommunicationKind
_EVIL = "<script>alert(1)</script>\"'&\x00\r\njavascript:alert(1)\u00a0ΐﬃ{{ x }}"


@st.composite
def facts(draw: st.DrawFn, kind: CommunicationKind) -> Any:
    """What is known, any part of it or not, long or evil."""

    def some(row: Any, always: tuple[str, ...] = ()) -> Any:
        texts = st.sampled_from([_EVIL, "x" * 3000, "\n" * 3000, "&" * 3000])
        return {
            name: draw(st.just(value) | (texts if isinstance(value, str) and name not in always else st.just(value)))
            if name in always or draw(st.booleans())
            else None
            for name, value in row.items()
        }

    fixed = ("kind", "issued_on", "amount", "balance", "currency")
    invoice = some(INVOICE, (*fixed, "number", "due_on")) if draw(st.booleans()) else None
    if invoice is not None and draw(st.booleans()):
        invoice["due_on"] = None
    return variables(
        kind,
        settings={"company": some(COMPANY, ("name", "address")) if draw(st.booleans()) else None},
        customer=some(CUSTOMER, ("billing_address",)),
        contact=some(CONTACT) if draw(st.booleans()) else None,
        sales_document=invoice,
        statement=draw(
            st.none() | st.sampled_from([0, 1, LINES + 5]).map(lambda number: statement(number, "EUR", "JPY"))
        ),
        reminder_days=draw(st.none() | st.integers(-365, 365)),
        link=draw(st.none() | st.just(LINK)),
        today=TODAY,
    )


def expressions(kind: CommunicationKind, *, looped: bool) -> st.SearchStrategy[str]:
    """Expressions, most of them in the language."""
    shown = [one.name for one in documented(kind) if one.example is not None]
    named = [name.replace("statement.lines[]", "line") for name in shown if looped or "[" not in name]
    named += ["loop.index"] if looped else []
    leaf = st.sampled_from([*named, *named, "'a'", "'<b>'", "1", "-2.5", "none", "customer", "true", "loop.last", "x"])
    filters = ["upper", "title", "trim", "length", "default('x')", "default(1)"] * 3 + ["money", "date('iso')", "safe"]
    pairs = ["==", "!=", "and", "or"] * 3 + ["<", "<=", ">", ">=", "+", "~"]

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from(filters)).map(" | ".join),
            st.tuples(inner, st.sampled_from(pairs), inner).map(lambda parts: f"('y' if {' '.join(parts)} else 'n')"),
            inner.map(lambda one: f"('y' if not {one} else none)"),
            inner.map(lambda one: f"('y' if {one} is none or {one} in ('EUR', 1, none) else 2)"),
            st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        )

    return st.recursive(leaf, more, max_leaves=4)


def sources(kind: CommunicationKind, *, looped: bool = False) -> st.SearchStrategy[str]:
    """Sources, most of them in the language."""
    value = expressions(kind, looped=looped)
    text = st.sampled_from(["a", "\n", " ", "&", "&nbsp;", "<br>", "<hr>", "<td>a</td>", "</b>"])

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        kinds = [
            st.lists(inner, max_size=4).map("".join),
            st.tuples(value, inner, inner).map(
                lambda parts: f"{{% if {parts[0]} %}}{parts[1]}{{% else %}}{parts[2]}{{% endif %}}"
            ),
            inner.map(lambda one: f'<div style="color: red">{one}</div>'),
            inner.map(lambda one: f"<table><tr><td>{one}</td></tr></table>"),
            st.tuples(value, value, inner).map(
                lambda parts: f'<a href="{{{{ {parts[0]} }}}}" title="{{{{ {parts[1]} }}}}">x</a>{parts[2]}'
            ),
        ]
        if kind is _K.STATEMENT and not looped:
            body = sources(kind, looped=True)
            kinds.append(body.map(lambda one: f"{{% for line in statement.lines %}}{one}{{% else %}}-{{% endfor %}}"))
        return st.one_of(kinds)

    return st.recursive(value.map(lambda one: f"{{{{ {one} }}}}") | text, more, max_leaves=4)


class Activity(HTMLParser):
    """Notes what an email must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(tag)
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, ()):
                self.found.append(name)
            if name == "href" and not re.match("https?:|mailto:", value or ""):
                self.found.append(str(value))
            if name == "style" and re.search(r"url|expression|javascript|\\", value or ""):
                self.found.append(str(value))


@pytest.mark.parametrize("kind", [_K.STATEMENT, _K.WORKFLOW_REMINDER, _K.WELCOME], ids=lambda kind: kind.value)
@given(data=st.data())
def test_what_is_accepted_renders_with_whatever_is_known(kind: CommunicationKind, data: st.DataObject) -> None:
    source = data.draw(sources(kind))
    known = data.draw(facts(kind))
    template = {"kind": kind.value, "name": "Mine", "subject_source": "x", "text_source": "x", "html_source": None}
    if not problems(kind, source):
        message = render({**template, "text_source": source, "subject_source": source}, known)
        assert len(message.text.encode()) <= LARGEST
        assert len(message.subject_line.encode()) <= LONGEST_SUBJECT
        assert message.subject_line
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", message.subject_line)
        assert "None" not in message.text
    if not problems(kind, source, html=True):
        html = render({**template, "html_source": source}, known).html
        assert html is not None
        assert len(html.encode()) <= LARGEST
        activity = Activity()
        activity.feed(html)
        assert activity.found == []


def test_the_largest_that_is_accepted_keeps_its_bound() -> None:
    known = variables(
        _K.STATEMENT,
        settings={
            "company": {**COMPANY, "name": "\u00a0" * 500, "payment_instructions": "&" * 5000, "phone": "ΐ" * 500}
        },
        customer=CUSTOMER,
        contact=CONTACT,
        statement=statement(LINES + 5),
        today=TODAY,
    )
    loop = "{% for line in statement.lines %}<p>{{ line.balance }}&{{ line.number | upper }}</p>{% endfor %}"
    template = {"kind": "STATEMENT", "name": "Mine", "subject_source": "x", "text_source": "x"}
    for unit in (
        "&",
        "&nbsp;",
        "<p>x</p>",
        "<b>\u00a0</b>",
        "{{ company.payment_instructions }}",
        "{{ company.phone|upper }}",
    ):
        most = max(
            number
            for number in (10, 40, 100, 400, 1_000, 4_000, 10_000, 60_000)
            if len(unit) * number < LONGEST_SOURCE - 1000
            and not problems(_K.STATEMENT, unit * number + loop, html=True)
        )
        html = render({**template, "html_source": unit * most + loop}, known).html
        assert 0 < len(str(html).encode()) <= LARGEST
