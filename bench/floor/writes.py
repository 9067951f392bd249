"""The writes of the floor: by hand, the row, its event and the event's details, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audit.event import instant
from bench.disclosed import camel, encode_json
from bench.entrance import Visitor
from bench.floor.events import ContactEvent, append
from bench.floor.writer import Result, Work, Writer
from models import Contact, clock, text
from models.identifier import new_id
from models.table import columns, quoted
from services import values

_CONTACT = f"SELECT {', '.join('t.' + quoted(name) for name in columns(Contact))}"
_FOR_UPDATE = (
    f"{_CONTACT}, c.name AS customer_name, r.name AS role_name FROM contact t"
    " JOIN customer c ON c.id = t.customer_id LEFT JOIN contact_role r ON r.id = t.role_id WHERE t.id = ?"
)
_CUSTOMER = (
    "SELECT c.id, c.name, c.billing_address, EXISTS (SELECT 1 FROM contact p"
    ' WHERE p.customer_id = c.id AND p."primary") AS has_primary FROM customer c WHERE c.id = ?'
)
_INSERT = (
    f"INSERT INTO contact ({', '.join(map(quoted, columns(Contact)))})"
    f" VALUES ({', '.join('?' for _ in columns(Contact))})"
)
# In this order they stand in a disclosure of a new contact.
_RECORDED = (
    "customer_id", "location_id", "role_id", "first_name", "last_name", "title", "priority", "primary", "methods",
    "preferred_method", "address", "active", "origin_system", "origin_external_id",
)  # fmt: skip


async def update_contact(writer: Writer, who: Visitor, address: str, body: Mapping[str, Any]) -> Result:
    """Change a contact's title."""
    return await writer.transact(_update(writer.postgres, who, address, body))


async def create_contact(writer: Writer, who: Visitor, address: str, body: Mapping[str, Any]) -> Result:
    """Add a contact."""
    return await writer.transact(_create(writer.postgres, who, address, body["input"]))


def _update(postgres: bool, who: Visitor, address: str, body: Mapping[str, Any]) -> Work:
    [row] = yield _FOR_UPDATE + (" FOR UPDATE OF t" if postgres else ""), (body["id"],)
    title = values.optional_line(body["title"], ("title",), longest=100)
    if title == row["title"]:
        raise ValueError("the benchmark sends titles that differ")
    revision = row["revision"] + 1
    name = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    methods = (method["value"] for method in json.loads(row["methods"]))
    search = text.search_key([name, title, row["origin_external_id"], *methods])
    yield (
        "UPDATE contact SET title = ?, revision = ?, search_key = ? WHERE id = ?",
        (title, revision, search, row["id"]),
    )
    change = {"before": row["title"], "after": title}
    event = ContactEvent(
        "updated", row["id"], revision, name, row["customer_id"], row["customer_name"], {"title": change}
    )
    seq = yield from append(postgres, event, who, address, clock.now())
    role = {"id": row["role_id"], "name": row["role_name"]} if row["role_id"] else None
    changes = [{"field": "title", **change, "beforeText": row["title"], "afterText": title}]
    return {
        "updateContact": {
            "contact": {"id": row["id"], "revision": revision, "title": title, "role": role},
            "events": [{"seq": seq, "action": "CONTACT_UPDATED", "changes": changes}],
            "errors": [],
        }
    }


def _create(postgres: bool, who: Visitor, address: str, given: Mapping[str, Any]) -> Work:
    [customer] = yield _CUSTOMER + (" FOR UPDATE" if postgres else ""), (given["customerId"],)
    [role] = yield (
        "SELECT id, name, invoice_presentment, communication FROM contact_role WHERE id = ?"
        + (" FOR KEY SHARE" if postgres else ""),
        (given["roleId"],),
    )
    row = _row(given, customer)
    yield _INSERT, tuple(encode_json(row[name]) if name == "methods" else row[name] for name in columns(Contact))
    changes: dict[str, dict[str, Any]] = {
        "created_at": {"before": None, "after": instant(row["created_at"])},
        **{name: {"before": None, "after": row[name]} for name in _RECORDED if row[name] is not None},
    }
    changes["customer_id"]["afterText"] = customer["name"]
    changes["role_id"]["afterText"] = role["name"]
    for name in ("customer_id", "role_id"):
        changes[name]["beforeText"] = None
    name = f"{row['first_name']} {row['last_name']}"
    event = ContactEvent("created", row["id"], 1, name, customer["id"], customer["name"], changes)
    seq = yield from append(postgres, event, who, address, row["created_at"])
    events = [{"seq": seq, "action": "CONTACT_CREATED"}]
    return {"createContact": {"contact": _created(row, role), "events": events, "errors": []}}


def _row(given: Mapping[str, Any], customer: Mapping[str, Any]) -> dict[str, Any]:
    country = json.loads(customer["billing_address"] or "{}").get("country") or "US"
    methods = values.methods(given["methods"], ("methods",), country=country)
    first, last = (values.line(given[name], (name,), longest=100) for name in ("firstName", "lastName"))
    email = values.preferred(methods, "EMAIL")
    return {
        **dict.fromkeys(columns(Contact)),
        "id": new_id("con"),
        "revision": 1,
        "created_at": clock.now(),
        "customer_id": customer["id"],
        "role_id": given["roleId"],
        "first_name": first,
        "last_name": last,
        "primary": not customer["has_primary"],
        "methods": methods,
        "email": email,
        "email_key": text.key(email or ""),
        "phone": values.preferred(methods, "PHONE"),
        "active": True,
        "name_key": text.key(f"{last} {first}"),
        "search_key": text.search_key([f"{first} {last}", *(method["value"] for method in methods)]),
    }


def _created(row: Mapping[str, Any], role: Mapping[str, Any]) -> Result:
    plain = ("id", "revision", "first_name", "last_name", "title", "email", "phone", "primary", "active")
    return {
        **{camel(name): row[name] for name in plain},
        "level": "CUSTOMER",
        "origin": {"kind": "LOCAL", "system": None, "externalId": None},
        "methods": [
            {name: method[name] for name in ("kind", "value", "label", "preferred")} for method in row["methods"]
        ],
        "role": {
            "id": role["id"],
            "name": role["name"],
            "invoicePresentment": bool(role["invoice_presentment"]),
            "communication": bool(role["communication"]),
        },
        "isCommunicationContact": bool(role["communication"]),
        "receivesInvoices": bool(role["invoice_presentment"]),
        "customer": {"id": row["customer_id"]},
        "location": None,
    }
