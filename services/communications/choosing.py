"""Who is to get an email: whoever the rules include, or whoever somebody chose by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import Choice, Contact, ErrorCode, Fault, RecipientField, RecipientReason, Row
from models.identifier import check_id
from models.recipient import FOR, Decision, warning
from models.rows import by_ids
from services.communications.draft import Addressee, Message

# An email to more people than this is none that a person writes.
MOST_RECIPIENTS = 100

_NAMED = 5


@dataclass(frozen=True)
class Recipient:
    """Somebody who gets the email at this address, with what the rules decided about them."""

    decision: Decision
    email: str
    chosen: Choice
    field: RecipientField = RecipientField.TO

    @property
    def contact(self) -> Row:
        """The contact's row."""
        return dict(self.decision.contact)

    def reading(self, message: Message) -> Addressee:
        """The recipient with what they will read."""
        role = self.decision.role
        return Addressee(
            contact=self.contact,
            email=self.email,
            role=role["name"] if role is not None else None,
            reasons=self.decision.reasons,
            message=message,
            chosen=self.chosen,
            field=self.field,
        )


def by_rules(decisions: Sequence[Decision]) -> list[Recipient]:
    """Whom the rules include. Fault NO_RECIPIENT, which says of each contact why not, or LIMIT_REACHED."""
    included = [
        Recipient(decision, decision.contact["email"], Choice.RULE) for decision in decisions if decision.included
    ]
    if not included:
        raise Fault(ErrorCode.NO_RECIPIENT, _nobody(decisions), ("recipients",))
    if len(included) > MOST_RECIPIENTS:
        told = f"{len(included)} contacts would get this email: choose at most {MOST_RECIPIENTS} recipients."
        raise Fault(ErrorCode.LIMIT_REACHED, told, ("recipients",))
    return included


async def by_hand(decisions: Sequence[Decision], chosen: Sequence[Mapping[str, Any]]) -> list[Recipient]:
    """The chosen contacts of the customer, in their order, whatever the rules say.

    Each of `chosen` has a `contact_id`, and may have a `field` and an `email`, one of the contact's own; without it
    the preferred one is taken. Fault at the item: NOT_FOUND, or INVALID for a contact of another customer, one that is
    inactive, one without an address, and for a contact twice at the same address. Two contacts may share an address.
    """
    if not chosen:
        raise Fault.invalid("Choose somebody, or leave this out to send to whom the rules include.", "recipients")
    if len(chosen) > MOST_RECIPIENTS:
        told = f"Choose at most {MOST_RECIPIENTS} recipients: these are {len(chosen)}."
        raise Fault(ErrorCode.LIMIT_REACHED, told, ("recipients",))
    by_id = {decision.contact["id"]: decision for decision in decisions}
    recipients: list[Recipient] = []
    for index, item in enumerate(chosen):
        decision = by_id.get(item["contact_id"])
        if decision is None:
            await _refuse_stranger(item["contact_id"], ("recipients", index, "contact_id"))
        else:
            recipients.append(_chosen(decision, item, index))
    _check_twice(recipients)
    if all(recipient.field is RecipientField.CC for recipient in recipients):
        raise Fault.invalid("Somebody must stand in To: the others can stand in Cc.", "recipients", 0, "field")
    return recipients


def _chosen(decision: Decision, item: Mapping[str, Any], index: int) -> Recipient:
    contact = decision.contact
    if not contact["active"]:
        message = f"{Contact.label(contact)} is inactive: reactivate the contact, or choose another one."
        raise Fault.invalid(message, "recipients", index, "contact_id")
    email = contact["email"]
    if item.get("email") is not None:
        known = (method["value"] for method in contact["methods"] if method["kind"] == "EMAIL")
        wanted = item["email"].strip().casefold()
        email = next((value for value in known if value.casefold() == wanted), None)
        if email is None:
            message = f"{Contact.label(contact)} has no such email address: add it to the contact first."
            raise Fault.invalid(message, "recipients", index, "email")
    if email is None:
        message = f"{Contact.label(contact)} has no email address: add one to the contact first."
        raise Fault.invalid(message, "recipients", index, "contact_id")
    return Recipient(decision, email, Choice.MANUAL, item.get("field") or RecipientField.TO)


async def _refuse_stranger(contact_id: str, field: tuple[str | int, ...]) -> None:
    check_id(contact_id, Contact.prefix, *field)
    [row] = await by_ids(Contact)([contact_id])
    if row is None:
        raise Fault(ErrorCode.NOT_FOUND, "There is no contact with this ID.", field)
    raise Fault.invalid("This contact belongs to another customer.", *field)


def _check_twice(recipients: Sequence[Recipient]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, recipient in enumerate(recipients):
        who = recipient.decision.contact["id"], recipient.email.casefold()
        if who in seen:
            raise Fault.invalid(
                "This contact is chosen twice for this address: name them once.", "recipients", index, "contact_id"
            )
        seen.add(who)


def _nobody(decisions: Sequence[Decision]) -> str:
    found = warning(decisions)
    if found is None or not decisions:
        return "Nobody gets this email: the customer has no contacts. Add one first."
    told = ", ".join(f"{Contact.label(one.contact)} ({', '.join(against(one.reasons))})" for one in decisions[:_NAMED])
    more = f" and {len(decisions) - _NAMED} more" if len(decisions) > _NAMED else ""
    return f"{found.message} In particular: {told}{more}. Choose recipients to send it all the same."


def against(reasons: Sequence[RecipientReason]) -> list[str]:
    """What speaks against a contact, for people: `switched off`."""
    return [reason.value.replace("_", " ").lower() for reason in reasons if reason not in FOR]
