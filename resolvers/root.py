"""The root types: every query, every mutation and every subscription."""

from __future__ import annotations

import strawberry

from resolvers.communications import CommunicationQuery
from resolvers.contact_passwords import ContactPasswordMutation
from resolvers.contact_roles import ContactRoleMutation, ContactRoleQuery
from resolvers.contacts import ContactMutation, ContactQuery
from resolvers.customers import CustomerMutation, CustomerQuery
from resolvers.documents import DocumentMutation, DocumentQuery
from resolvers.feed import HistorySubscription
from resolvers.history import HistoryQuery
from resolvers.nodes import NodeQuery
from resolvers.notes import NoteMutation, NoteQuery
from resolvers.preferences import PreferenceMutation, PreferenceQuery
from resolvers.purposes import PurposeMutation, PurposeQuery
from resolvers.recipients import RecipientQuery
from resolvers.reminders import ReminderQuery
from resolvers.sales_documents import SalesDocumentMutation, SalesDocumentQuery
from resolvers.sending import SendingMutation, SendingQuery
from resolvers.templates import TemplateMutation, TemplateQuery
from resolvers.users import UserMutation, UserQuery
from resolvers.viewer import ViewerMutation, ViewerQuery


@strawberry.type(description="What can be read.")
class Query(
    ViewerQuery,
    NodeQuery,
    CustomerQuery,
    ContactQuery,
    ContactRoleQuery,
    SalesDocumentQuery,
    PurposeQuery,
    NoteQuery,
    PreferenceQuery,
    RecipientQuery,
    ReminderQuery,
    DocumentQuery,
    CommunicationQuery,
    SendingQuery,
    TemplateQuery,
    HistoryQuery,
    UserQuery,
):
    """What can be read."""


@strawberry.type(description="What can be changed. Each leaves its events in history.")
class Mutation(
    ViewerMutation,
    CustomerMutation,
    ContactMutation,
    ContactPasswordMutation,
    ContactRoleMutation,
    SalesDocumentMutation,
    PurposeMutation,
    NoteMutation,
    PreferenceMutation,
    DocumentMutation,
    SendingMutation,
    TemplateMutation,
    UserMutation,
):
    """What can be changed."""


@strawberry.type(description="What can be followed as it happens.")
class Subscription(HistorySubscription):
    """What can be followed."""
