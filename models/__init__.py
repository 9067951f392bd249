"""Tables, rows and queries over them, on SQLite and on PostgreSQL."""

from __future__ import annotations

from models import clock, idempotency, session, text, throttle
from models.access import ApiKey, IdempotencyKey, Session, Throttle
from models.contact import Contact, ContactLevel
from models.contact_method import ContactMethodKind
from models.contact_role import ContactRole, DesignationSource, WellKnownRole
from models.customer import AccountingSystem, Customer, CustomerField, CustomerKind, OriginKind, PaymentResponsibility
from models.database import bind, current
from models.engine import Database, connect
from models.fault import Busy, ErrorCode, Fault, Forbidden
from models.location import Location
from models.note import Note
from models.preferences import ContactPolicy, Preferences, PreferenceSource, ReminderWorkflow, Settings
from models.table import Audited, Row, SubjectType
from models.user import BuiltInRole, Permission, User, UserRole

__all__ = [
    "AccountingSystem",
    "ApiKey",
    "Audited",
    "BuiltInRole",
    "Busy",
    "Contact",
    "ContactLevel",
    "ContactMethodKind",
    "ContactPolicy",
    "ContactRole",
    "Customer",
    "CustomerField",
    "CustomerKind",
    "Database",
    "DesignationSource",
    "ErrorCode",
    "Fault",
    "Forbidden",
    "IdempotencyKey",
    "Location",
    "Note",
    "OriginKind",
    "PaymentResponsibility",
    "Permission",
    "PreferenceSource",
    "Preferences",
    "ReminderWorkflow",
    "Row",
    "Session",
    "Settings",
    "SubjectType",
    "Throttle",
    "User",
    "UserRole",
    "WellKnownRole",
    "bind",
    "connect",
    "current",
]
