"""Users, their roles and the permissions that roles are made of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Text

from models import text
from models.table import Audited, Json, Row, SubjectType, reference


class Permission(Enum):
    """One thing that a user or an API key may do. Values may be added."""

    CUSTOMERS_READ = "CUSTOMERS_READ"
    CUSTOMERS_WRITE = "CUSTOMERS_WRITE"
    CUSTOMERS_MERGE = "CUSTOMERS_MERGE"
    CONTACTS_WRITE = "CONTACTS_WRITE"
    LOCATION_CONTACTS_WRITE = "LOCATION_CONTACTS_WRITE"
    CONTACT_ROLES_WRITE = "CONTACT_ROLES_WRITE"
    NOTES_READ = "NOTES_READ"
    NOTES_WRITE = "NOTES_WRITE"
    DOCUMENTS_READ = "DOCUMENTS_READ"
    DOCUMENTS_WRITE = "DOCUMENTS_WRITE"
    SALES_DOCUMENTS_READ = "SALES_DOCUMENTS_READ"
    SALES_DOCUMENTS_WRITE = "SALES_DOCUMENTS_WRITE"
    PAYMENTS_WRITE = "PAYMENTS_WRITE"
    COMMUNICATIONS_READ = "COMMUNICATIONS_READ"
    COMMUNICATIONS_SEND = "COMMUNICATIONS_SEND"
    SETTINGS_WRITE = "SETTINGS_WRITE"
    HISTORY_READ = "HISTORY_READ"
    AUDIT_READ = "AUDIT_READ"
    USERS_READ = "USERS_READ"
    USERS_WRITE = "USERS_WRITE"
    API_KEYS_WRITE = "API_KEYS_WRITE"


class BuiltInRole(Enum):
    """User roles that exist from the start and cannot be deleted."""

    ADMINISTRATOR = "ADMINISTRATOR"
    AR_MANAGER = "AR_MANAGER"
    AR_CLERK = "AR_CLERK"
    LOCATION_CONTACT_EDITOR = "LOCATION_CONTACT_EDITOR"
    ORDER_DESK = "ORDER_DESK"
    AUDITOR = "AUDITOR"


class UserRole(Audited, tablename="user_role"):
    """A named set of permissions."""

    prefix = "uro"
    subject = SubjectType.USER_ROLE
    derived = frozenset({"name_key"})
    taken = {"name_key": ("name", "Another user role has this name.")}

    name = Text()
    name_key = Text()
    built_in = Text(null=True)
    permissions = Json()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the name unique."""
        return {"name_key": text.key(row["name"])}


class User(Audited, tablename="users"):
    """Somebody who signs in. A user without a role may sign in and see only themself."""

    prefix = "usr"
    subject = SubjectType.USER
    derived = frozenset({"name_key", "email_key"})
    taken = {"email_key": ("email", "Another user has this email address.")}
    secret = frozenset({"password_hash"})

    name = Text()
    name_key = Text()
    email = Text()
    email_key = Text()
    password_hash = Text(null=True)
    role_id = reference(UserRole, null=True)
    active = Boolean()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """Keys to sort by name and to sign in by email."""
        return {"name_key": text.key(row["name"]), "email_key": text.key(row["email"])}


# Piccolo warns about the reserved word; every statement of ours quotes its names.
User._meta.tablename = "user"
