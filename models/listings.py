"""Which lists there are, in which orders they come, and by what they can be filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from models import text
from models.access import ApiKey
from models.assignment import Assignment
from models.contact import Contact
from models.contact_role import ContactRole
from models.customer import Customer
from models.document import Document
from models.listing import Condition, Key, Listing
from models.location import Location
from models.note import Note
from models.preferences import ReminderWorkflow
from models.purpose import Purpose
from models.recipient_conditions import has_no_recipient_for, receives
from models.sales_document import Payment, SalesDocument
from models.template import Template
from models.user import User, UserRole

_ID = Key.column("id")
_NAME = (Key.column("name_key"), _ID)
_CREATED_AT = (Key.column("created_at", datetime), _ID)

# Contacts without a priority come after those with one.
_LAST_PRIORITY = 2_147_483_647
_PRIORITY = Key(
    f"coalesce(t.priority, {_LAST_PRIORITY})",
    lambda row: _LAST_PRIORITY if row["priority"] is None else row["priority"],
    int,
    largest=_LAST_PRIORITY,
)

CUSTOMERS = Listing(Customer, {"NAME": _NAME, "CREATED_AT": _CREATED_AT}, "NAME")
CHILDREN_OF_CUSTOMER = replace(CUSTOMERS, parent="parent_id")
MERGED_INTO_CUSTOMER = replace(CUSTOMERS, parent="merged_into_id")

CONTACTS = Listing(
    Contact,
    {
        "NAME": _NAME,
        "EMAIL": (Key.column("email_key"), _ID),
        "PRIORITY": (_PRIORITY, Key.column("name_key"), _ID),
        "CREATED_AT": _CREATED_AT,
    },
    "NAME",
)
CONTACTS_OF_CUSTOMER = replace(CONTACTS, parent="customer_id")
CONTACTS_OF_LOCATION = replace(CONTACTS, parent="location_id")
CONTACTS_OF_ROLE = replace(CONTACTS, parent="role_id")

LOCATIONS_OF_CUSTOMER = Listing(Location, {"NAME": _NAME}, "NAME", parent="customer_id")

# Pinned notes come first, then the newest.
NOTES_OF_CONTACT = Listing(
    Note,
    {"PINNED": (Key.column("pinned", bool), *_CREATED_AT)},
    "PINNED",
    parent="contact_id",
    descending=True,
)
NOTES_OF_SALES_DOCUMENT = replace(NOTES_OF_CONTACT, parent="sales_document_id")
# A note on a sales document is seen there, and not at the customer.
NOTES_OF_CUSTOMER = replace(NOTES_OF_CONTACT, parent="customer_id", always=(Condition("t.sales_document_id IS NULL"),))

# Documents without a due date come after those with one.
_LAST_DAY = "9999-12-31"
_DUE_ON = Key(f"coalesce(t.due_on, '{_LAST_DAY}')", lambda row: row["due_on"] or _LAST_DAY)

SALES_DOCUMENTS = Listing(
    SalesDocument,
    {
        "NUMBER": (Key.column("number_key"), _ID),
        "ISSUED_ON": (Key.column("issued_on"), _ID),
        "DUE_ON": (_DUE_ON, _ID),
        "BALANCE": (Key.column("balance", int), _ID),
    },
    "ISSUED_ON",
    descending=True,
)
SALES_DOCUMENTS_OF_CUSTOMER = replace(SALES_DOCUMENTS, parent="customer_id")
SALES_DOCUMENTS_OF_CONTACT = replace(SALES_DOCUMENTS, parent="contact_id")

PAYMENTS_OF_SALES_DOCUMENT = Listing(
    Payment,
    {"RECEIVED_ON": (Key.column("received_on"), _ID)},
    "RECEIVED_ON",
    parent="sales_document_id",
    descending=True,
)

REMINDER_WORKFLOWS = Listing(ReminderWorkflow, {"NAME": _NAME}, "NAME")
DOCUMENTS_OF_CUSTOMER = Listing(Document, {"NAME": _NAME, "CREATED_AT": _CREATED_AT}, "NAME", parent="customer_id")

ASSIGNMENTS_OF_CUSTOMER = Listing(Assignment, {"CREATED_AT": _CREATED_AT}, "CREATED_AT", parent="customer_id")
ASSIGNMENTS_OF_CONTACT = replace(ASSIGNMENTS_OF_CUSTOMER, parent="contact_id")

TEMPLATES = Listing(Template, {"NAME": _NAME}, "NAME")
PURPOSES = Listing(Purpose, {"NAME": _NAME}, "NAME")
CONTACT_ROLES = Listing(ContactRole, {"NAME": _NAME}, "NAME")
USERS = Listing(User, {"NAME": _NAME}, "NAME")
USER_ROLES = Listing(UserRole, {"NAME": _NAME}, "NAME")
API_KEYS = Listing(ApiKey, {"NAME": _NAME}, "NAME")


def customer_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a customer filter. Absent and None mean no condition.

    Without `merged` those that were merged into others are left out.
    """
    found = [*_origin(wanted), *_equal(wanted, ("active", "parent_id"))]
    if wanted.get("has_parent") is not None:
        found.append(Condition(f"t.parent_id IS {'NOT ' if wanted['has_parent'] else ''}NULL"))
    found.append(Condition(f"t.merged_into_id IS {'NOT ' if wanted.get('merged') else ''}NULL"))
    if wanted.get("kind") is not None:
        found.append(Condition("t.kind = ?", (wanted["kind"].value,)))
    if wanted.get("has_no_recipient_for") is not None:
        found.append(has_no_recipient_for(wanted["has_no_recipient_for"]))
    return found


def contact_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a contact filter. Absent and None mean no condition."""
    found = [*_origin(wanted), *_equal(wanted, ("customer_id", "role_id", "active", "priority"))]
    if wanted.get("has_role") is not None:
        found.append(Condition(f"t.role_id IS {'NOT ' if wanted['has_role'] else ''}NULL"))
    for name in ("invoice_presentment", "communication"):
        if wanted.get(name) is not None:
            # A contact without a role gets nothing, so it counts as not designated.
            sql = f"t.role_id IN (SELECT r.id FROM contact_role r WHERE r.{name})"
            found.append(Condition(sql if wanted[name] else f"(t.role_id IS NULL OR NOT {sql})"))
    if wanted.get("purpose_id") is not None:
        sql = "t.id IN (SELECT a.contact_id FROM assignment a WHERE a.purpose_id = ?)"
        found.append(Condition(sql, (wanted["purpose_id"],)))
    if wanted.get("level") is not None:
        found.append(Condition(f"t.location_id IS {'NOT ' if wanted['level'].value == 'LOCATION' else ''}NULL"))
    if wanted.get("receives") is not None:
        found.append(receives(wanted["receives"]))
    return found


# What waits for money: a released order, a posted invoice.
_OPEN = "((t.kind = 'ORDER' AND t.status = 'RELEASED') OR (t.kind = 'INVOICE' AND t.status = 'POSTED'))"


def sales_document_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a filter of sales documents. Absent and None mean no condition; no status matches nothing."""
    found = _equal(wanted, ("customer_id", "contact_id", "location_id"))
    if wanted.get("kind") is not None:
        found.append(Condition("t.kind = ?", (wanted["kind"].value,)))
    if wanted.get("statuses") is not None:
        statuses = tuple(dict.fromkeys(status.value for status in wanted["statuses"]))
        places = ", ".join("?" for _ in statuses)
        found.append(Condition(f"t.status IN ({places})", statuses) if statuses else Condition("1 = 0"))
    if wanted.get("number") is not None:
        found.append(Condition("t.number_key = ?", (text.key(wanted["number"]),)))
    if wanted.get("open") is not None:
        sql = f"(t.balance > 0 AND {_OPEN})"
        found.append(Condition(sql if wanted["open"] else f"NOT {sql}"))
    return found


def template_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a filter of templates. Absent and None mean no condition."""
    flags = [name for name in ("standard", "enabled") if wanted.get(name) is not None]
    found = [Condition(f"{'' if wanted[name] else 'NOT '}t.{name}") for name in flags]
    if wanted.get("kind") is not None:
        found.append(Condition("t.kind = ?", (wanted["kind"].value,)))
    return found


def assignment_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of an assignment filter: purpose_id, well_known. Absent and None mean no condition."""
    found = _equal(wanted, ("purpose_id",))
    if wanted.get("well_known") is not None:
        sql = "t.purpose_id IN (SELECT p.id FROM purpose p WHERE p.well_known = ?)"
        found.append(Condition(sql, (wanted["well_known"].value,)))
    return found


def _equal(wanted: Mapping[str, Any], names: tuple[str, ...]) -> list[Condition]:
    return [Condition(f"t.{name} = ?", (wanted[name],)) for name in names if wanted.get(name) is not None]


def _origin(wanted: Mapping[str, Any]) -> list[Condition]:
    origin = wanted.get("origin")
    if origin is None:
        return []
    return [Condition(f"t.origin_system IS {'NOT ' if origin.value == 'SYNCED' else ''}NULL")]
