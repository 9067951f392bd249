"""History as the API shows it: events, what changed, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.scalars import JSON
from strawberry.utils.str_converters import to_camel_case

import models
from audit import Action, ActorKind, Category
from audit import Actor as Viewer
from audit.history import (
    CONTACT_HISTORY,
    CUSTOMER_HISTORY,
    HISTORY,
    READ_PERMISSION,
    SALES_DOCUMENT_HISTORY,
    ChangedField,
    Detail,
    Withheld,
    conditions,
    details,
    events_by_seq,
    withhold,
)
from audit.last_change import last_changes
from audit.sentence import change_texts, label, sentence
from models import Row, SubjectType
from models.identifier import prefix_of
from models.listing import Condition
from models.registry import AUDITED
from models.rows import by_any_id, by_ids
from schema.access import PARENT, Access, needs
from schema.connection import connection
from schema.context import Context
from schema.errors import check_reference
from schema.field import batched, derived, optional, plain
from schema.node import TYPES, Node, shown_to

if TYPE_CHECKING:
    from schema.actor import Actor
    from schema.customer import Customer
    from schema.sales_document import SalesDocument


# An event tells each column of its subject at most once.
MOST_CHANGES = max(len(table.all_columns()) for table in AUDITED)


def updated_at() -> Any:
    """The `updatedAt` field of an audited row."""
    return batched(lambda row: row["id"], last_changes, "When it changed last: the time of its last event.")


def _seen_by(event: Row, detail: Detail, context: Context) -> Detail:
    """The detail as this viewer may see it today; what is about themself they may always see."""
    actor = context.actor
    if actor is not None and (_opens(actor, event) or actor.id == event["subject_id"]):
        return detail
    return withhold(detail, shows_customer=actor is not None and actor.may(models.Permission.CUSTOMERS_READ))


def _opens(actor: Viewer, event: Row) -> bool:
    """Whether the actor may see what the event is about; what stands on a sales document is part of it."""
    on_document = event["sales_document_id"] is not None
    return actor.may(READ_PERMISSION[Category(event["category"])]) and (
        not on_document or actor.may(models.Permission.SALES_DOCUMENTS_READ)
    )


def _subject(event: Row, seen: Detail) -> Row:
    return {"type": event["subject_type"], "id": event["subject_id"], "label": seen.subject_label or seen.absent}


def _node(subject: Row, node: Row | None, context: Context) -> Row | None:
    # An id that was forced into the database may have any form; then there is no node, either.
    if node is None or context.actor is None:
        return None
    may = context.actor.may(TYPES[prefix_of(subject["id"]) or ""][1])
    return shown_to(context.actor, node) if may else None


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_camel_case(name): _camel(item) for name, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


def _change(event: Row, change: ChangedField) -> Row:
    before_text, after_text = change_texts(event["subject_type"], change)
    return {
        "field": to_camel_case(change.name),
        "label": label(change.name),
        "before": _camel(change.before),
        "after": _camel(change.after),
        "before_text": before_text,
        "after_text": after_text,
        "withheld": change.withheld,
        "affected_customers": change.customers,
    }


@strawberry.type(description="What an event is about.", directives=[PARENT])
class Subject:
    """What an event is about."""

    type: SubjectType = plain("What kind of object.")
    id: strawberry.ID = plain("The object's ID.")
    label: str = plain("As it was then.")
    node: Node | None = batched(
        lambda subject: subject["id"],
        by_any_id,
        "The object as it is now. Null when it no longer exists, or when you may not see it.",
        then=_node,
    )


@strawberry.type(description="One changed field of an event's subject.", directives=[PARENT])
class Change:
    """One changed field of an event's subject."""

    field: str = plain("The field's name in this API.")
    label: str = plain("The field's name for people.")
    before: JSON | None = plain("The value before; null when there was none.")
    after: JSON | None = plain("The value after; null when there is none.")
    before_text: str | None = plain("The value before, for people: names instead of IDs, as they were then.")
    after_text: str | None = plain("The value after, for people: names instead of IDs, as they were then.")
    withheld: Withheld | None = plain("Why before and after are null although there was a value.")
    affected_customers: int | None = plain(
        "How many active customers did not override it, when it was changed for all of them; else null."
    )


@strawberry.type(description="Something that happened. Nothing changes or removes it.", directives=[PARENT])
class HistoryEvent(Node):
    """Something that happened."""

    id: strawberry.ID = derived(lambda event: f"evt_{event['seq']}", "The event's ID: `evt_` and its `seq`.")
    seq: int = plain("Dense and ascending in commit order.")
    at: datetime = plain("When it happened; ascending with `seq`.")
    action: Action = plain("What happened.")
    category: Category = plain("The heading under which it stands.")
    actor: Annotated[Actor, strawberry.lazy("schema.actor")] = batched(
        lambda event: event["seq"],
        details,
        "Who did it.",
        then=lambda event, detail, _: {
            "kind": event["actor_kind"],
            "id": event["actor_id"],
            "name": detail.actor_name or detail.absent,
        },
    )
    subject: Subject = batched(
        lambda event: event["seq"],
        details,
        "What it is about.",
        then=lambda event, detail, context: _subject(event, _seen_by(event, detail, context)),
    )
    revision: int = plain("The subject's revision after the event.")
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] | None = batched(
        lambda event: event["customer_id"],
        by_ids(models.Customer),
        "The customer whom it concerns; null for what concerns none.",
    )
    customer_label: str | None = batched(
        lambda event: event["seq"],
        details,
        "The customer's name as it was then.",
        then=lambda event, detail, context: _seen_by(event, detail, context).customer_label,
    )
    sales_document: Annotated[SalesDocument, strawberry.lazy("schema.sales_document")] | None = batched(
        lambda event: event["sales_document_id"],
        by_ids(models.SalesDocument),
        "The quote, order or invoice in whose history it stands, and not in the customer's History view; "
        "null for all other events, and when the document no longer exists.",
        access=needs(models.Permission.SALES_DOCUMENTS_READ),
    )
    changes: list[Change] = batched(
        lambda event: event["seq"],
        details,
        "The changed fields of the subject; none for what changes nothing, such as a sign-in.",
        then=lambda event, detail, context: [
            _change(event, change) for change in _seen_by(event, detail, context).changes
        ],
        at_most=MOST_CHANGES,
        values=True,
    )
    sentence: str = batched(
        lambda event: event["seq"],
        details,
        "One sentence a person can read, with names as they were then.",
        then=lambda event, detail, context: sentence(event, _seen_by(event, detail, context)),
    )
    reason: str | None = batched(
        lambda event: event["seq"],
        details,
        "Why, if a reason was given.",
        then=lambda event, detail, context: _seen_by(event, detail, context).reason,
    )
    request_id: strawberry.ID = plain("The request in which it happened; also in the log and in the response header.")
    leaf_hash: str = plain("Hex SHA-256.")


@strawberry.input(description="Only events that fit all of the fields.")
class HistoryFilter:
    """Only events that fit all of the fields."""

    customer_id: strawberry.ID | None = optional(
        "The customer whom it concerns, a customer merged into it included; also what happened on its sales documents."
    )
    sales_document_id: strawberry.ID | None = optional("The quote, order or invoice in whose history it stands.")
    subject_id: strawberry.ID | None = optional("What it is about.")
    actor_id: strawberry.ID | None = optional("Who did it.")
    actor_kinds: list[ActorKind] | None = optional("What kind of actor did it.")
    categories: list[Category] | None = optional("The headings under which it stands.")
    actions: list[Action] | None = optional("What happened.")
    from_: datetime | None = optional("Not before this time.", name="from")
    to: datetime | None = optional("Before this time. Exclusive.")


def history_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    # Subjects and actors may have IDs of another form: accounting systems, and what was forced into the database.
    for name, table in (("customer_id", models.Customer), ("sales_document_id", models.SalesDocument)):
        if wanted.get(name) is not None:
            check_reference(f"filter.{to_camel_case(name)}", wanted[name], table)
    return conditions(wanted)


def history(description: str, *, access: Access | None = None) -> Any:
    """The whole history."""
    return connection(HISTORY, description, filter_type=HistoryFilter, conditions=history_conditions, access=access)


# Type → its list. That of a contact is what it is the subject of.
_HISTORIES = {
    models.Customer: CUSTOMER_HISTORY,
    models.Contact: CONTACT_HISTORY,
    models.SalesDocument: SALES_DOCUMENT_HISTORY,
}


def history_of(table: type[models.Audited], description: str, *, access: Access) -> Any:
    """The history of one customer, contact or sales document."""
    return connection(
        _HISTORIES[table],
        description,
        filter_type=HistoryFilter,
        conditions=history_conditions,
        nested=True,
        access=access,
    )


def stubs() -> Any:
    """The events of a payload: the stubs that a mutation left."""
    return batched(
        lambda payload: tuple(payload["seqs"]),
        _events_of_each,
        "The events that it left, in order.",
    )


async def _events_of_each(keys: Any) -> list[list[Row]]:
    found = await events_by_seq([seq for seqs in keys for seq in seqs])
    by_seq = {event["seq"]: event for event in found if event is not None}
    return [[by_seq[seq] for seq in seqs if seq in by_seq] for seqs in keys]
