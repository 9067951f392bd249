"""The event: disclosures for what could be personal, and the leaf that proofs are made over.

Disclosures follow SD-JWT (RFC 9901, section 4.2): base64url(JSON [salt, name, value]) with a salt of 128 random bits,
and their digest is base64url(SHA-256(disclosure)). The leaf is canonical JSON (RFC 8785) of every column of `event`
except itself and its hash, with the sorted digests; its hash is SHA-256(0x00 || leaf) (RFC 6962, section 2.1).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785

from audit.action import Action, category_of
from audit.actor import Actor, Request
from models.table import SubjectType

ACTOR_NAME = "actor.name"
SUBJECT_LABEL = "subject.label"
CUSTOMER_LABEL = "customer.label"
REASON = "reason"
CLIENT_ADDRESS = "client.address"

EVENT_COLUMNS = (
    "seq",
    "at",
    "action",
    "category",
    "actor_kind",
    "actor_id",
    "subject_type",
    "subject_id",
    "revision",
    "customer_id",
    "sales_document_id",
    "request_id",
    "leaf",
    "leaf_hash",
)


@dataclass
class Pending:
    """An event that waits for the end of its transaction. `about` is whose data `changes` hold.

    A change is {"before": …, "after": …}, with "beforeText" and "afterText" where the values are identifiers,
    {"secret": true} for a secret column, and {"beforeDigest": …, "afterDigest": …} for a long text in `bodies`.
    With "customers" it says how many of them a change for all affects.
    """

    action: Action
    subject_type: SubjectType
    subject_id: str
    revision: int
    label: str
    about: str
    customer_id: str | None = None
    sales_document_id: str | None = None
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Composed:
    """An event as it is stored: the values of EVENT_COLUMNS, and (about, disclosures as text) for each detail."""

    row: tuple[Any, ...]
    details: tuple[tuple[str, str], ...]


def disclosure(name: str, value: object) -> str:
    """One disclosure with a fresh salt."""
    salt = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    text = json.dumps([salt, name, value], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_disclosure(text: str) -> tuple[str, Any]:
    """Name and value of a disclosure."""
    _, name, value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return name, value


def read_disclosures(texts: str) -> list[tuple[str, Any]]:
    """Names and values of the disclosures in one detail."""
    return [read_disclosure(text) for text in json.loads(texts)]


def digest(disclosed: str) -> str:
    """The digest by which a leaf names a disclosure."""
    return base64.urlsafe_b64encode(hashlib.sha256(disclosed.encode("ascii")).digest()).decode().rstrip("=")


def body_digest(body: str) -> str:
    """The digest under which a long text is stored: hexadecimal SHA-256."""
    return hashlib.sha256(body.encode()).hexdigest()


def instant(at: datetime) -> str:
    """A time as leaves write it: RFC 3339, UTC, always six decimals."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf_of(event: Mapping[str, Any], digests: Iterable[str]) -> str:
    """The leaf of an event with these columns and these digests of its disclosures."""
    columns = {name: event[name] for name in EVENT_COLUMNS if name not in ("leaf", "leaf_hash")}
    return rfc8785.dumps({**columns, "at": instant(event["at"]), "disclosures": sorted(digests)}).decode()


def leaf_hash(leaf: str) -> str:
    """The hexadecimal leaf hash of RFC 6962."""
    return hashlib.sha256(b"\x00" + leaf.encode()).hexdigest()


def compose(
    pending: Pending, *, seq: int, at: datetime, actor: Actor, request: Request, customer_label: str | None
) -> Composed:
    """The stored form of an event."""
    details = _details(pending, actor, request, customer_label)
    columns: dict[str, Any] = {
        "seq": seq,
        "at": at,
        "action": pending.action.value,
        "category": category_of(pending.subject_type, pending.changes).value,
        "actor_kind": actor.kind.value,
        "actor_id": actor.id,
        "subject_type": pending.subject_type.value,
        "subject_id": pending.subject_id,
        "revision": pending.revision,
        "customer_id": pending.customer_id,
        "sales_document_id": pending.sales_document_id,
        "request_id": request.id,
    }
    leaf = leaf_of(columns, (digest(text) for texts in details.values() for text in texts))
    row = (*columns.values(), leaf, leaf_hash(leaf))
    return Composed(row, tuple((about, json.dumps(texts, separators=(",", ":"))) for about, texts in details.items()))


def _details(pending: Pending, actor: Actor, request: Request, customer_label: str | None) -> Mapping[str, list[str]]:
    details: dict[str, list[str]] = {}

    def disclose(about: str, name: str, value: object) -> None:
        details.setdefault(about, []).append(disclosure(name, value))

    for name, change in pending.changes.items():
        disclose(pending.about, name, change)
    disclose(pending.about, SUBJECT_LABEL, pending.label)
    who = actor.id or actor.kind.value.lower()
    disclose(who, ACTOR_NAME, actor.name)
    if request.client_address:
        # Without an actor it is the subject's data: who failed to sign in as them.
        disclose(actor.id or pending.about, CLIENT_ADDRESS, request.client_address)
    if request.reason:
        disclose(pending.about, REASON, request.reason)
    if pending.customer_id and customer_label is not None:
        disclose(pending.customer_id, CUSTOMER_LABEL, customer_label)
    return details
