"""An event and its details, written by hand as the recorder would write them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from audit.append import APPEND_LOCK
from audit.event import EVENT_COLUMNS, instant
from bench.entrance import Visitor, moment
from models.identifier import new_id

_INSERT = f"INSERT INTO event ({', '.join(EVENT_COLUMNS)}) VALUES ({', '.join('?' for _ in EVENT_COLUMNS)})"


@dataclass(frozen=True)
class ContactEvent:
    """What happened to a contact: `verb` is created or updated, `name` and `customer_name` are the labels."""

    verb: str
    contact_id: str
    revision: int
    name: str
    customer_id: str
    customer_name: str
    changes: Mapping[str, Mapping[str, Any]]


def append(
    postgres: bool, event: ContactEvent, who: Visitor, address: str, now: datetime
) -> Generator[tuple[str, tuple[Any, ...]], Any, int]:
    """Store the event as the next one; its `seq`."""
    if postgres:
        yield "SELECT pg_advisory_xact_lock(?)", (APPEND_LOCK,)
    [last] = yield "SELECT seq, at FROM event ORDER BY seq DESC LIMIT 1", ()
    seq = int(last["seq"]) + 1
    at = max(now, moment(last["at"]) + timedelta(microseconds=1))
    details = {
        event.contact_id: [*map(_disclosure, event.changes.items()), _disclosure(("subject.label", event.name))],
        who.id: [_disclosure(("actor.name", who.name)), _disclosure(("client.address", address))],
        event.customer_id: [_disclosure(("customer.label", event.customer_name))],
    }
    row = {
        "seq": seq,
        "at": at,
        "action": f"contact.{event.verb}",
        "category": "contact",
        "actor_kind": "USER",
        "actor_id": who.id,
        "subject_type": "contact",
        "subject_id": event.contact_id,
        "revision": event.revision,
        "customer_id": event.customer_id,
        "sales_document_id": None,
        "request_id": new_id("req"),
    }
    digests = sorted(_digest(disclosed) for part in details.values() for disclosed in part)
    # Sorted ASCII keys and neither floats nor control characters: this is RFC 8785.
    leaf = orjson.dumps({**row, "at": instant(at), "disclosures": digests}, option=orjson.OPT_SORT_KEYS)
    yield _INSERT, (*row.values(), leaf.decode(), hashlib.sha256(b"\0" + leaf).hexdigest())
    rows = [(seq, about, json.dumps(part, separators=(",", ":"))) for about, part in details.items()]
    yield (
        f"INSERT INTO event_detail (seq, about, disclosures) VALUES {', '.join('(?, ?, ?)' for _ in rows)}",
        tuple(value for part in rows for value in part),
    )
    return seq


def _disclosure(named: Sequence[Any]) -> str:
    name, value = named
    salt = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    return base64.urlsafe_b64encode(orjson.dumps([salt, name, value])).decode().rstrip("=")


def _digest(disclosed: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(disclosed.encode()).digest()).decode().rstrip("=")
