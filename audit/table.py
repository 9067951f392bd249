"""The tables of the history. Nothing changes or removes their rows."""

from __future__ import annotations

from piccolo.columns import BigInt, Integer, Text, Timestamptz
from piccolo.table import Table


class Event(Table, tablename="event"):
    """What happened: identifiers and digests, never values. `leaf` is what proofs are made over."""

    seq = BigInt(primary_key=True)
    at = Timestamptz()
    action = Text()
    category = Text()
    actor_kind = Text()
    actor_id = Text(null=True)
    subject_type = Text()
    subject_id = Text()
    revision = Integer()
    customer_id = Text(null=True)
    sales_document_id = Text(null=True)
    request_id = Text()
    leaf = Text()
    leaf_hash = Text()


class EventDetail(Table, tablename="event_detail"):
    """Every value of an event that could be personal, for each customer, contact or user (`about`) by itself."""

    id = BigInt(primary_key=True)
    seq = BigInt()
    about = Text()
    disclosures = Text()


class EventBody(Table, tablename="event_body"):
    """Long texts, once for each person that they are about; `digest` is the hexadecimal SHA-256 of `body`."""

    about = Text()
    digest = Text(primary_key=True)
    body = Text()
