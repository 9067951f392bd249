"""One reminder or monthly statement as it is due on a day: to whom, made from what, and what the log will say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models import CommunicationKind, Row, Suppression
from models.preference_values import day
from models.recipient import Decision
from models.statement import Statement
from services import templates
from services.communications import Addressee, Attachment, Draft, Message
from services.communications.greeting import greeted


@dataclass(frozen=True, kw_only=True)
class Item:
    """An email that is due on a day: a reminder has `invoice`, `workflow` (its name) and `step`, a monthly statement
    has `month` (YYYY-MM). `statement` is what it attaches, as of the day or of the end of the month.

    Rows have their JSON columns decoded. `sent_id` is the communication that it was already: then it is not due any
    more, and template and decisions are left out. Two items are equal when they were made of the same rows.
    """

    kind: CommunicationKind
    day: date
    customer: Row
    settings: Row
    template: Row | None = None
    decisions: Sequence[Decision] = ()
    invoice: Row | None = None
    workflow: str | None = None
    step: Row | None = None
    month: str | None = None
    statement: Statement | None = None
    sent_id: str | None = None

    @property
    def suppressed(self) -> Suppression | None:
        """Why nobody gets it; None when somebody does, or did."""
        if self.template is None:
            return None
        if not self.template["enabled"]:
            return Suppression.TEMPLATE_DISABLED
        return None if any(decision.included for decision in self.decisions) else Suppression.NO_RECIPIENT

    @property
    def problem(self) -> str | None:
        """Why it cannot be written, and what to do: its template was forced to be one of which nothing can be made."""
        return None if self.template is None else templates.problem_of(self.template)

    @property
    def key(self) -> str:
        """What it is about: the id of the invoice, or of the customer."""
        return str((self.invoice or self.customer)["id"])

    @property
    def reason(self) -> str:
        """Why it is sent, for history. Items of the same reason are of the same workflow and step, or of one month."""
        if self.step is None:
            return f"Monthly statement for {self.month}"
        return f"Reminder workflow {self.workflow}: {day(self.step['days'])}"

    def draft(self, attachments: Sequence[Attachment]) -> Draft:
        """What is recorded. TypeError when it was sent already."""
        if self.template is None:
            raise TypeError("what was sent is not sent again")
        included = [decision for decision in self.decisions if decision.included]
        separate = bool(self.settings["separate_messages"])
        whose = greeted(included, separate=separate)
        made = {_key(one): self._message(one) for one in whose or [None]}
        addressees = [_addressee(one, made[_key(named)]) for one, named in zip(included, whose, strict=True)]
        return Draft(
            kind=self.kind,
            customer_id=self.customer["id"],
            sales_document_id=self.invoice["id"] if self.invoice is not None else None,
            template=self.template,
            subject_line=next(iter(made.values())).subject_line,
            addressees=addressees,
            separate=separate,
            attachments=attachments,
            suppressed=self.suppressed,
            reminder_step=self.step["days"] if self.step is not None else None,
            statement_month=self.month,
        )

    def _message(self, greeting: Decision | None) -> Message:
        contact = dict(greeting.contact) if greeting is not None else None
        named: dict[str, Any] = {"settings": self.settings, "customer": self.customer, "contact": contact}
        if self.step is not None:
            named |= {"sales_document": self.invoice, "reminder_days": self.step["days"]}
        values = templates.variables(self.kind, **named, statement=self.statement, today=self.day)
        return templates.render(self.template or {}, values)


def _key(greeting: Decision | None) -> str | None:
    return None if greeting is None else greeting.contact["id"]


def _addressee(decision: Decision, message: Message) -> Addressee:
    contact = dict(decision.contact)
    role = decision.role["name"] if decision.role is not None else None
    return Addressee(contact, contact["email"], role, decision.reasons, message)
