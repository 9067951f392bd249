"""How an event reads: one sentence a person understands, with names as they were then. Made when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from audit.action import Action
from audit.actor import ActorKind
from audit.history import ChangedField, Detail
from models.table import Row, SubjectType

_LONGEST = 80

# Actions that change no row, in the words of their sentence.
_PLAIN = {
    Action.USER_SIGNED_IN: "{subject} signed in.",
    Action.USER_SIGNED_OUT: "{subject} signed out.",
    Action.USER_SIGN_IN_FAILED: "Somebody failed to sign in as {subject}.",
    Action.USER_SIGN_IN_THROTTLED: "Sign-in as {subject} has to wait after too many failures.",
    Action.USER_SESSIONS_REVOKED: "{actor} ended the sessions of {subject}.",
    Action.USER_PERMISSION_REFUSED: "{subject} was refused what they have no permission for.",
    Action.API_KEY_PERMISSION_REFUSED: "The API key {subject} was refused what it has no permission for.",
}

# The parts of an address as one writes them. Rows from the database have theirs sorted by name.
_ADDRESS = ("lines", "city", "region", "postal_code", "country")

_VERBS = {"created": "added", "updated": "changed", "deleted": "deleted"}


def subject_name(subject_type: str) -> str:
    """What a kind of subject is called in a sentence."""
    return SubjectType(subject_type).value.replace("_", " ").replace("api", "API")


def label(name: str) -> str:
    """The heading of a column: `first_name` reads “First name”."""
    words = name.removesuffix("_id").replace("_", " ")
    return words[:1].upper() + words[1:]


def value_text(value: Any, text: str | None = None) -> str | None:
    """A value as a person reads it; `text` is the name of what an identifier points to. None stays None."""
    if value is None or text is not None:
        return text
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(part for part in map(value_text, value) if part)
    if isinstance(value, Mapping):
        if "value" in value:
            return str(value["value"])
        names = _ADDRESS if "lines" in value else sorted(value)
        return ", ".join(part for name in names if (part := value_text(value.get(name))))
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def sentence(event: Row, detail: Detail) -> str:
    """One sentence for an event and what its details disclose to this reader."""
    action = Action(event["action"])
    actor = detail.actor_name or detail.absent
    subject = detail.subject_label or detail.absent
    if action in _PLAIN:
        return _PLAIN[action].format(actor=actor, subject=subject)
    verb = _VERBS[event["action"].rpartition(".")[2]]
    if event["actor_kind"] == ActorKind.DATABASE.value:
        return f"Somebody {verb} {_what(event, detail, subject)} past the product{_how(verb, detail.changes)}."
    return f"{actor} {verb} {_what(event, detail, subject)}{_how(verb, detail.changes)}."


def _what(event: Row, detail: Detail, subject: str) -> str:
    kind = subject_name(event["subject_type"])
    if event["subject_type"] == "note":
        return f"a note on {detail.customer_label or detail.absent}"
    name = f"{kind} {subject}"
    if event["customer_id"] and event["subject_id"] != event["customer_id"]:
        return f"{name} at {detail.customer_label or detail.absent}"
    return name


def _how(verb: str, changes: Sequence[ChangedField]) -> str:
    if verb != "changed":
        return ""
    parts = [_change(change) for change in changes]
    if not parts:
        return ""
    return ": " + ("; ".join(parts) if len(parts) <= 3 else "; ".join(parts[:3]) + f" and {len(parts) - 3} more")


def _change(change: ChangedField) -> str:
    name = label(change.name).lower()
    before = value_text(change.before, change.before_text)
    after = value_text(change.after, change.after_text)
    if change.withheld is not None or (before is None and after is None):
        return name
    if before is None or before == "":
        return f"{name} set to {_quoted(after)}"
    if after is None or after == "":
        return f"{name} {_quoted(before)} removed"
    if _quoted(before) == _quoted(after):
        # The difference lies beyond what is shown.
        return name
    return f"{name} from {_quoted(before)} to {_quoted(after)}"


def _quoted(text: str | None) -> str:
    shown = " ".join((text or "").split())
    return f"“{shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}”"
