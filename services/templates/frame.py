"""What the product's own templates are made of: each part as plain text and as HTML, in one letter frame."""

from __future__ import annotations

from dataclasses import dataclass

_TEXT = """\
Dear {{ contact.name | default(customer.name) }},

%s

Kind regards,
{{ company.name }}
{%% if company.phone %%}
Phone: {{ company.phone }}
{%% endif %%}
{%% if company.email %%}
Email: {{ company.email }}
{%% endif %%}
"""
_HTML = """\
<div style="max-width: 600px; font-family: Arial, Helvetica, sans-serif; font-size: 16px; line-height: 1.5; \
color: #1f2933">
<p>Dear {{ contact.name | default(customer.name) }},</p>
%s
<p>Kind regards,<br>
<strong>{{ company.name }}</strong>
{%% if company.phone %%}
<br>Phone: {{ company.phone }}
{%% endif %%}
{%% if company.email %%}
<br>Email: <a href="mailto:{{ company.email }}">{{ company.email }}</a>
{%% endif %%}
</p>
</div>
"""


@dataclass(frozen=True)
class Part:
    """A part of a letter, as plain text and as HTML."""

    text: str
    html: str


def letter(*parts: Part) -> tuple[str, str]:
    """The sources of text and HTML of a letter of these parts."""
    text, html = "\n\n".join(part.text for part in parts), "\n".join(part.html for part in parts)
    return (_TEXT % text).strip(), (_HTML % html).strip()


def paragraph(source: str) -> Part:
    """A paragraph; its source is one line."""
    return Part(source, f"<p>{source}</p>")


def choice(condition: str, then: Part, otherwise: Part | None = None) -> Part:
    """One part or the other."""
    test, end = f"{{% if {condition} %}}", "{% endif %}"
    if otherwise is None:
        return Part(f"{test}\n{then.text}\n{end}", f"{test}\n{then.html}\n{end}")
    return Part(
        f"{test}\n{then.text}\n{{% else %}}\n{otherwise.text}\n{end}",
        f"{test}\n{then.html}\n{{% else %}}\n{otherwise.html}\n{end}",
    )


def facts(**labelled: str) -> Part:
    """What there is of these variables, by label; underscores in labels stand for spaces."""
    text, html = [], []
    for name, variable in labelled.items():
        label = name.replace("_", " ")
        text.append(f"{{% if {variable} %}}\n{label}: {{{{ {variable} }}}}\n{{% endif %}}")
        html.append(
            f"{{% if {variable} %}}\n<tr>"
            f'<th scope="row" style="padding: 2px 16px 2px 0; text-align: left; font-weight: normal; color: #52606d">'
            f"{label}</th>"
            f'<td style="padding: 2px 0; text-align: right">{{{{ {variable} }}}}</td></tr>\n{{% endif %}}'
        )
    table = '<table style="border-collapse: collapse; margin: 16px 0">\n%s\n</table>'
    return Part("\n".join(text), table % "\n".join(html))


def button(label: str) -> Part:
    """The link of the email, as its address in the text and as a button in HTML."""
    style = (
        "display: inline-block; padding: 10px 20px; border-radius: 4px; background-color: #1d4ed8; color: #ffffff;"
        " text-decoration: none; font-weight: bold"
    )
    return Part(
        "{{ link }}",
        f'<p><a href="{{{{ link }}}}" style="{style}">{label}</a></p>\n'
        '<p style="font-size: 14px; color: #52606d; word-break: break-all">Or open this address: {{ link }}</p>',
    )


def lines() -> Part:
    """The open invoices of a statement."""
    cell = "padding: 6px 8px; border-bottom: 1px solid #cbd2d9"
    heads = "".join(
        f'<th scope="col" style="{cell}; text-align: {side}">{name}</th>'
        for name, side in (("Invoice", "left"), ("Issued", "left"), ("Due", "left"), ("Open", "right"))
    )
    cells = "".join(
        f'<td style="{cell}; text-align: {side}">{{{{ line.{name} }}}}</td>'
        for name, side in (("number", "left"), ("issued_on", "left"), ("due_on", "left"), ("balance", "right"))
    )
    return Part(
        "{% for line in statement.lines %}\n"
        "{{ line.number }}, issued {{ line.issued_on }}{% if line.due_on %}, due {{ line.due_on }}{% endif %}: "
        "{{ line.balance }}{% if line.days_overdue > 0 %} (overdue){% endif %}\n\n"
        "{% endfor %}",
        '<table style="width: 100%; border-collapse: collapse; font-size: 14px">\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n"
        "{% for line in statement.lines %}\n"
        f"<tr>{cells}</tr>\n"
        "{% endfor %}\n</tbody>\n</table>",
    )
