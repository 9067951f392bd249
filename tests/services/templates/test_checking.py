"""What may stand in a template is decided when it is saved: the language, its variables, its size, its HTML."""

from __future__ import annotations

import pytest

from models import CommunicationKind, Fault
from services.templates.checking import problems
from services.templates.sources import LONGEST_SOURCE, checked, looked_at
from services.templates.vocabulary import documented

_K = CommunicationKind

# A source for an invoice's email, and the beginning of what is said about it.
REFUSED = {
    "{{ custmer.name }}": "Line 1: There is no variable custmer. Did you mean customer? There are company, customer,",
    "a\n\n{{ customer.nmae }}": "Line 3: There is no part nmae. Did you mean name? There are name, email,",
    "{{ ''.__class__ }}": "Line 1: What stands before .__class__ has no parts.",
    "{{ customer.__class__.__mro__ }}": "Line 1: There is no part __class__.",
    "{{ ''['__class__'] }}": "Line 1: Write a part of a variable with a dot",
    "{{ customer.name|attr('__class__') }}": "Line 1: There is no filter attr.",
    "{{ config }}": "Line 1: There is no variable config.",
    "{{ self }}": "Line 1: There is no variable self.",
    "{{ loop.index }}": "Line 1: There is no variable loop.",
    "{{ link }}": "Line 1: There is no variable link.",
    "{% for i in range(10**9) %}{% endfor %}": "Line 1: Templates cannot call functions",
    "{% for i in customer.name %}{{ i }}{% endfor %}": "Line 1: Only for a documented list",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}": "Line 1: Templates have no macro: they only have if and for.",
    "{% include 'x' %}": "Line 1: Templates have no include",
    "{% extends 'x' %}": "Line 1: Templates have no extends",
    "{% import 'x' as y %}": "Line 1: Templates have no import",
    "{% block x %}{% endblock %}": "Line 1: Templates have no block",
    "{% set x = 1 %}": "Line 1: Templates have no set",
    "{% filter upper %}x{% endfilter %}": "Line 1: Templates have no filter",
    "{% with %}x{% endwith %}": "Line 1: Templates have no with",
    "{% autoescape false %}{{ customer.name }}{% endautoescape %}": "Templates have no scope",
    "{% do x %}": "Line 1: Encountered unknown tag 'do'.",
    "{{ 'a' * 1000000 }}": "Line 1: Templates do not calculate",
    "{{ 10 ** 1000000 }}": "Line 1: Templates do not calculate",
    "{{ 'a' ~ customer.name }}": "Line 1: Templates do not calculate",
    "{{ 'a' % customer.name }}": "Line 1: Templates do not calculate",
    "{{ -customer.name }}": "Line 1: Templates do not calculate",
    "{{ customer.name.format(1) }}": "Line 1: Templates cannot call functions",
    "{{ customer.name|safe }}": "Line 1: There is no filter safe. There are upper, lower,",
    "{{ customer.name|uper }}": "Line 1: There is no filter uper. Did you mean upper?",
    "{{ customer.name|center(10000000) }}": "Line 1: There is no filter center.",
    "{{ customer.name|upper('x') }}": "Line 1: The filter upper takes no values.",
    "{{ customer.name|upper(x='x') }}": "Line 1: The filter upper takes no named values.",
    "{{ customer.name|default }}": "Line 1: Say one thing to show instead",
    "{{ customer.name|date }}": "Line 1: The filter date is for days only.",
    "{{ today|money }}": "Line 1: The filter money is for amounts only.",
    "{{ today|date('%s') }}": "Line 1: The filter date takes nothing, or “iso”",
    "{{ customer|upper }}": "Line 1: The filter upper is for single values.",
    "{{ customer }}": "Line 1: This is several values: name one of them, name, email,",
    "{{ customer.name == 'x' }}": "Line 1: This is a yes or no",
    "{{ true }}": "Line 1: This is a yes or no",
    "{{ customer.name is divisibleby(3) }}": "Line 1: There is no test divisibleby. There are defined, none.",
    "{% if customer.name > 3 %}{% endif %}": "Line 1: Only numbers and amounts can be less or more",
    "{% if today > 3 %}{% endif %}": "Line 1: Only numbers and amounts can be less or more",
    "{% if customer == 'x' %}{% endif %}": "Line 1: Only single values can be compared.",
    "{% if 'x' in customer.name %}{% endif %}": "Line 1: Name the choices after in",
    "{{ customer.name if today }}": "Line 1: Say what is shown otherwise",
    "{{ [1, 2] }}": "Line 1: Templates have no list",
    "{{ {'a': 1} }}": "Line 1: Templates have no dict",
    "{{ 1e999 }}": "Line 1: Use numbers below 1,000,000,000,000,000.",
    "{{ " + "9" * 5000 + " }}": "A number in it is too long.",
    r"{{ '\ud800' }}": "Line 1: Remove the control characters from this text.",
    r"{{ '\x00' }}": "Line 1: Remove the control characters from this text.",
    "{{ customer.name": "Line 1: unexpected end of template",
    "x\n{% if %}": "Line 2: Expected an expression",
    "{% if customer %}": "Line 1: Unexpected end of template.",
    "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}": "This is nested too deeply",
    "{{ " + "not " * 10_000 + "1 }}": "This is nested too deeply",
    "{{ customer" + ".name" * 10_000 + " }}": "Line 1: This is nested too deeply",
    "{{ customer.name" + "|upper" * 10_000 + " }}": "Line 1: This is nested too deeply",
    "{% if customer %}" * 20 + "{% endif %}" * 20: "Line 1: This is nested too deeply",
    "{% if customer %}" + "{% elif customer %}" * 100 + "{% endif %}": "Line 1: Use at most 20 times elif in a row.",
    "{{ today }}" * 6_000: "This has 6,001 parts: make do with 5,000.",
}

# As above, for the email with a statement.
REFUSED_LOOPS = {
    "{% for a in statement.lines %}{% for b in statement.lines %}{% endfor %}{% endfor %}": "Line 1: A loop cannot",
    "{% for a in statement.lines recursive %}{{ loop(statement.lines) }}{% endfor %}": "Line 1: Write a loop as",
    "{% for a in statement.lines if a.number %}{% endfor %}": "Line 1: Write a loop as",
    "{% for a, b in statement.lines %}{% endfor %}": "Line 1: Give what a loop goes through one name.",
    "{% for customer in statement.lines %}{% endfor %}": "Line 1: Choose another name than customer",
    "{% for loop in statement.lines %}{% endfor %}": "Line 1: Choose another name than loop",
    "{% for a in statement.lines %}{{ a.nmber }}{% endfor %}": "Line 1: There is no part nmber. Did you mean number?",
    "{% for a in statement.lines %}{{ a }}{% endfor %}": "Line 1: This is several values",
    "{% for a in statement.lines %}{{ loop.cycle }}{% endfor %}": "Line 1: There is no part cycle.",
    "{% for a in statement.lines %}{{ loop.last }}{% endfor %}": "Line 1: This is a yes or no",
    "{% for a in statement.lines %}{% endfor %}{{ a.number }}": "Line 1: There is no variable a.",
    "{{ statement.lines }}": "Line 1: This is a list",
    "{{ (statement.lines).number }}": "Line 1: What stands before .number has no parts.",
    "{% for a in statement.lines %}"
    + "x" * 10_000
    + "{% endfor %}": "With the longest values and lists this can become",
    "{% for a in statement.lines %}"
    + "{{ a.number }}" * 600
    + "{% endfor %}": "With the longest list this takes too long",
}

# Of HTML.
REFUSED_HTML = {
    "<b>x": "Line 1: <b> is not closed",
    "<div>\n<b>x</div>\n</b>": "Line 2: This is the end of <div>: close <b> before.",
    "x</b>": "Line 1: This is the end of <b>, which is not open in this block.",
    "{% if customer %}<b>{% endif %}x</b>": "Line 1: <b> is not closed, or not in the block",
    "<script>alert(1)</script>": "Line 1: <script> may not stand in an email.",
    "<iframe src='https://x.example'></iframe>": "Line 1: <iframe> may not stand in an email.",
    "<form></form>": "Line 1: <form> may not stand in an email.",
    "<img src='https://x.example/open.gif'>": "Line 1: <img> may not stand in an email.",
    "<style>p { color: red }</style>": "Line 1: <style> may not stand in an email.",
    "<p onclick='alert(1)'>x</p>": "Line 1: <p> may not have onclick in an email, only dir, lang, style, title.",
    "<p lang='en' lang='de'>x</p>": "Line 1: <p> has lang twice.",
    "<a href='javascript:alert(1)'>x</a>": "Line 1: Write a whole address",
    "<a href=' &#106;avascript:alert(1)'>x</a>": "Line 1: Write a whole address",
    "<a href='data:text/html,x'>x</a>": "Line 1: Write a whole address",
    "<a href='/pay'>x</a>": "Line 1: Write a whole address",
    "<a href='https://x.example'><a href='https://x.example'>x</a></a>": "Line 1: A link may not stand in another one.",
    "<p style='background-image: none'>x</p>": "Line 1: The style “background-image” may not stand in an email.",
    "<p style='color: url(https://x.example)'>x</p>": "Line 1: A style may hold plain values only",
    r"<p style='col\6fr: red'>x</p>": "Line 1: A style may hold plain values only",
    "1 < 2": "Line 1: This tag cannot be read",
    "<!-- x -->": "Line 1: This tag cannot be read",
    "<p {{ customer.name }}>x</p>": "Line 1: This tag cannot be read",
    "<p lang={{ customer.name }}>x</p>": "Line 1: This tag cannot be read",
    "<{{ customer.name }}>": "Line 1: This tag cannot be read",
    "<p {% if customer %}lang='en'{% endif %}>x</p>": "Line 1: This tag cannot be read",
    "<p><div>x</div></p>": "Line 1: <div> may not stand in <p>",
    "<b>" * 30_000: "Line 1: This is nested too deeply",
    "<p>"
    + "&" * 102_000
    + "</p>"
    + "{{ customer.name }}" * 500: "With the longest values and lists this can become 1.1",
}

ACCEPTED = (
    "{{ customer.name }}",
    "{{ contact.first_name or 'Sir or Madam' }}, {{ contact.title | default(customer.name) | upper }}",
    "{{ sales_document.amount | money('plain') }} {{ sales_document.due_on | date('iso') }} {{ -5 }}",
    "{% if sales_document.balance > 9 and not customer.email %}x{% elif today >= sales_document.due_on %}y{% endif %}",
    "{% if sales_document.currency in ('EUR', 'USD') %}x{% endif %}{% if customer.name is not none %}y{% endif %}",
    "{{ 'a' if customer.name | length > 10 else 'b' }}{# customer.nmae #}{% raw %}{{ x }}{% endraw %}",
)
ACCEPTED_HTML = (
    "<p>{{ customer.name }}<br>x<br/></p><hr>&lt;script&gt; 2 > 1 & more",
    '<a href="{{ customer.website }}" title="{{ customer.name }}">x</a><A HREF="HTTPS://x.example">y</A>',
    "{% if customer %}<p>x</p>{% else %}<div><p>y</p></div>{% endif %}",
    "<p style=\"color: {{ 'red' if sales_document.days_overdue > 0 else 'black' }}; margin: 0\">x</p>",
    "<table><tbody><tr><td colspan='2' style='padding: 0'>x</td></tr></tbody></table>",
)


def said(kind: CommunicationKind, source: str, *, html: bool = False) -> list[str]:
    return [str(problem) for problem in problems(kind, source, html=html)]


def test_what_is_refused_says_where_and_why() -> None:
    for html in (False, True):
        for source, expected in REFUSED.items():
            assert said(_K.INVOICE, source, html=html)[0].startswith(expected), source[:100]
    for source, expected in REFUSED_LOOPS.items():
        assert any(line.startswith(expected) for line in said(_K.STATEMENT, source)), source[:100]
    for source, expected in REFUSED_HTML.items():
        assert any(line.startswith(expected) for line in said(_K.INVOICE, source, html=True)), source[:100]


def test_what_is_in_the_language_is_accepted() -> None:
    for source in ACCEPTED:
        assert said(_K.INVOICE, source) == said(_K.INVOICE, source, html=True) == [], source
    for source in ACCEPTED_HTML:
        assert said(_K.INVOICE, source, html=True) == [], source
    loop = "{{ loop.index }} {{ a.number }}{% if not loop.last %}, {% endif %}{% else %}-"
    assert said(_K.STATEMENT, f"{{% for a in statement.lines %}}{loop}{{% endfor %}}") == []
    # What is one document's HTML may be another's plain text.
    assert said(_K.INVOICE, "1 < 2 <b>") == []


def test_all_problems_are_told_up_to_a_limit() -> None:
    assert said(_K.INVOICE, "{{ a }}\n{{ b }}\n{{ c|d }}") == [
        f"Line {line}: There is no {what}."
        + (
            " There are company, customer, contact, today, sales_document."
            if what != "filter d"
            else " There are upper, lower, title, capitalize, trim, default, length, money, date."
        )
        for line, what in ((1, "variable a"), (2, "variable b"), (3, "variable c"), (3, "filter d"))
    ]
    assert len(said(_K.INVOICE, "\n".join("{{ x }}" for _ in range(100)))) == 20


def test_everything_documented_can_be_named() -> None:
    for kind in CommunicationKind:
        for variable in documented(kind):
            if variable.example is not None and not variable.repeated:
                assert said(kind, f"{{{{ {variable.name} }}}}") == [], variable
            if variable.repeated:
                of, _, part = variable.name.partition("[].")
                assert said(kind, f"{{% for one in {of} %}}{{{{ one.{part} }}}}{{% endfor %}}") == [], variable


def test_sources_have_their_size_and_hide_nothing() -> None:
    for given, message in (
        ({"subject_source": None}, "An email needs a subject: it cannot be null."),
        ({"text_source": None}, "An email needs a text: it cannot be null."),
        ({"subject_source": " "}, "Write something here"),
        ({"text_source": "\n"}, "Write something here"),
        ({"html_source": " "}, "Write something here"),
        ({"subject_source": "x\r\nBcc: eve@example.com"}, "Write this on one line"),
        ({"subject_source": "x" * 999}, "Shorten this to at most 998 characters"),
        ({"subject_source": "ä" * 500}, "Shorten this to 998 octets of UTF-8: it has 1,000."),
        ({"text_source": "x" * (5 * 1024 * 1024)}, "Shorten this to 102,400 octets of UTF-8: it has 5,242,880."),
        ({"html_source": "ä" * 51_201}, "Shorten this to 102,400 octets of UTF-8: it has 102,402."),
        ({"text_source": "a\x00b"}, "Remove control characters"),
        ({"text_source": "a\ud800b"}, "Write this again"),
        ({"text_source": "a\u202eb"}, "Remove the invisible characters"),
    ):
        with pytest.raises(Fault, match=f"^{message}") as raised:
            checked(_K.INVOICE, given)
        assert raised.value.field == tuple(given)
        _, found = looked_at(_K.INVOICE, given)
        assert [*found] == [*given]
    whole = "x" * LONGEST_SOURCE
    assert checked(_K.INVOICE, {"text_source": whole, "html_source": None}) == {
        "text_source": whole,
        "html_source": None,
    }
    with pytest.raises(Fault, match=r"^Line 1: There is no variable a\. .* \(There is more: 1\.\)$"):
        checked(_K.INVOICE, {"text_source": "{{ a }}{{ b }}"})
