"""Kinds of email: which designation brings them, which switch, and where the portal shows what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class CommunicationKind(Enum):
    """What an email is about. Values may be added."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    ESTIMATE = "ESTIMATE"
    REMINDER = "REMINDER"
    WORKFLOW_REMINDER = "WORKFLOW_REMINDER"
    STATEMENT = "STATEMENT"
    TICKET = "TICKET"
    PROJECT = "PROJECT"
    CONTRACT = "CONTRACT"
    TASK = "TASK"
    WELCOME = "WELCOME"
    SET_PASSWORD = "SET_PASSWORD"  # noqa: S105 - the name of a kind, not a secret


class Designation(Enum):
    """What a contact role designates its holders for; the value is the column of the role."""

    INVOICE_PRESENTMENT = "invoice_presentment"
    COMMUNICATION = "communication"


class PortalModule(Enum):
    """What a contact can be permitted to see in the portal. Values may be added."""

    INVOICES = "INVOICES"
    ESTIMATES = "ESTIMATES"
    CONTRACTS = "CONTRACTS"
    PROPOSALS = "PROPOSALS"
    SUPPORT = "SUPPORT"
    PROJECTS = "PROJECTS"


_K = CommunicationKind

# The emails that recipients are resolved for. The others (welcome, set password) go to the one whom they are about.
DESIGNATION: Mapping[CommunicationKind, Designation] = {
    _K.INVOICE: Designation.INVOICE_PRESENTMENT,
    _K.CREDIT_NOTE: Designation.INVOICE_PRESENTMENT,
    _K.ESTIMATE: Designation.INVOICE_PRESENTMENT,
    _K.REMINDER: Designation.COMMUNICATION,
    _K.WORKFLOW_REMINDER: Designation.COMMUNICATION,
    _K.STATEMENT: Designation.COMMUNICATION,
    _K.TICKET: Designation.COMMUNICATION,
    _K.PROJECT: Designation.COMMUNICATION,
    _K.CONTRACT: Designation.COMMUNICATION,
    _K.TASK: Designation.COMMUNICATION,
}

# The emails that tell of sales documents, whichever they are about.
SALES = frozenset({_K.INVOICE, _K.CREDIT_NOTE, _K.ESTIMATE, _K.REMINDER, _K.WORKFLOW_REMINDER, _K.STATEMENT})

# The emails that a contact has a notification switch for.
SWITCHED = (_K.INVOICE, _K.CREDIT_NOTE, _K.ESTIMATE, _K.TICKET, _K.PROJECT, _K.CONTRACT, _K.TASK)

# Where in the portal a contact sees what the email is about; the others have no place there.
MODULE: Mapping[CommunicationKind, PortalModule] = {
    _K.INVOICE: PortalModule.INVOICES,
    _K.CREDIT_NOTE: PortalModule.INVOICES,
    _K.REMINDER: PortalModule.INVOICES,
    _K.WORKFLOW_REMINDER: PortalModule.INVOICES,
    _K.STATEMENT: PortalModule.INVOICES,
    _K.ESTIMATE: PortalModule.ESTIMATES,
    _K.TICKET: PortalModule.SUPPORT,
    _K.PROJECT: PortalModule.PROJECTS,
    _K.TASK: PortalModule.PROJECTS,
    _K.CONTRACT: PortalModule.CONTRACTS,
}
