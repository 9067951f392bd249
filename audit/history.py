"""Reading history: events in pages, and what their details disclose. The History view is this and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from audit.action import Category
from audit.body import bodies
from audit.event import ACTOR_NAME, CUSTOMER_LABEL, REASON, SUBJECT_LABEL, read_disclosure
from audit.table import Event
from models import database
from models.listing import Condition, Key, Listing
from models.rows import merged_into
from models.table import Row, column_list
from models.user import Permission

HISTORY = Listing(
    table=Event,
    orders={"SEQ": (Key.column("seq", int),)},
    default_order="SEQ",
    descending=True,
)

# The History view. What happened on a sales document stands there. A survivor has the events of those that were merged
# into it: they keep the customer they had then.
CUSTOMER_HISTORY = replace(
    HISTORY, parent="customer_id", always=(Condition("t.sales_document_id IS NULL"),), also=merged_into
)
SALES_DOCUMENT_HISTORY = replace(HISTORY, parent="sales_document_id")

# What happened to one subject: the same list under another parent.
CONTACT_HISTORY = replace(HISTORY, parent="subject_id")

# Today's permissions govern past data: who may not see a thing may not see what it was.
READ_PERMISSION: Mapping[Category, Permission] = {
    Category.PROFILE: Permission.CUSTOMERS_READ,
    Category.CONTACT: Permission.CUSTOMERS_READ,
    Category.COMMUNICATION_SETTINGS: Permission.CUSTOMERS_READ,
    Category.COMMUNICATION: Permission.COMMUNICATIONS_READ,
    Category.NOTE: Permission.NOTES_READ,
    Category.DOCUMENT: Permission.DOCUMENTS_READ,
    Category.PAYMENT: Permission.CUSTOMERS_READ,
    Category.ORDER_DESK: Permission.SALES_DOCUMENTS_READ,
    Category.SETTINGS: Permission.CUSTOMERS_READ,
    Category.ACCESS: Permission.USERS_READ,
}

ERASED = "(erased)"
WITHHELD = "(withheld)"

# When a row was created is the time of its first event: to repeat it as a change would tell nothing.
_NOT_SHOWN = frozenset({"created_at"})


class Withheld(Enum):
    """Why a change shows no values although there were some. Values may be added."""

    SECRET = "SECRET"  # noqa: S105 - the name of a reason, not a secret
    ERASED = "ERASED"
    PERMISSION = "PERMISSION"


@dataclass(frozen=True)
class ChangedField:
    """One changed field of an event. `name` is the column; texts are the names of what identifiers point to.

    `customers` is how many customers a change of a global setting affected; None for any other change.
    """

    name: str
    before: Any = None
    after: Any = None
    before_text: str | None = None
    after_text: str | None = None
    withheld: Withheld | None = None
    customers: int | None = None


@dataclass
class Detail:
    """What an event's details disclose to a reader. `changes` are in the order of the table's columns.

    Parts that are erased or withheld are None; `absent` is what is read in their place.
    """

    actor_name: str | None = None
    subject_label: str | None = None
    customer_label: str | None = None
    reason: str | None = None
    changes: list[ChangedField] = field(default_factory=list)
    absent: str = ERASED


def conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a history filter: customer_id, sales_document_id, subject_id, actor_id, actor_kinds,
    categories, actions, from_ (inclusive) and to (exclusive). Absent and None mean no condition; an empty list
    matches nothing. The events of a customer are also those of the customers that were merged into it.
    """
    found = [
        Condition(f"t.{name} = ?", (wanted[name],))
        for name in ("sales_document_id", "subject_id", "actor_id")
        if wanted.get(name) is not None
    ]
    if wanted.get("customer_id") is not None:
        ids = "SELECT ? UNION ALL SELECT c.id FROM customer c WHERE c.merged_into_id = ?"
        found.append(Condition(f"t.customer_id IN ({ids})", (wanted["customer_id"], wanted["customer_id"])))
    for name, column in (("actor_kinds", "actor_kind"), ("categories", "category"), ("actions", "action")):
        values: Sequence[Enum] | None = wanted.get(name)
        if values is not None:
            found.append(_one_of(f"t.{column}", list(dict.fromkeys(value.value for value in values))))
    for name, comparison in (("from_", ">="), ("to", "<")):
        at: datetime | None = wanted.get(name)
        if at is not None:
            found.append(Condition(f"t.at {comparison} ?", (at,)))
    return found


def _one_of(column: str, values: Sequence[str]) -> Condition:
    if not values:
        return Condition("1 = 0")
    return Condition(f"{column} IN ({', '.join('?' for _ in values)})", tuple(values))


async def events_by_seq(seqs: Sequence[int]) -> list[Row | None]:
    """The events with these numbers, in this order."""
    bound = database.current()
    rows = await bound.fetch(
        f"SELECT {column_list(Event)} FROM event WHERE {bound.member('seq')}", bound.array(list(seqs))
    )
    by_seq = {row["seq"]: row for row in rows}
    return [by_seq.get(seq) for seq in seqs]


async def details(seqs: Sequence[int]) -> list[Detail]:
    """What the events with these numbers disclose, in this order; two statements at most."""
    bound = database.current()
    rows = await bound.fetch(
        f"SELECT seq, about, disclosures FROM event_detail WHERE {bound.member('seq')} ORDER BY id",
        bound.array(list(seqs)),
    )
    found = {seq: Detail() for seq in seqs}
    disclosed = [
        (row["seq"], row["about"], *read_disclosure(text)) for row in rows for text in json.loads(row["disclosures"])
    ]
    named = [
        (about, value[key])
        for _, about, _, value in disclosed
        if isinstance(value, dict)
        for key in ("beforeDigest", "afterDigest")
        if key in value
    ]
    texts = await bodies(bound, named)
    for seq, about, name, value in disclosed:
        detail = found[seq]
        if name == ACTOR_NAME:
            detail.actor_name = value
        elif name == SUBJECT_LABEL:
            detail.subject_label = value
        elif name == CUSTOMER_LABEL:
            detail.customer_label = value
        elif name == REASON:
            detail.reason = value
        elif isinstance(value, dict) and name not in _NOT_SHOWN:
            detail.changes.append(_changed(name, about, value, texts))
    return [found[seq] for seq in seqs]


def _changed(name: str, about: str, value: Mapping[str, Any], texts: Mapping[tuple[str, str], str]) -> ChangedField:
    if value.get("secret"):
        return ChangedField(name, withheld=Withheld.SECRET)
    if "beforeDigest" in value or "afterDigest" in value:
        named = [value.get(key) for key in ("beforeDigest", "afterDigest")]
        before, after = (texts.get((about, digest)) if digest else None for digest in named)
        erased = sum(text is not None for text in (before, after)) < sum(digest is not None for digest in named)
        return ChangedField(name, before, after, withheld=Withheld.ERASED if erased else None)
    texts_of_ids = value.get("beforeText"), value.get("afterText")
    return ChangedField(name, value["before"], value["after"], *texts_of_ids, customers=value.get("customers"))


def withhold(detail: Detail, *, shows_customer: bool) -> Detail:
    """The same without names, reason and values, for a reader who may not see them today.

    Who did it stays, and so does the customer's name when the reader may see customers.
    """
    changes = [ChangedField(change.name, withheld=change.withheld or Withheld.PERMISSION) for change in detail.changes]
    customer = detail.customer_label if shows_customer else None
    return Detail(detail.actor_name, customer_label=customer, changes=changes, absent=WITHHELD)
