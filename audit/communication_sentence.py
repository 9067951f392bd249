"""How events about emails read."""

from __future__ import annotations

from typing import Any

from audit.action import Action
from audit.history import WITHHELD, ChangedField, Detail

_OUTCOMES = {
    "SENT": "The mail server took the email to {who}",
    "DELIVERED": "The email to {who} was delivered",
    "DEFERRED": "The email to {who} was deferred",
    "BOUNCED": "The email to {who} bounced",
    "FAILED": "The email to {who} failed",
    "UNKNOWN": "It is unknown whether the email reached {who}; it is sent again",
}

# The last attempt, or the one before, may have reached somebody.
_FAILED_UNKNOWN = "The email to {who} is not sent any more; it is unknown whether it arrived"

_SUPPRESSED = {
    "TEMPLATE_DISABLED": "its template is disabled",
    "NO_RECIPIENT": "nobody was to get it",
    "NO_PORTAL_ADDRESS": "nobody has said where the portal is",
}

# For who may not read communications.
_WITHHELD = {
    Action.COMMUNICATION_CREATED: "{actor} wrote an email to {customer}.",
    Action.DELIVERY_CREATED: "Somebody at {customer} was among the recipients of an email.",
    Action.DELIVERY_UPDATED: "It became known what became of an email at {customer}.",
}


def communication_sentence(action: Action, detail: Detail) -> str | None:
    """The sentence of an event about a communication or a delivery, for changes of the product's own; else None."""
    if action in _WITHHELD and detail.absent == WITHHELD:
        return _WITHHELD[action].format(
            actor=detail.actor_name or detail.absent, customer=detail.customer_label or detail.absent
        )
    after = {change.name: change.after for change in detail.changes if change.withheld is None}
    actor, subject = detail.actor_name or detail.absent, detail.subject_label or detail.absent
    customer = detail.customer_label or detail.absent
    if action is Action.COMMUNICATION_CREATED:
        kind = f"the {_words(after['kind'])} email" if "kind" in after else "an email"
        if after.get("suppressed"):
            why = _SUPPRESSED.get(after["suppressed"], _words(after["suppressed"]))
            return f"{actor} did not send {kind} “{subject}” to {customer}: {why}."
        return f"{actor} sent {kind} “{subject}” to {customer}."
    problem = next((change for change in detail.changes if change.name == "email_problem"), None)
    if action is Action.CONTACT_UPDATED and problem is not None and len(detail.changes) == 1:
        return _problem(problem, actor, f"{subject} at {customer}")
    if action is Action.DELIVERY_CREATED:
        if after.get("status") == "SUPPRESSED":
            return f"The email to {subject} at {customer} was suppressed."
        chosen = ", chosen by hand" if after.get("chosen") == "MANUAL" else ""
        return f"{actor} queued an email to {subject} at {customer}{chosen}."
    if action is Action.DELIVERY_UPDATED and after.get("status") in _OUTCOMES:
        said = _OUTCOMES[after["status"]]
        if after["status"] == "FAILED" and _may_have_arrived(detail):
            said = _FAILED_UNKNOWN
        return said.format(who=f"{subject} at {customer}") + f"{_quoted(after.get('reply'))}."
    return None


def _may_have_arrived(detail: Detail) -> bool:
    """Whether nobody knew about the attempt that a failed delivery ends with, or about the one before."""
    return any(
        (change.name == "status" and change.before == "UNKNOWN") or (change.name == "may_repeat" and change.after)
        for change in detail.changes
        if change.withheld is None
    )


def _problem(change: ChangedField, actor: str, who: str) -> str | None:
    if change.withheld is not None:
        return None
    if change.after is None:
        return f"{actor} cleared the problem with the email address {change.before['address']} of {who}."
    return f"The email address {change.after['address']} of {who} takes no mail{_quoted(change.after['reply'])}."


def _quoted(reply: Any) -> str:
    return f": “{' '.join(str(reply).split())}”" if reply else ""


def _words(kind: str) -> str:
    return kind.replace("_", " ").lower()
