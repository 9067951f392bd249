"""How an event reads: one sentence a person understands, with names as they were then. Made when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from audit.action import Action
from audit.actor import ActorKind
from audit.communication_sentence import communication_sentence
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
    Action.CONTACT_ORDER_PASSWORD_FAILED: "{actor} gave a wrong order password for contact {subject}.",
    Action.CONTACT_ORDER_PASSWORD_THROTTLED: (
        "Order passwords for contact {subject} have to wait after too many wrong ones; {actor} tried again."
    ),
    Action.CONTACT_PASSWORD_LINK_REFUSED: "Somebody tried to set a contact's password with a link that does not work.",
    Action.CONTACT_PASSWORD_LINK_THROTTLED: (
        "Links that set contacts' passwords have to wait after too many that do not work; somebody tried again."
    ),
    Action.SALES_DOCUMENT_CONTACT_WAIVED: "{actor} waived the contact that {customer} requires for {subject}.",
    Action.API_KEY_PERMISSION_REFUSED: "The API key {subject} was refused what it has no permission for.",
}

# What stands on a sales document.
_ON_DOCUMENT = ("note", "payment")
# What happens to an assignment is told of its contact.
_ASSIGNED = {
    Action.ASSIGNMENT_CREATED: "{actor} assigned {contact} as {purpose}",
    Action.ASSIGNMENT_UPDATED: "{actor} handed an assignment of {before} over to {contact}",
    Action.ASSIGNMENT_DELETED: "{actor} ended the assignment of {before} as {purpose}",
}
# Columns whose name says it otherwise.
_NAMES = {"tax_id": "tax ID"}

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

# A sales document that comes further, by its new status.
_STEPS = {"RELEASED": "released", "POSTED": "posted", "VOID": "voided"}

_VERBS = {"created": "added", "updated": "changed", "deleted": "deleted", "payment.created": "recorded"}

# A change of nothing but this column to this value has a verb of its own.
_VERBS_OF_ONE = {("active", False): "deactivated", ("active", True): "reactivated"}


def subject_name(subject_type: str) -> str:
    """What a kind of subject is called in a sentence."""
    return SubjectType(subject_type).value.replace("_", " ").replace("api", "API")


def label(name: str) -> str:
    """The heading of a column: `first_name` reads “First name”."""
    words = _words(name)
    return words[:1].upper() + words[1:]


def _words(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
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
        if "kind" in value and "name" in value:
            # Somebody, as events name them.
            return str(value["name"])
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
        customer = detail.customer_label or detail.absent
        return _PLAIN[action].format(actor=actor, subject=subject, customer=customer)
    if action in _ASSIGNED and event["actor_kind"] != ActorKind.DATABASE.value:
        handed_over = any(change.name == "contact_id" for change in detail.changes)
        if action is not Action.ASSIGNMENT_UPDATED or handed_over:
            return _assigned(action, detail)
    if event["actor_kind"] != ActorKind.DATABASE.value:
        told = communication_sentence(action, detail)
        if told is not None:
            return told
    what = _what(event, detail, subject)
    if action is Action.CUSTOMER_MERGED:
        return f"{actor} merged {what} into {_after('merged_into_id', detail)}."
    verb, changes = _VERBS.get(event["action"]) or _VERBS[event["action"].rpartition(".")[2]], detail.changes
    if action in _READS_AS_CHANGED:
        verb, changes = "changed", [change for change in changes if change.name not in _READS_AS_CHANGED[action]]
    verb = (_only(changes) or verb) if verb == "changed" else verb
    how = _how(event["subject_type"], changes) if verb == "changed" else ""
    if event["actor_kind"] == ActorKind.DATABASE.value:
        return f"Somebody {verb} {what} past the product{how}."
    special = _special(action, detail)
    return f"{actor} {special} {what}." if special is not None else f"{actor} {verb} {what}{how}."


def _special(action: Action, detail: Detail) -> str | None:
    """What the actor did to the subject, when one word says more than the changed columns; else None."""
    changes = {change.name: change for change in detail.changes}
    password = changes.get("order_password_set_at")
    if action is Action.CONTACT_UPDATED and password is not None and password.withheld is None:
        return f"{'set' if password.after else 'removed'} the order password of"
    own = changes.get("password_set_at")
    if action is Action.CONTACT_UPDATED and own is not None and own.withheld is None:
        return "set the portal password of"
    step = changes.get("status")
    if action is Action.SALES_DOCUMENT_UPDATED and step is not None and step.before != "PAID":
        return _STEPS.get(step.after)
    return None


def _assigned(action: Action, detail: Detail) -> str:
    sides = {change.name: (change.before_text, change.after_text) for change in detail.changes}
    before, contact = (side or detail.absent for side in sides.get("contact_id", (None, None)))
    purpose = next((side for side in sides.get("purpose_id", ()) if side), detail.absent)
    actor = detail.actor_name or detail.absent
    told = _ASSIGNED[action].format(actor=actor, contact=contact, before=before, purpose=purpose)
    label = detail.subject_label
    reference = f" ({label})" if label and label != SubjectType.ASSIGNMENT.value else ""
    return f"{told}{reference} at {detail.customer_label or detail.absent}."


def _only(changes: Sequence[ChangedField]) -> str | None:
    """The verb of a change that has one of its own."""
    if len(changes) != 1 or not isinstance(changes[0].after, bool):
        return None
    return _VERBS_OF_ONE.get((changes[0].name, changes[0].after))


def _after(name: str, detail: Detail) -> str:
    """The text of what a column became."""
    texts = (value_text(change.after, change.after_text) for change in detail.changes if change.name == name)
    return next(texts, None) or detail.absent


def _what(event: Row, detail: Detail, subject: str) -> str:
    kind = subject_name(event["subject_type"])
    if event["subject_type"] in _ON_DOCUMENT and event["sales_document_id"]:
        what = "a note" if event["subject_type"] == "note" else f"a {subject}" if detail.subject_label else "a payment"
        return f"{what} on {_document(detail)} of {detail.customer_label or detail.absent}"
    if event["subject_type"] in _PHRASES:
        return _PHRASES[event["subject_type"]].format(customer=detail.customer_label or detail.absent)
    # Its label says what kind of document it is.
    name = subject if event["subject_type"] == "sales_document" and detail.subject_label else f"{kind} {subject}"
    if event["customer_id"] and event["subject_id"] != event["customer_id"]:
        return f"{name} at {detail.customer_label or detail.absent}"
    return name


def _document(detail: Detail) -> str:
    """What a note or a payment is on: its name stands in the events that begin and end it."""
    texts = [text for change in detail.changes if change.name == "sales_document_id" for text in _texts(change)]
    return texts[0] if texts else "a sales document"


def _texts(change: ChangedField) -> list[str]:
    return [text for text in (change.after_text, change.before_text) if text]


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
    if change.name == "person_id":
        # It names a person by nothing but the contacts who have it.
        return "not linked with the same person elsewhere any more" if after is None else "linked as the same person"
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
