"""Who gets which email, who may use the portal, and why: answered before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import CommunicationKind, Permission, PortalReason, RecipientReason, RecipientWarningCode, Row
from models.communication_kind import DESIGNATION, MODULE
from models.portal_rows import portal_accesses
from models.preferences import SETTINGS_ID
from models.recipient import Decision, warning
from models.recipient_rows import decisions_of_contacts
from models.rows import by_ids
from models.switch import effective
from schema.access import PARENT, needs
from schema.field import batched, derived, plain
from schema.stored import stored_json

if TYPE_CHECKING:
    from schema.contact import Contact

MAX_RECIPIENTS = 500
# There a page has many emails.
MAX_PLANNED = 100


@strawberry.type(description="Whether a contact may use the customer portal today, and why.", directives=[PARENT])
class PortalAccess:
    """Whether a contact may use the customer portal today."""

    allowed: bool = plain(
        "Whether the contact may log in today (UTC). What there is to see then is said by the portal permissions.",
    )
    reasons: list[PortalReason] = plain("Every reason for and against.")


def access_to_portal(contact_id: Callable[[Row], str]) -> Any:
    """Whether a contact may use the portal."""
    return batched(
        contact_id,
        portal_accesses,
        "Whether the contact may use the customer portal today.",
        then=lambda _, access, __: {"allowed": access.allowed, "reasons": list(access.reasons)},
    )


@strawberry.type(description="Whether a contact gets emails of a kind, and why.", directives=[PARENT])
class Reception:
    """Whether a contact gets emails of a kind."""

    kind: CommunicationKind = plain("Which emails.")
    included: bool = plain("Whether the contact gets them.")
    reasons: list[RecipientReason] = plain("Every reason for and against; any one against keeps the contact out.")


@strawberry.type(
    description="A contact as a recipient: whether it gets the email, whether it may use the portal, and whether it is"
    " permitted to see there what the email is about. Each is independent of the others.",
    directives=[needs(Permission.COMMUNICATIONS_READ)],
)
class Recipient:
    """A contact as a recipient."""

    contact: Annotated[Contact, strawberry.lazy("schema.contact")] = plain(
        "Who it is.", access=needs(Permission.CUSTOMERS_READ)
    )
    included: bool = plain("Whether the contact gets the email.")
    reasons: list[RecipientReason] = plain("Every reason for and against; any one against keeps the contact out.")
    email: str | None = derived(
        lambda row: row["contact"]["email"],
        "The address that is written to; null for a contact without one.",
        access=needs(Permission.CUSTOMERS_READ),
    )
    portal_access: PortalAccess = access_to_portal(lambda row: row["contact"]["id"])
    permitted: bool | None = batched(
        lambda row: SETTINGS_ID if row["kind"] in MODULE else None,
        by_ids(models.Settings),
        "Whether the contact is permitted to see the module of the portal that shows what the email is about; null when"
        " there is none.",
        then=lambda row, settings, _: _permitted(row, settings),
    )


@strawberry.type(description="Nobody gets an email.", directives=[PARENT])
class RecipientWarning:
    """Nobody gets an email."""

    code: RecipientWarningCode = plain("Why, for programs.")
    message: str = plain("Why, for people.")


@strawberry.type(description="Who gets an email, and who does not.", directives=[needs(Permission.COMMUNICATIONS_READ)])
class Recipients:
    """Who gets an email, and who does not."""

    recipients: list[Recipient] = derived(
        lambda found: _shown(found["decisions"])[: _listed(found)],
        "All contacts of the customer: those who get the email first, then the primary one, then by name. At most"
        f" {MAX_RECIPIENTS}, in a plan at most {MAX_PLANNED}.",
    )
    further: int = derived(
        lambda found: max(0, len(found["decisions"]) - _listed(found)),
        "How many contacts there are beyond those that are listed.",
    )
    warning: RecipientWarning | None = derived(
        lambda found: _warning(found["decisions"]), "That nobody gets the email, and why; null when somebody does."
    )


def receives() -> Any:
    """Whether a contact gets emails of each kind."""
    return batched(
        lambda row: row["id"],
        decisions_of_contacts,
        "Which emails the contact gets, and why, for each kind that recipients are resolved for. What concerns another"
        " location than that of a location contact does not reach it, whatever this says: see `recipients`.",
        then=lambda _, found, __: [_row(decision) for decision in found],
        at_most=len(DESIGNATION),
        values=True,
    )


def _row(decision: Decision) -> Row:
    return {
        "kind": decision.kind,
        "contact": decision.contact,
        "included": decision.included,
        "reasons": list(decision.reasons),
    }


def _shown(decisions: Sequence[Decision]) -> list[Row]:
    return [_row(one) for one in sorted(decisions, key=lambda decision: not decision.included)]


def _listed(found: Row) -> int:
    return MAX_PLANNED if found.get("planned") else MAX_RECIPIENTS


def _warning(decisions: list[Decision]) -> Row | None:
    found = warning(decisions)
    return None if found is None else {"code": found.code, "message": found.message}


def _permitted(row: Row, settings: Row) -> bool:
    own, everywhere = (stored_json(of["portal_permissions"]) for of in (row["contact"], settings))
    return effective(own, everywhere, MODULE[row["kind"]].value)
