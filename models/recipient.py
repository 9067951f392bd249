"""Who gets which email, and why: one pure function, used before sending, while sending and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from models.communication_kind import DESIGNATION, SWITCHED, CommunicationKind
from models.contact import Contact
from models.switch import effective
from models.text import counted


class RecipientReason(Enum):
    """Why a contact gets an email of some kind, or does not. Values may be added."""

    DESIGNATED = "DESIGNATED"
    SWITCHED_ON = "SWITCHED_ON"
    NO_ROLE = "NO_ROLE"
    NOT_DESIGNATED = "NOT_DESIGNATED"
    SWITCHED_OFF = "SWITCHED_OFF"
    CUSTOMER_INACTIVE = "CUSTOMER_INACTIVE"
    INACTIVE = "INACTIVE"
    OTHER_LOCATION = "OTHER_LOCATION"
    NO_EMAIL = "NO_EMAIL"
    EMAIL_PROBLEM = "EMAIL_PROBLEM"
    ABOUT_THE_CONTACT = "ABOUT_THE_CONTACT"


_R = RecipientReason

# Any one of the others keeps a contact out.
FOR = frozenset({_R.DESIGNATED, _R.SWITCHED_ON, _R.ABOUT_THE_CONTACT})

# Kind → the column of the role that brings it, and the name of its switch; None for none.
_RULES = {
    kind: (
        DESIGNATION[kind].value if kind in DESIGNATION else None,
        kind.value if kind in SWITCHED else None,
    )
    for kind in CommunicationKind
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one contact gets emails of one kind, with every reason for and against, in the order of the enum.

    `contact` and `role`, None for a contact without one, are the rows that it was made of.
    """

    kind: CommunicationKind
    contact: Mapping[str, Any]
    role: Mapping[str, Any] | None
    reasons: tuple[RecipientReason, ...]

    @property
    def included(self) -> bool:
        """Whether nothing speaks against it."""
        return all(reason in FOR for reason in self.reasons)


def decide(
    kind: CommunicationKind,
    *,
    customer: Mapping[str, Any],
    contact: Mapping[str, Any],
    role: Mapping[str, Any] | None,
    notifications: Mapping[str, bool],
    location_id: str | None = None,
) -> Decision:
    """The decision for one contact, from rows with their JSON columns decoded.

    `role` is the contact's. `notifications` are the switches of the settings, by the kind's value: a contact's own ones
    go first. `location_id` is that of the sales document that the email is about: a contact of another location is
    left out. A welcome or set-password email asks for no role: it is about the contact.
    """
    column, switch = _RULES[kind]
    designated = column is not None and role is not None and role[column]
    on = switch is not None and effective(contact["notifications"], notifications, switch)
    reasons = []
    if designated:
        reasons.append(_R.DESIGNATED)
    if on:
        reasons.append(_R.SWITCHED_ON)
    if column is not None and not designated:
        reasons.append(_R.NO_ROLE if role is None else _R.NOT_DESIGNATED)
    if switch is not None and not on:
        reasons.append(_R.SWITCHED_OFF)
    if not customer["active"]:
        reasons.append(_R.CUSTOMER_INACTIVE)
    if not contact["active"]:
        reasons.append(_R.INACTIVE)
    if location_id is not None and contact["location_id"] not in (None, location_id):
        reasons.append(_R.OTHER_LOCATION)
    if contact["email"] is None:
        reasons.append(_R.NO_EMAIL)
    elif contact["email_problem"] is not None:
        reasons.append(_R.EMAIL_PROBLEM)
    if column is None:
        reasons.append(_R.ABOUT_THE_CONTACT)
    return Decision(kind, contact, role, tuple(reasons))


class RecipientWarningCode(Enum):
    """Why nobody gets an email. Values may be added."""

    CUSTOMER_INACTIVE = "CUSTOMER_INACTIVE"
    NO_CONTACT = "NO_CONTACT"
    SOLE_CONTACT_SWITCHED_OFF = "SOLE_CONTACT_SWITCHED_OFF"
    NO_RECIPIENT = "NO_RECIPIENT"


@dataclass(frozen=True, slots=True)
class RecipientWarning:
    """Nobody gets an email: why, for programs and for people."""

    code: RecipientWarningCode
    message: str


# What keeps contacts out, after their number: as people read it.
_AGAINST = {
    _R.NO_ROLE: ("has no role", "have no role"),
    _R.NOT_DESIGNATED: ("has a role without this designation", "have roles without this designation"),
    _R.SWITCHED_OFF: ("has the notification switched off", "have the notification switched off"),
    _R.INACTIVE: ("is inactive", "are inactive"),
    _R.OTHER_LOCATION: ("belongs to another location", "belong to other locations"),
    _R.NO_EMAIL: ("has no email address", "have no email address"),
    _R.EMAIL_PROBLEM: ("has an address that bounces", "have addresses that bounce"),
}


def warning(decisions: Sequence[Decision]) -> RecipientWarning | None:
    """What to say when nobody is left of all contacts of a customer; None when somebody is."""
    if any(decision.included for decision in decisions):
        return None
    if not decisions:
        return RecipientWarning(
            RecipientWarningCode.NO_CONTACT,
            "Nobody gets this email: the customer has no contacts. Add one with a role.",
        )
    against = [[reason for reason in decision.reasons if reason not in FOR] for decision in decisions]
    if any(_R.CUSTOMER_INACTIVE in reasons for reasons in against):
        return RecipientWarning(
            RecipientWarningCode.CUSTOMER_INACTIVE, "Nobody gets this email: the customer is inactive."
        )
    only = [decision for decision, reasons in zip(decisions, against, strict=True) if reasons == [_R.SWITCHED_OFF]]
    if len(only) == 1:
        name = Contact.label(only[0].contact)
        message = f"Nobody gets this email: {name} would be the only recipient, and has the notification switched off."
        return RecipientWarning(RecipientWarningCode.SOLE_CONTACT_SWITCHED_OFF, message)
    if len(decisions) == 1:
        why = " and ".join(_AGAINST[reason][0] for reason in against[0])
        message = f"Nobody gets this email: the only contact, {Contact.label(decisions[0].contact)}, {why}."
        return RecipientWarning(RecipientWarningCode.NO_RECIPIENT, message)
    found = Counter(reason for reasons in against for reason in reasons)
    why = ", ".join(
        f"{found[reason]} {words[found[reason] > 1]}" for reason, words in _AGAINST.items() if found[reason]
    )
    number = counted(len(decisions), "contact")
    return RecipientWarning(RecipientWarningCode.NO_RECIPIENT, f"Nobody gets this email. Of {number}, {why}.")
