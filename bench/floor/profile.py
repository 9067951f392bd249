"""Every tab of a customer's profile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from audit.event import instant
from audit.sentence import sentence
from bench import cursor
from bench.entrance import moment
from bench.floor.history import events_of
from bench.floor.parts import by_id, connection, page_info, subject
from bench.floor.preferences import preferences
from bench.readers import Reader, Rows
from bench.statements import TAB
from models import Assignment, Contact, Document, Location, Note, SalesDocument, money

Found = Mapping[str, Any]

_ADDRESS = {"lines": "lines", "city": "city", "region": "region", "postalCode": "postal_code", "country": "country"}
_METHOD = ("kind", "value", "label", "preferred")


async def profile(reader: Reader, body: Mapping[str, Any]) -> dict[str, Any]:
    """The customer, and what all its tabs show."""
    customer_id = body["id"]
    found = await by_id(reader, reader.statements.customers_by_id, [customer_id])
    if not found:
        return {"customer": None}
    [customer] = found
    summary, tabs, preferred, history = await asyncio.gather(
        _summary(reader, customer),
        _tabs(reader, customer_id),
        preferences(reader, customer_id),
        _history(reader, customer_id),
    )
    return {"customer": {**summary, **tabs, "preferences": preferred, "history": history}}


async def _summary(reader: Reader, row: Found) -> dict[str, Any]:
    above = [] if row["parent_id"] is None else [row["parent_id"]]
    parents, way, primary = await asyncio.gather(
        by_id(reader, reader.statements.customers_by_id, above),
        by_id(reader, reader.statements.payers, [row["id"]]),
        by_id(reader, reader.statements.primary_contacts, [row["id"]]),
    )
    return {
        **_plain(row, "id", "revision", "kind", "name", "email", "phone", "website", "currency"),
        "taxId": row["tax_id"],
        "active": bool(row["active"]),
        "paymentTerms": row["payment_terms"],
        "paymentResponsibility": row["payment_responsibility"],
        "methods": [_plain(method, *_METHOD) for method in orjson.loads(row["methods"])],
        "billingAddress": _address(row["billing_address"]),
        "parent": _plain(parents[0], "id", "name") if parents else None,
        "payer": next(_plain(place, "id", "name") for place in way if place["next"] is None),
        "primaryContact": {**_person(primary[0]), **_plain(primary[0], "email", "phone")} if primary else None,
    }


async def _tabs(reader: Reader, customer_id: str) -> dict[str, Any]:
    tables = reader.statements.tabs
    listed = await asyncio.gather(*(reader.fetch(tables[table], customer_id) for table in tables))
    tabs = dict(zip(tables, listed, strict=True))
    contacts, assignments, sales = (tabs[table][:TAB] for table in (Contact, Assignment, SalesDocument))
    roles, purposes, people = await asyncio.gather(
        _referred(reader, reader.statements.roles, contacts, "role_id"),
        _referred(reader, reader.statements.purposes, assignments, "purpose_id"),
        _referred(reader, reader.statements.contacts_by_id, [*assignments, *sales], "contact_id"),
    )
    end = cursor.of_contact(contacts[-1]) if contacts else None
    return {
        "contacts": {
            "edges": _edges(contacts, lambda row: _contact(row, roles)),
            "pageInfo": page_info(tabs[Contact], TAB, end),
        },
        "locations": {"edges": _edges(tabs[Location], _location)},
        "assignments": {"edges": _edges(assignments, lambda row: _assignment(row, purposes, people))},
        "notes": {"edges": _edges(tabs[Note], _note)},
        "documents": {"edges": _edges(tabs[Document], _document)},
        "salesDocuments": {"edges": _edges(sales, lambda row: _sales_document(row, people))},
    }


async def _history(reader: Reader, customer_id: str) -> dict[str, Any]:
    found, details = await events_of(reader, customer_id, TAB)
    page = found[:TAB]
    nodes = [
        {
            "id": f"evt_{row['seq']}",
            "at": _time(row["at"]),
            "sentence": sentence(dict(row), details[row["seq"]]),
            "actor": {"kind": row["actor_kind"], "name": details[row["seq"]].actor_name},
            "subject": subject(row, details[row["seq"]]),
        }
        for row in page
    ]
    return connection(found, TAB, [cursor.of_event(row, of_customer=True) for row in page], nodes)


async def _referred(reader: Reader, sql: str, rows: Rows, column: str) -> dict[str, Found]:
    ids = dict.fromkeys(row[column] for row in rows if row[column] is not None)
    return {row["id"]: row for row in await by_id(reader, sql, list(ids))}


def _edges(rows: Rows, node: Callable[[Found], dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"node": node(row)} for row in rows[:TAB]]


def _plain(row: Found, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _person(row: Found) -> dict[str, Any]:
    return {"id": row["id"], "firstName": row["first_name"], "lastName": row["last_name"]}


def _contact(row: Found, roles: Mapping[str, Found]) -> dict[str, Any]:
    role = roles.get(row["role_id"])
    flags = {name: bool(row[name]) for name in ("primary", "active")}
    named = _plain(role, "id", "name") if role is not None else None
    return {**_person(row), **_plain(row, "title", "email", "phone"), **flags, "role": named}


def _location(row: Found) -> dict[str, Any]:
    return {**_plain(row, "id", "name"), "address": _address(row["address"])}


def _assignment(row: Found, purposes: Mapping[str, Found], people: Mapping[str, Found]) -> dict[str, Any]:
    reference = {name: row[f"reference_{name}"] for name in ("type", "id", "label")}
    return {
        "id": row["id"],
        "purpose": _plain(purposes[row["purpose_id"]], "id", "name"),
        "contact": _person(people[row["contact_id"]]),
        "reference": reference if row["reference_id"] is not None else None,
    }


def _note(row: Found) -> dict[str, Any]:
    author = {"kind": row["author_kind"], "name": row["author_name"]}
    return {
        **_plain(row, "id", "body"),
        "pinned": bool(row["pinned"]),
        "createdAt": _time(row["created_at"]),
        "author": author,
    }


def _document(row: Found) -> dict[str, Any]:
    uploader = {"kind": row["uploader_kind"], "name": row["uploader_name"]}
    facts = {"mediaType": row["media_type"], "createdAt": _time(row["created_at"])}
    return {**_plain(row, "id", "name", "size"), **facts, "uploader": uploader}


def _sales_document(row: Found, people: Mapping[str, Found]) -> dict[str, Any]:
    contact = people.get(row["contact_id"])
    return {
        **_plain(row, "id", "kind", "number", "status"),
        "issuedOn": row["issued_on"],
        "dueOn": row["due_on"],
        "contact": _person(contact) if contact is not None else None,
        **{name: _amount(row, name) for name in ("amount", "balance")},
    }


def _amount(row: Found, name: str) -> dict[str, Any]:
    return {"amount": money.decimal(row[name], row["currency"]), "currency": row["currency"]}


def _address(stored: str | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    address = orjson.loads(stored)
    return {name: address.get(column) for name, column in _ADDRESS.items()}


def _time(value: Any) -> str:
    return instant(moment(value))
