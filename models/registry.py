"""Which tables are audited and which are operational. There is no third kind."""

from __future__ import annotations

from collections.abc import Mapping

from piccolo.table import Table

from models.access import ApiKey, IdempotencyKey, Session, SigningKey, Throttle
from models.assignment import Assignment
from models.communication import Communication, Delivery
from models.contact import Contact
from models.contact_role import ContactRole
from models.customer import Customer
from models.document import Document
from models.location import Location
from models.mailing import CommunicationContent, DeliveryReport, OutboxMessage, PasswordLink
from models.note import Note
from models.preferences import Preferences, ReminderWorkflow, Settings
from models.purpose import Purpose
from models.sales_document import Payment, SalesDocument
from models.table import Audited
from models.template import Template
from models.user import User, UserRole

# In the order of their foreign keys: a table stands after those that it points to.
AUDITED: tuple[type[Audited], ...] = (
    UserRole,
    User,
    ApiKey,
    ContactRole,
    ReminderWorkflow,
    Settings,
    Purpose,
    Customer,
    Location,
    Contact,
    SalesDocument,
    Payment,
    Note,
    Preferences,
    Document,
    Assignment,
    Template,
    Communication,
    Delivery,
)

# In the order in which rows are locked: the settings before the workflow that they name.
LOCKED: tuple[type[Audited], ...] = (Settings, *(table for table in AUDITED if table is not Settings))

OPERATIONAL: Mapping[type[Table], str] = {
    Session: "Who is signed in now. Signing in and out are events; the last use changes with every minute.",
    Throttle: "Counters of failures. Each failure and each wait is an event.",
    IdempotencyKey: "What a repeated request is answered with, for 24 hours.",
    SigningKey: "Random bits that sign the addresses of downloads for minutes; they say nothing about anybody.",
    OutboxMessage: "Which messages wait for a mail server, and who attempts them now. All outcomes are events.",
    CommunicationContent: "Which bytes communications attach: an index over their attachments, for the sweep.",
    PasswordLink: "Digests of links that work for 48 hours. Sending one and using it are events.",
    DeliveryReport: "Which reports were taken in, so that a repeat changes nothing. What they say is in events.",
}

BY_PREFIX: Mapping[str, type[Audited]] = {table.prefix: table for table in AUDITED}
BY_SUBJECT: Mapping[str, type[Audited]] = {table.subject.value: table for table in AUDITED}
