"""Who gets which email, and why: one pure function, used before sending, while sending and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from models.communication_kind import DESIGNATION, SWITCHED, CommunicationKind


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

    def at(self, location_id: str | None) -> Decision:
        """The decision, made for no location, about an email that concerns this one, if any."""
        if not elsewhere(self.contact, location_id):
            return self
        reasons = sorted((*self.reasons, _R.OTHER_LOCATION), key=list(RecipientReason).index)
        return replace(self, reasons=tuple(reasons))


def elsewhere(contact: Mapping[str, Any], location_id: str | None) -> bool:
    """Whether an email that concerns this location, if any, is not for the contact, who belongs to another one."""
    return location_id is not None and contact["location_id"] not in (None, location_id)


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
    reasons: list[RecipientReason] = []
    designation = DESIGNATION.get(kind)
    if designation is None:
        reasons.append(_R.ABOUT_THE_CONTACT)
    elif role is None:
        reasons.append(_R.NO_ROLE)
    else:
        reasons.append(_R.DESIGNATED if role[designation.value] else _R.NOT_DESIGNATED)
    if kind in SWITCHED:
        own = (contact["notifications"] or {}).get(kind.value)
        reasons.append(_R.SWITCHED_ON if (notifications[kind.value] if own is None else own) else _R.SWITCHED_OFF)
    if not customer["active"]:
        reasons.append(_R.CUSTOMER_INACTIVE)
    if not contact["active"]:
        reasons.append(_R.INACTIVE)
    if elsewhere(contact, location_id):
        reasons.append(_R.OTHER_LOCATION)
    if contact["email"] is None:
        reasons.append(_R.NO_EMAIL)
    elif contact["email_problem"] is not None:
        reasons.append(_R.EMAIL_PROBLEM)
    return Decision(kind, contact, role, tuple(sorted(reasons, key=list(RecipientReason).index)))
