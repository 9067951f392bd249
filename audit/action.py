"""What can happen, and under which heading a reader looks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from models.table import Audited, SubjectType


class Category(Enum):
    """The headings of the History view. Values may be added."""

    PROFILE = "profile"
    CONTACT = "contact"
    COMMUNICATION_SETTINGS = "communication-settings"
    COMMUNICATION = "communication"
    NOTE = "note"
    DOCUMENT = "document"
    PAYMENT = "payment"
    ORDER_DESK = "order-desk"
    SETTINGS = "settings"
    ACCESS = "access"


class Action(Enum):
    """What happened. Stored as `contact.updated`, in GraphQL CONTACT_UPDATED. Values may be added."""

    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_UPDATED = "customer.updated"
    CUSTOMER_DELETED = "customer.deleted"
    CUSTOMER_MERGED = "customer.merged"
    LOCATION_CREATED = "location.created"
    LOCATION_UPDATED = "location.updated"
    LOCATION_DELETED = "location.deleted"
    CONTACT_CREATED = "contact.created"
    CONTACT_UPDATED = "contact.updated"
    CONTACT_DELETED = "contact.deleted"
    CONTACT_ROLE_CREATED = "contact_role.created"
    CONTACT_ROLE_UPDATED = "contact_role.updated"
    CONTACT_ROLE_DELETED = "contact_role.deleted"
    CONTACT_ORDER_PASSWORD_FAILED = "contact.order_password_failed"  # noqa: S105 - the name of an action, not a secret
    CONTACT_ORDER_PASSWORD_THROTTLED = "contact.order_password_throttled"  # noqa: S105 - as above
    CONTACT_PASSWORD_LINK_REFUSED = "contact.password_link_refused"  # noqa: S105 - as above
    CONTACT_PASSWORD_LINK_THROTTLED = "contact.password_link_throttled"  # noqa: S105 - as above
    SALES_DOCUMENT_CREATED = "sales_document.created"
    SALES_DOCUMENT_UPDATED = "sales_document.updated"
    SALES_DOCUMENT_DELETED = "sales_document.deleted"
    SALES_DOCUMENT_CONTACT_WAIVED = "sales_document.contact_waived"
    PAYMENT_CREATED = "payment.created"
    PAYMENT_UPDATED = "payment.updated"
    PAYMENT_DELETED = "payment.deleted"
    NOTE_CREATED = "note.created"
    NOTE_UPDATED = "note.updated"
    NOTE_DELETED = "note.deleted"
    REMINDER_WORKFLOW_CREATED = "reminder_workflow.created"
    REMINDER_WORKFLOW_UPDATED = "reminder_workflow.updated"
    REMINDER_WORKFLOW_DELETED = "reminder_workflow.deleted"
    SETTINGS_CREATED = "settings.created"
    SETTINGS_UPDATED = "settings.updated"
    SETTINGS_DELETED = "settings.deleted"
    PREFERENCES_CREATED = "preferences.created"
    PREFERENCES_UPDATED = "preferences.updated"
    PREFERENCES_DELETED = "preferences.deleted"
    DOCUMENT_CREATED = "document.created"
    DOCUMENT_UPDATED = "document.updated"
    DOCUMENT_DELETED = "document.deleted"
    PURPOSE_CREATED = "purpose.created"
    PURPOSE_UPDATED = "purpose.updated"
    PURPOSE_DELETED = "purpose.deleted"
    ASSIGNMENT_CREATED = "assignment.created"
    ASSIGNMENT_UPDATED = "assignment.updated"
    ASSIGNMENT_DELETED = "assignment.deleted"
    TEMPLATE_CREATED = "template.created"
    TEMPLATE_UPDATED = "template.updated"
    TEMPLATE_DELETED = "template.deleted"
    COMMUNICATION_CREATED = "communication.created"
    COMMUNICATION_UPDATED = "communication.updated"
    COMMUNICATION_DELETED = "communication.deleted"
    DELIVERY_CREATED = "delivery.created"
    DELIVERY_UPDATED = "delivery.updated"
    DELIVERY_DELETED = "delivery.deleted"
    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_DELETED = "user.deleted"
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
    USER_SIGN_IN_FAILED = "user.sign_in_failed"
    USER_SIGN_IN_THROTTLED = "user.sign_in_throttled"
    USER_SESSIONS_REVOKED = "user.sessions_revoked"
    USER_PERMISSION_REFUSED = "user.permission_refused"
    USER_ROLE_CREATED = "user_role.created"
    USER_ROLE_UPDATED = "user_role.updated"
    USER_ROLE_DELETED = "user_role.deleted"
    API_KEY_CREATED = "api_key.created"
    API_KEY_UPDATED = "api_key.updated"
    API_KEY_DELETED = "api_key.deleted"
    API_KEY_PERMISSION_REFUSED = "api_key.permission_refused"


_CATEGORIES = {
    SubjectType.CUSTOMER: Category.PROFILE,
    SubjectType.LOCATION: Category.PROFILE,
    SubjectType.CONTACT: Category.CONTACT,
    SubjectType.CONTACT_ROLE: Category.COMMUNICATION_SETTINGS,
    SubjectType.SALES_DOCUMENT: Category.ORDER_DESK,
    SubjectType.PAYMENT: Category.ORDER_DESK,
    SubjectType.NOTE: Category.NOTE,
    SubjectType.REMINDER_WORKFLOW: Category.SETTINGS,
    SubjectType.SETTINGS: Category.SETTINGS,
    SubjectType.PREFERENCES: Category.SETTINGS,
    SubjectType.DOCUMENT: Category.DOCUMENT,
    SubjectType.PURPOSE: Category.SETTINGS,
    SubjectType.ASSIGNMENT: Category.CONTACT,
    SubjectType.TEMPLATE: Category.COMMUNICATION_SETTINGS,
    SubjectType.COMMUNICATION: Category.COMMUNICATION,
    SubjectType.DELIVERY: Category.COMMUNICATION,
    SubjectType.USER: Category.ACCESS,
    SubjectType.USER_ROLE: Category.ACCESS,
    SubjectType.API_KEY: Category.ACCESS,
}


# Changes of these columns and of none with another heading stand under theirs.
_COLUMNS: Mapping[SubjectType, Mapping[str, Category]] = {
    SubjectType.PREFERENCES: {
        "reminder_workflow_id": Category.COMMUNICATION_SETTINGS,
        "reminders": Category.COMMUNICATION_SETTINGS,
        "monthly_statement": Category.COMMUNICATION_SETTINGS,
        "online_payments": Category.PAYMENT,
        "card": Category.PAYMENT,
        "ach": Category.PAYMENT,
        "customer_portal": Category.SETTINGS,
        "contact_policy": Category.SETTINGS,
    },
}


def category_of(subject: SubjectType, changed: Iterable[str] = ()) -> Category:
    """The heading under which an event about this kind of subject stands, when these columns changed."""
    headings = _COLUMNS.get(subject, {})
    found = {headings[name] for name in changed if name in headings}
    return found.pop() if len(found) == 1 else _CATEGORIES[subject]


# What changes a row, beside its beginning and its end.
CHANGING = ("updated", "merged")


def action_of(table: type[Audited], verb: str) -> Action:
    """The action of a change to a row: `verb` is created, deleted or one of CHANGING."""
    return Action(f"{table.subject.value}.{verb}")


def is_change(action: Any) -> bool:
    """Whether events with this stored action change the row of their subject."""
    return str(action).rpartition(".")[2] in ("created", *CHANGING, "deleted")
