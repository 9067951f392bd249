"""How an event reads: one sentence a person understands, with names as they were then. Made when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from audit.action import Action
from audit.actor import ActorKind
from audit.history import ChangedField, Detail
from models.registry import BY_SUBJECT
from models.table import REMOVED, Row, SubjectType
from models.text import counted

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

# Subjects without a name of their own.
_PHRASES = {
    "note": "a note on {customer}",
    "settings": "the settings",
    "preferences": "the preferences of {customer}",
}

# Every customer has preferences: the first override only makes the row.
_READS_AS_CHANGED = {Action.PREFERENCES_CREATED: frozenset({"customer_id"})}

_CAPITALS = {"ach": "ACH"}

_VERBS = {"created": "added", "updated": "changed", "deleted": "deleted"}


def subject_name(subject_type: str) -> str:
    """What a kind of subject is called in a sentence."""
    return SubjectType(subject_type).value.replace("_", " ").replace("api", "API")


def label(name: str) -> str:
    """The heading of a column: `first_name` reads “First name”."""
    words = _words(name)
    return words[:1].upper() + words[1:]


def _words(name: str) -> str:
    return " ".join(_CAPITALS.get(word, word) for word in name.removesuffix("_id").split("_"))


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


def change_texts(subject_type: str, change: ChangedField) -> tuple[str | None, str | None]:
    """What people read before and after a change."""
    read = BY_SUBJECT[subject_type].texts.get(change.name)
    sides = (change.before, change.before_text), (change.after, change.after_text)
    before, after = (
        value_text(value, text) if read is None or value is None or text is not None else read(value)
        for value, text in sides
    )
    return before, after


def sentence(event: Row, detail: Detail) -> str:
    """One sentence for an event and what its details disclose to this reader."""
    action = Action(event["action"])
    actor = detail.actor_name or detail.absent
    subject = detail.subject_label or detail.absent
    if action in _PLAIN:
        return _PLAIN[action].format(actor=actor, subject=subject)
    verb, changes = _VERBS[event["action"].rpartition(".")[2]], detail.changes
    if action in _READS_AS_CHANGED:
        verb, changes = "changed", [change for change in changes if change.name not in _READS_AS_CHANGED[action]]
    how = _how(event["subject_type"], changes) if verb == "changed" else ""
    if event["actor_kind"] == ActorKind.DATABASE.value:
        return f"Somebody {verb} {_what(event, detail, subject)} past the product{how}."
    return f"{actor} {verb} {_what(event, detail, subject)}{how}."


def _what(event: Row, detail: Detail, subject: str) -> str:
    kind = subject_name(event["subject_type"])
    if event["subject_type"] in _PHRASES:
        return _PHRASES[event["subject_type"]].format(customer=detail.customer_label or detail.absent)
    name = f"{kind} {subject}"
    if event["customer_id"] and event["subject_id"] != event["customer_id"]:
        return f"{name} at {detail.customer_label or detail.absent}"
    return name


def _how(subject_type: str, changes: Sequence[ChangedField]) -> str:
    table = BY_SUBJECT[subject_type]
    replaced = any(change.name in table.alternatives and change.after is not None for change in changes)
    parts = [
        _change(subject_type, change, REMOVED if replaced and change.name in table.alternatives else table.cleared)
        + _for_customers(change)
        for change in changes
    ]
    if not parts:
        return ""
    return ": " + ("; ".join(parts) if len(parts) <= 3 else "; ".join(parts[:3]) + f" and {len(parts) - 3} more")


def _for_customers(change: ChangedField) -> str:
    if change.customers is None:
        return ""
    return f" for {counted(change.customers, 'customer')}"


def _change(subject_type: str, change: ChangedField, cleared: str) -> str:
    name = _words(change.name)
    before, after = change_texts(subject_type, change)
    if change.withheld is not None or (before is None and after is None):
        return name
    if before is None or before == "":
        return f"{name} set to {_quoted(after)}"
    if after is None or after == "":
        return cleared.format(name=name, before=_quoted(before))
    if _quoted(before) == _quoted(after):
        # The difference lies beyond what is shown.
        return name
    return f"{name} from {_quoted(before)} to {_quoted(after)}"


def _quoted(text: str | None) -> str:
    shown = " ".join((text or "").split())
    return f"“{shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}”"
