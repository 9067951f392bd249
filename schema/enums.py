"""The enums of the lower layers as the API describes them. They are registered here, before any type names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

import strawberry

from audit import Action, ActorKind, Category
from audit.history import Withheld
from audit.sentence import subject_name
from models import (
    AccountingSystem,
    BuiltInRole,
    Choice,
    CommunicationKind,
    ContactLevel,
    ContactMethodKind,
    ContactPolicy,
    CustomerField,
    CustomerKind,
    DeliveryStatus,
    DesignationSource,
    ErrorCode,
    OriginKind,
    PaymentMethod,
    PaymentResponsibility,
    Permission,
    PortalAudience,
    PortalModule,
    PortalReason,
    PreferenceSource,
    RecipientField,
    RecipientReason,
    RecipientWarningCode,
    SalesDocumentKind,
    SalesDocumentStatus,
    SubjectType,
    Suppression,
    WellKnownPurpose,
    WellKnownRole,
)
from models.duplicates import DuplicateReason
from models.statement import StatementLineKind


def _register(
    enum: type[Enum], description: str, values: Mapping[str, str] | Callable[[Enum], str], name: str | None = None
) -> None:
    registered = strawberry.enum(enum, name=name, description=description)
    for value in registered.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name] if isinstance(values, Mapping) else values(enum[value.name])


def descriptions(enum: type[Enum]) -> dict[str, str]:
    """Name → description of each value of an enum of the API."""
    values = enum.__strawberry_definition__.values  # type: ignore[attr-defined]
    return {value.name: value.description for value in values}


def _happened(action: Enum) -> str:
    subject, _, verb = str(action.value).partition(".")
    return f"{_with_article(subject)}: {verb.replace('_', ' ')}."


def _with_article(subject: str) -> str:
    name = subject_name(subject)
    if name.endswith("s"):
        return name.capitalize()
    return f"An {name}" if name[0] in "aeioA" else f"A {name}"


_register(
    ActorKind,
    "What kind of actor did something.",
    {
        "USER": "Somebody who signs in here.",
        "CONTACT": "A customer's contact.",
        "ACCOUNTING": "An accounting system, by a sync or an import.",
        "SYSTEM": "The product itself, or a machine with an API key.",
        "DATABASE": "Somebody with direct access to the database; the change was found later.",
    },
)
_register(SubjectType, "What an event is about. Values may be added.", lambda item: f"{_with_article(item.value)}.")
_register(Action, "What happened. Values may be added.", _happened, "EventAction")
_register(
    Category,
    "The headings of the History view. Values may be added.",
    {
        "PROFILE": "Customers and their locations.",
        "CONTACT": "Contacts.",
        "COMMUNICATION_SETTINGS": "Contact roles and what they designate; templates; a customer's reminders and"
        " statements.",
        "COMMUNICATION": "Emails, and what became of them.",
        "NOTE": "Notes.",
        "DOCUMENT": "Documents.",
        "PAYMENT": "How a customer may pay.",
        "ORDER_DESK": "Quotes, orders, invoices, and what the order desk does with them.",
        "SETTINGS": "What holds for all customers, and what a customer has instead.",
        "ACCESS": "Users, their roles, API keys, sign-ins and refusals.",
    },
    "EventCategory",
)
_register(
    Withheld,
    "Why a change shows no values although there were some. Values may be added.",
    {
        "SECRET": "It is a secret, such as a password.",
        "ERASED": "It was personal data that has been erased.",
        "PERMISSION": "You may not see such values today.",
    },
)
_register(
    ErrorCode,
    "Why nothing changed. Values may be added.",
    {
        "INVALID": "A value cannot be accepted; `field` says which.",
        "NOT_FOUND": "What an ID names does not exist.",
        "CONFLICT": "It was changed in the meantime; `currentRevision` is its revision now.",
        "TAKEN": "It must be unique and exists already.",
        "LIMIT_REACHED": "There are as many as there can be.",
        "IN_USE": "Others refer to it.",
        "READ_ONLY": "It cannot be changed here.",
        "PRIMARY_REQUIRED": "A customer with active contacts needs a primary one.",
        "SUCCESSOR_REQUIRED": "Name who becomes primary.",
        "LAST_ADMINISTRATOR": "One active administrator must stay.",
        "CONTACT_REQUIRED": "The sales document needs a valid contact first.",
        "ACKNOWLEDGEMENT_REQUIRED": "A warning: the same input with `acknowledge: true` goes through.",
        "WRONG_STATUS": "The status of the sales document, or of the email, does not allow it.",
        "NO_RECIPIENT": "By the rules nobody gets this email; the message says why of each contact.",
        "BAD_CREDENTIALS": "A password is wrong, or the email that came with it; or a link does not work.",
        "THROTTLED": "Too many failures: wait `retryAfter` seconds.",
        "IDEMPOTENCY_MISMATCH": "The Idempotency-Key belongs to another request.",
    },
)
_register(
    Permission,
    "One thing that a user or an API key may do. Values may be added.",
    {
        "CUSTOMERS_READ": "Read customers, locations, contacts, their roles, and what they are assigned for.",
        "CUSTOMERS_WRITE": "Maintain customers, their preferences and their locations; set order passwords.",
        "CUSTOMERS_MERGE": "Merge two customers into one.",
        "CONTACTS_WRITE": "Maintain customer contacts and location contacts.",
        "LOCATION_CONTACTS_WRITE": "Maintain location contacts only.",
        "CONTACT_ROLES_WRITE": "Maintain contact roles and their designations.",
        "NOTES_READ": "Read notes.",
        "NOTES_WRITE": "Write, change, pin and delete notes.",
        "DOCUMENTS_READ": "List and download documents.",
        "DOCUMENTS_WRITE": "Upload, rename and delete documents.",
        "SALES_DOCUMENTS_READ": "Read quotes, orders and invoices, with what happened to them.",
        "SALES_DOCUMENTS_WRITE": "Maintain quotes, orders and invoices: apply contacts, release and post.",
        "PAYMENTS_WRITE": "Record payments.",
        "COMMUNICATIONS_READ": "Read templates, and what was sent to whom.",
        "COMMUNICATIONS_SEND": "Send emails.",
        "SETTINGS_WRITE": "Change what holds for all customers: settings, reminder workflows, purposes.",
        "HISTORY_READ": "Read the History view of customers and contacts.",
        "AUDIT_READ": "Read the whole history.",
        "USERS_READ": "Read users, user roles and API keys.",
        "USERS_WRITE": "Maintain users and user roles.",
        "API_KEYS_WRITE": "Make and revoke API keys.",
    },
)
_register(
    CommunicationKind,
    "What an email is about. Values may be added.",
    {
        "INVOICE": "An invoice, to those designated for invoice presentment.",
        "CREDIT_NOTE": "A credit note, to those designated for invoice presentment.",
        "ESTIMATE": "An estimate or quote, to those designated for invoice presentment.",
        "REMINDER": "A reminder that somebody sends, to those designated for communication.",
        "WORKFLOW_REMINDER": "A reminder that a reminder workflow sends, to those designated for communication.",
        "STATEMENT": "A statement of account, to those designated for communication.",
        "TICKET": "A support ticket, to those designated for communication.",
        "PROJECT": "A project, to those designated for communication.",
        "CONTRACT": "A contract, to those designated for communication.",
        "TASK": "A task, to those designated for communication.",
        "WELCOME": "The welcome to a new contact, with a link to set a password.",
        "SET_PASSWORD": "A link with which a contact sets a new password.",
    },
)
_register(
    RecipientReason,
    "Why a contact gets an email of some kind, or does not. Values may be added.",
    {
        "DESIGNATED": "For: the contact's role is designated for such emails.",
        "SWITCHED_ON": "For: the contact's notification switch for them is on.",
        "NO_ROLE": "Against: the contact has no role.",
        "NOT_DESIGNATED": "Against: the contact's role is not designated for them.",
        "SWITCHED_OFF": "Against: the contact's notification switch for them is off.",
        "CUSTOMER_INACTIVE": "Against: the customer is inactive.",
        "INACTIVE": "Against: the contact is inactive.",
        "OTHER_LOCATION": "Against: the contact belongs to another location than the sales document.",
        "NO_EMAIL": "Against: the contact has no email address.",
        "EMAIL_PROBLEM": "Against: the contact's email address bounces.",
        "ABOUT_THE_CONTACT": "For: the email is about the contact, whatever their role.",
    },
)
_register(
    DeliveryStatus,
    "What became of one recipient's email. Values may be added.",
    {
        "QUEUED": "It waits for its first attempt.",
        "UNKNOWN": "An attempt broke off and may have succeeded: there will be another, with the same Message-ID.",
        "DEFERRED": "A mail server could not take it yet; there will be another attempt.",
        "SENT": "The mail server took it.",
        "DELIVERED": "The recipient's mail server reported that it took it.",
        "BOUNCED": "It came back.",
        "FAILED": "The mail server refused it, or there was no success within 48 hours.",
        "SUPPRESSED": "It was not to be sent.",
    },
)
_register(
    Suppression,
    "Why a communication was not sent to anybody. Values may be added.",
    {
        "TEMPLATE_DISABLED": "Its template is disabled.",
        "NO_RECIPIENT": "Nobody was to get it.",
        "NO_PORTAL_ADDRESS": "Nobody has said where the portal is, so its link would lead nowhere"
        " (COUNTERFOIL_PORTAL_URL).",
    },
)
_register(
    RecipientField,
    "Under which heading of a message a recipient stands.",
    {"TO": "To.", "CC": "Cc."},
)
_register(
    Choice,
    "Who chose a recipient.",
    {"RULE": "The rules: role, switches, address.", "MANUAL": "Whoever sent it, whatever the rules say."},
)
_register(
    PortalModule,
    "What a contact can be permitted to see in the portal. Values may be added.",
    {
        "INVOICES": "Invoices, credit notes and statements.",
        "ESTIMATES": "Estimates and quotes.",
        "CONTRACTS": "Contracts.",
        "PROPOSALS": "Proposals.",
        "SUPPORT": "Support tickets.",
        "PROJECTS": "Projects and tasks.",
    },
)
_register(
    PortalAudience,
    "Which contacts the portal is for. Values may be added.",
    {"ALL_CONTACTS": "All of them.", "COMMUNICATION_CONTACTS": "Those whose role is designated for communication."},
)
_register(
    PortalReason,
    "Why a contact may use the customer portal, or may not. Values may be added.",
    {
        "ALL_CONTACTS": "For: the portal is for all contacts.",
        "COMMUNICATION_CONTACT": "For: the portal is for communication contacts, and the contact is one.",
        "NO_COMMUNICATION_CONTACT": "Against: the portal is for communication contacts, and the contact is none.",
        "PORTAL_OFF": "Against: the portal is off for the customer.",
        "ONLINE_PAYMENTS_DISABLED": "Against: the customer cannot pay online today.",
        "CUSTOMER_INACTIVE": "Against: the customer is inactive.",
        "INACTIVE": "Against: the contact is inactive.",
        "NO_EMAIL": "Against: the contact has no email address to log in with.",
    },
)
_register(
    RecipientWarningCode,
    "Why nobody gets an email. Values may be added.",
    {
        "CUSTOMER_INACTIVE": "The customer is inactive.",
        "NO_CONTACT": "The customer has no contacts.",
        "SOLE_CONTACT_SWITCHED_OFF": "The only contact that would get it has the notification switched off.",
        "NO_RECIPIENT": "Something speaks against each contact.",
    },
)
_register(
    SalesDocumentKind,
    "What a sales document is.",
    {
        "QUOTE": "An offer. It is not to be paid.",
        "ORDER": "What a customer orders. Once released it receives payments.",
        "INVOICE": "What a customer owes. Once posted it receives payments.",
    },
)
_register(
    SalesDocumentStatus,
    "How far a sales document has come. A quote goes from DRAFT to RELEASED; an order from DRAFT by RELEASED to "
    "POSTED; an invoice from DRAFT by POSTED to PAID. Each becomes VOID from any of its statuses, while it has no "
    "payments. Values may be added.",
    {
        "DRAFT": "In work: all of it may change, and it can be deleted.",
        "RELEASED": "A quote that was sent, an order to be delivered: only its due date and its contact change.",
        "POSTED": "An order or an invoice in the books: only its due date and its contact change.",
        "PAID": "A posted invoice without balance. When a payment is deleted it is POSTED again.",
        "VOID": "It does not count any more; its balance is 0 and nothing changes.",
    },
)
_register(
    PaymentMethod,
    "How a payment arrived. Values may be added.",
    {
        "CARD": "By credit or debit card.",
        "ACH": "By the Automated Clearing House.",
        "CHECK": "By check.",
        "CASH": "In cash.",
        "TRANSFER": "By bank transfer.",
        "OTHER": "Otherwise.",
    },
)
_register(
    CustomerKind,
    "Whether a customer is a company or an individual.",
    {"COMPANY": "A company.", "PERSON": "An individual."},
)
_register(
    StatementLineKind,
    "What a line of a statement tells. Values may be added.",
    {"INVOICE": "An invoice was issued.", "PAYMENT": "A payment for an invoice arrived."},
)
_register(
    CustomerField,
    "What a customer can take over from another one that is merged into it. Values may be added.",
    {
        "NAME": "The name.",
        "KIND": "Company or individual.",
        "WEBSITE": "The web address.",
        "BILLING_ADDRESS": "The billing address.",
        "SHIPPING_ADDRESS": "The shipping address.",
        "TAX_ID": "The tax ID.",
        "PAYMENT_TERMS": "The payment terms.",
        "CURRENCY": "The preferred currency.",
        "PARENT": "The parent customer, with the payment responsibility.",
        "PREFERENCES": "All of its preferences, in place of those of the survivor.",
    },
)
_register(
    DuplicateReason,
    "Why two customers may be the same. Values may be added.",
    {
        "SAME_EMAIL": "The same preferred email address, case ignored.",
        "SAME_PHONE": "The same preferred phone number, or mobile number where there is no other.",
        "SAME_TAX_ID": "The same tax ID, whatever stands between its letters and digits.",
        "SIMILAR_NAME": "A similar name in the same city: case, accents, punctuation, legal forms and order ignored.",
    },
)
_register(
    ContactLevel,
    "Whether a contact is at the customer as a whole or at one of its locations.",
    {"CUSTOMER": "At the customer as a whole.", "LOCATION": "At one of its locations."},
)
_register(
    OriginKind,
    "Where something comes from.",
    {"LOCAL": "Made here; it never goes to the accounting system.", "SYNCED": "Delivered by an accounting system."},
)
_register(
    PaymentResponsibility,
    "Who pays for a customer. What its parents say for themselves does not count.",
    {
        "BUYER": "The customer itself.",
        "IMMEDIATE_PARENT": "Its parent; the customer itself while it has none.",
        "TOP_LEVEL_PARENT": "The customer at the top of the tree.",
    },
)
_register(
    ContactPolicy,
    "Whether the order desk needs a customer's contact. Values may be added.",
    {
        "NOT_REQUIRED": "It does not.",
        "REQUIRED": "To release an order; to post or to receive a payment without one is warned of.",
        "REQUIRED_WITH_PASSWORD": "Always, and to apply one needs the contact's order password.",
    },
)
_register(
    PreferenceSource,
    "Where the effective value of a preference comes from. Values may be added.",
    {
        "CONTACT": "The contact's own value.",
        "CUSTOMER": "The customer's own value.",
        "GLOBAL": "The settings, for lack of one.",
    },
)
_register(
    ContactMethodKind,
    "What kind of address or number a contact method is. Values may be added.",
    {
        "EMAIL": "An email address.",
        "PHONE": "A phone number.",
        "MOBILE": "A mobile phone number.",
        "FAX": "A fax number.",
        "OTHER": "Something else, kept as text.",
    },
)
_register(
    AccountingSystem,
    "An accounting system that customers and contacts sync from.",
    {
        "QUICKBOOKS_ONLINE": "QuickBooks Online.",
        "QUICKBOOKS_DESKTOP": "QuickBooks Desktop.",
        "NETSUITE": "NetSuite.",
    },
)
_register(
    WellKnownRole,
    "Contact roles that exist from the start. Values may be added.",
    {
        "COMPANY_CONTACT": "The contact that accounting systems keep with a customer.",
        "PRIMARY_CONTACT": "NetSuite's primary contact.",
    },
)
_register(
    WellKnownPurpose,
    "Purposes that exist from the start. Values may be added.",
    {
        "SERVICE_REQUEST_CALLER": "Who calls about a service request.",
        "JOB_PROJECT_MANAGER": "The customer's project manager on a job.",
        "ACCOUNTS_PAYABLE_CONTACT": "The main accounts payable contact: who is called about unpaid invoices.",
    },
)
_register(
    DesignationSource,
    "Who decided a role's designations last. Values may be added.",
    {
        "DEFAULT": "Nobody yet.",
        "ACCOUNTING": "The first sync of an accounting system.",
        "USER": "A user; no sync overwrites that.",
    },
)
_register(
    BuiltInRole,
    "User roles that exist from the start. Values may be added.",
    {
        "ADMINISTRATOR": "May do everything.",
        "AR_MANAGER": "Maintains everything about customers, and the settings; no users.",
        "AR_CLERK": "Maintains contacts, notes and documents, and records payments.",
        "LOCATION_CONTACT_EDITOR": "Maintains location contacts only.",
        "ORDER_DESK": "Maintains quotes, orders, invoices, their payments and notes.",
        "AUDITOR": "Reads everything, changes nothing.",
    },
)
