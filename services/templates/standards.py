"""The product's own templates: one for each kind of email, which exists from the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import CommunicationKind
from services.templates.frame import Part, button, choice, facts, letter, lines, paragraph

_K = CommunicationKind

_ANSWER = paragraph("If you have any questions, just answer this email.")
_PAY = choice(
    "company.payment_instructions",
    Part(
        "How to pay:\n{{ company.payment_instructions }}",
        "<p><strong>How to pay</strong><br>\n{{ company.payment_instructions }}</p>",
    ),
)
_PAID_MEANWHILE = paragraph("If you have paid in the meantime, please disregard this email, and thank you.")
_FACTS = facts(
    Number="sales_document.number",
    Issued="sales_document.issued_on",
    Due="sales_document.due_on",
    Amount="sales_document.amount",
    To_be_paid="sales_document.balance",
)
_ESTIMATE_FACTS = facts(
    Number="sales_document.number",
    Issued="sales_document.issued_on",
    Valid_until="sales_document.due_on",
    Amount="sales_document.amount",
)
_NUMBER = "{% if sales_document %} {{ sales_document.number }}{% endif %}"
_DAYS = '{{ sales_document.%s }} {{ "day" if sales_document.%s == 1 else "days" }}'
_OPEN = "{{ sales_document.kind | default('invoice') }} {{ sales_document.number }}"
_OPEN_FIRST = "{{ sales_document.kind | default('invoice') | capitalize }} {{ sales_document.number }}"
_WAS_DUE = paragraph(
    f"{_OPEN_FIRST} was due on {{{{ sales_document.due_on }}}} and is {_DAYS % ('days_overdue', 'days_overdue')}"
    " overdue. Please arrange the payment of {{ sales_document.balance }}."
)
_OPEN_AMOUNT = "{{ sales_document.balance }} is to be paid."
_IS_DUE = choice(
    "sales_document.days_until_due > 0",
    paragraph(
        f"{_OPEN_FIRST} is due on {{{{ sales_document.due_on }}}},"
        f" in {_DAYS % ('days_until_due', 'days_until_due')}. {_OPEN_AMOUNT}"
    ),
    choice(
        "sales_document.due_on == today",
        paragraph(f"{_OPEN_FIRST} is due today. {_OPEN_AMOUNT}"),
        paragraph("This is a friendly reminder of what is still open on your account."),
    ),
)
_REMINDER = letter(
    choice("sales_document.days_overdue > 0", _WAS_DUE, _IS_DUE),
    choice("sales_document", _FACTS),
    _PAY,
    _PAID_MEANWHILE,
    _ANSWER,
)
_REMINDER_SUBJECT = (
    f"{{% if sales_document.days_overdue > 0 %}}Overdue: {_OPEN}{{% else %}}Reminder: {_OPEN}{{% endif %}}"
    " from {{ company.name }}"
)


def _about(what: str) -> tuple[str, str, str]:
    return (
        f"Your {what} with {{{{ company.name }}}}",
        *letter(paragraph(f"We are writing to you about your {what}."), choice("sales_document", _FACTS), _ANSWER),
    )


_LINK_ONCE = paragraph("The link works once, within 48 hours.")

# Kind → subject, text, HTML.
_SOURCES: Mapping[CommunicationKind, tuple[str, str, str]] = {
    _K.INVOICE: (
        "Invoice {{ sales_document.number }} from {{ company.name }}",
        *letter(
            paragraph(f"Thank you for your business. This is your invoice{_NUMBER}."),
            choice("sales_document", _FACTS),
            _PAY,
            _ANSWER,
        ),
    ),
    _K.CREDIT_NOTE: (
        "Credit note {{ sales_document.number }} from {{ company.name }}",
        *letter(
            paragraph("We have issued a credit note to {{ customer.name }}. It lowers what is to be paid."),
            choice("sales_document", _FACTS),
            _ANSWER,
        ),
    ),
    _K.ESTIMATE: (
        "Estimate {{ sales_document.number }} from {{ company.name }}",
        *letter(
            paragraph(f"Thank you for your interest. This is our estimate{_NUMBER}."),
            choice("sales_document", _ESTIMATE_FACTS),
            paragraph("To accept it, or to have it changed, just answer this email."),
        ),
    ),
    _K.REMINDER: (_REMINDER_SUBJECT, *_REMINDER),
    _K.WORKFLOW_REMINDER: (_REMINDER_SUBJECT, *_REMINDER),
    _K.STATEMENT: (
        "Statement{% if statement %} for {{ statement.month }}{% endif %} from {{ company.name }}",
        *letter(
            choice(
                "statement.lines",
                paragraph(
                    "On {{ statement.as_of }} {{ statement.total }} is to be paid on the account of {{ customer.name }}"
                    "{% if statement.overdue %}, of which {{ statement.overdue }} is overdue{% endif %}."
                ),
                paragraph(
                    "On {{ statement.as_of | default(today) }} nothing is to be paid"
                    " on the account of {{ customer.name }}."
                ),
            ),
            choice("statement.lines", lines()),
            choice("statement.more > 0", paragraph("Further open invoices: {{ statement.more }}.")),
            choice("statement.lines", _PAY),
            _ANSWER,
        ),
    ),
    _K.TICKET: _about("support ticket"),
    _K.PROJECT: _about("project"),
    _K.CONTRACT: _about("contract"),
    _K.TASK: _about("task"),
    _K.WELCOME: (
        "Welcome to the customer portal of {{ company.name }}",
        *letter(
            paragraph("You now have access to the customer portal of {{ company.name }} for {{ customer.name }}."),
            paragraph("To begin, choose a password here:"),
            button("Choose a password"),
            _LINK_ONCE,
            paragraph("If you did not expect this email, tell us, and leave the link unopened."),
        ),
    ),
    _K.SET_PASSWORD: (
        "Choose a new password for the customer portal of {{ company.name }}",
        *letter(
            paragraph("Here you can choose a new password for the customer portal of {{ company.name }}:"),
            button("Choose a new password"),
            _LINK_ONCE,
            paragraph("If you did not ask for it, you need not do anything: your password stays as it is."),
        ),
    ),
}


def sources(kind: CommunicationKind) -> dict[str, Any]:
    """The columns of a template of this kind that hold the product's own text."""
    subject, text, html = _SOURCES[kind]
    return {"subject_source": subject, "text_source": text, "html_source": html}


def standard_of(kind: CommunicationKind) -> dict[str, Any]:
    """The columns of the template that exists of this kind from the start."""
    name = kind.value.replace("_", " ").capitalize()
    return {"kind": kind.value, "name": name, "standard": True, "enabled": True, **sources(kind)}
