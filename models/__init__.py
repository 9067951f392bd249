"""Tables, rows and queries over them, on SQLite and on PostgreSQL."""

from __future__ import annotations

from models import clock, contents, download, idempotency, money, outbox, session, signing_key, text, throttle
from models.access import ApiKey, IdempotencyKey, Session, SigningKey, Throttle
from models.assignment import Assignment
from models.communication import Choice, Communication, Delivery, DeliveryStatus, RecipientField, Suppression
from models.communication_kind import CommunicationKind, Designation, PortalModule
from models.contact import Contact, ContactLevel
from models.contact_method import ContactMethodKind
from models.contact_role import ContactRole, DesignationSource, WellKnownRole
from models.customer import AccountingSystem, Customer, CustomerField, CustomerKind, OriginKind, PaymentResponsibility
from models.database import bind, current
from models.document import Document
from models.engine import Database, connect
from models.fault import Busy, ErrorCode, Fault, Forbidden
from models.location import Location
from models.mailing import CommunicationContent, DeliveryReport, OutboxMessage, PasswordLink
from models.note import Note
from models.portal import PortalReason
from models.preferences import ContactPolicy, PortalAudience, Preferences, PreferenceSource, ReminderWorkflow, Settings
from models.purpose import Purpose, WellKnownPurpose
from models.recipient import RecipientReason, RecipientWarningCode
from models.sales_document import Payment, PaymentMethod, SalesDocument, SalesDocumentKind, SalesDocumentStatus
from models.table import Audited, Row, SubjectType
from models.template import Template
from models.user import BuiltInRole, Permission, User, UserRole

__all__ = [
    "AccountingSystem",
    "ApiKey",
    "Assignment",
    "Audited",
    "BuiltInRole",
    "Busy",
    "Choice",
    "Communication",
    "CommunicationContent",
    "CommunicationKind",
    "Contact",
    "ContactLevel",
    "ContactMethodKind",
    "ContactPolicy",
    "ContactRole",
    "Customer",
    "CustomerField",
    "CustomerKind",
    "Database",
    "Delivery",
    "DeliveryReport",
    "DeliveryStatus",
    "Designation",
    "DesignationSource",
    "Document",
    "ErrorCode",
    "Fault",
    "Forbidden",
    "IdempotencyKey",
    "Location",
    "Note",
    "OriginKind",
    "OutboxMessage",
    "PasswordLink",
    "Payment",
    "PaymentMethod",
    "PaymentResponsibility",
    "Permission",
    "PortalAudience",
    "PortalModule",
    "PortalReason",
    "PreferenceSource",
    "Preferences",
    "Purpose",
    "RecipientField",
    "RecipientReason",
    "RecipientWarningCode",
    "ReminderWorkflow",
    "Row",
    "SalesDocument",
    "SalesDocumentKind",
    "SalesDocumentStatus",
    "Session",
    "Settings",
    "SigningKey",
    "SubjectType",
    "Suppression",
    "Template",
    "Throttle",
    "User",
    "UserRole",
    "WellKnownPurpose",
    "WellKnownRole",
    "bind",
    "connect",
    "current",
]
