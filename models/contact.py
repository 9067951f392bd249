"""Contacts: the people at a customer or at one of its locations."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Integer, Text, Timestamptz

from models import switch, text
from models.contact_method import preferred
from models.contact_role import ContactRole
from models.customer import Customer
from models.location import Location
from models.table import Audited, Json, Row, SubjectType, reference

_PROBLEM = {"address", "at", "reply", "delivery_id"}


class ContactLevel(Enum):
    """Whether a contact is at the customer as a whole or at one of its locations."""

    CUSTOMER = "CUSTOMER"
    LOCATION = "LOCATION"


def full_name(row: Mapping[str, Any]) -> str:
    """First and last name, or the empty string."""
    return " ".join(part for part in (row["first_name"], row["last_name"]) if part)


class Contact(Audited, tablename="contact"):
    """A person; with `location_id` a location contact, without it a customer contact.

    `order_password_set_by` is who set the order password, as events name them: kind, id and name.
    Contacts with the same `person_id` are one person, linked by hand. It names nothing but them.
    `notifications` (kind of email → bool) and `portal_permissions` (module → bool) hold what differs from the settings.
    `email_problem` is {address, at, reply, delivery_id} while the address is known to bounce. `password_hash` is that
    of the portal.
    """

    prefix = "con"
    subject = SubjectType.CONTACT
    secret = frozenset({"order_password_hash", "password_hash"})
    unread = frozenset({"search_key"})
    derived = frozenset({"email", "email_key", "phone", "name_key", "search_key"})
    texts = {
        "notifications": switch.own_text,
        "portal_permissions": switch.own_text,
        "email_problem": lambda problem: str(problem["address"]),
    }

    customer_id = reference(Customer, null=False)
    location_id = reference(Location, null=True)
    role_id = reference(ContactRole, null=True)
    first_name = Text(null=True)
    last_name = Text(null=True)
    title = Text(null=True)
    priority = Integer(null=True)
    primary = Boolean()
    methods = Json()
    email = Text(null=True)
    email_key = Text()
    phone = Text(null=True)
    preferred_method = Text(null=True)
    address = Json(null=True)
    active = Boolean()
    origin_system = Text(null=True)
    origin_external_id = Text(null=True)
    name_key = Text()
    search_key = Text()
    order_password_hash = Text(null=True)
    order_password_set_at = Timestamptz(null=True)
    order_password_set_by = Json(null=True)
    person_id = Text(null=True)
    notifications = Json(null=True)
    portal_permissions = Json(null=True)
    email_problem = Json(null=True)
    password_hash = Text(null=True)
    password_set_at = Timestamptz(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """Sort and search keys (last name first), and the preferred email and phone.

        ValueError for switches, permissions and problems that nobody could read.
        """
        switch.check_contact(row)
        _check_problem(row["email_problem"])
        values = [method["value"] for method in row["methods"]]
        email = preferred(row["methods"], "EMAIL")
        names = [part for part in (row["last_name"], row["first_name"]) if part]
        return {
            "email": email,
            "email_key": text.key(email or ""),
            "phone": preferred(row["methods"], "PHONE"),
            "name_key": text.key(" ".join(names) or email or ""),
            "search_key": text.search_key([full_name(row), row["title"], row["origin_external_id"], *values]),
        }

    @staticmethod
    def entailed(row: Mapping[str, Any]) -> Row:
        """A problem with an address is gone when the contact prefers another one."""
        problem = row["email_problem"]
        kept = problem is None or text.key(problem["address"]) == text.key(preferred(row["methods"], "EMAIL") or "")
        return {} if kept else {"email_problem": None}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """The name; without one the first contact method."""
        methods = row["methods"]
        return full_name(row) or (methods[0]["value"] if methods else "a contact without a name")

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer at whom the contact is."""
        return str(row["customer_id"])


def _check_problem(problem: Any) -> None:
    if problem is not None and not (isinstance(problem, dict) and problem.keys() == _PROBLEM):
        raise ValueError(f"email_problem is {problem!r}")
