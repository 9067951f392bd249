"""Who may use the customer portal, and why: one pure function. What they see there is another answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from models.communication_kind import Designation
from models.preference_values import available
from models.preferences import PortalAudience


class PortalReason(Enum):
    """Why a contact may use the portal, or may not. Values may be added."""

    ALL_CONTACTS = "ALL_CONTACTS"
    COMMUNICATION_CONTACT = "COMMUNICATION_CONTACT"
    NO_COMMUNICATION_CONTACT = "NO_COMMUNICATION_CONTACT"
    PORTAL_OFF = "PORTAL_OFF"
    ONLINE_PAYMENTS_DISABLED = "ONLINE_PAYMENTS_DISABLED"
    CUSTOMER_INACTIVE = "CUSTOMER_INACTIVE"
    INACTIVE = "INACTIVE"
    NO_EMAIL = "NO_EMAIL"


_R = PortalReason
_FOR = frozenset({_R.ALL_CONTACTS, _R.COMMUNICATION_CONTACT})


@dataclass(frozen=True, slots=True)
class PortalAccess:
    """Whether a contact may use the portal, with every reason for and against, in the order of the enum."""

    reasons: tuple[PortalReason, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return all(reason in _FOR for reason in self.reasons)


def portal_access(
    *,
    customer: Mapping[str, Any],
    contact: Mapping[str, Any],
    role: Mapping[str, Any] | None,
    preferences: Mapping[str, Any],
    audience: PortalAudience,
    today: date,
) -> PortalAccess:
    """Whether the contact may log in on a day (UTC), from rows with their JSON columns decoded.

    `preferences` are what holds for the customer in effect: `customer_portal` and `online_payments`. `role` is the
    contact's, `audience` that of the settings.
    """
    reasons = [_R.ALL_CONTACTS]
    if audience is PortalAudience.COMMUNICATION_CONTACTS:
        designated = role is not None and role[Designation.COMMUNICATION.value]
        reasons = [_R.COMMUNICATION_CONTACT if designated else _R.NO_COMMUNICATION_CONTACT]
    if not preferences["customer_portal"]:
        reasons.append(_R.PORTAL_OFF)
    if not available(preferences["online_payments"], today):
        reasons.append(_R.ONLINE_PAYMENTS_DISABLED)
    if not customer["active"]:
        reasons.append(_R.CUSTOMER_INACTIVE)
    if not contact["active"]:
        reasons.append(_R.INACTIVE)
    if contact["email"] is None:
        reasons.append(_R.NO_EMAIL)
    return PortalAccess(tuple(reasons))
