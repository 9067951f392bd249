"""Preferences: what holds for all customers, what a customer overrides, and the reminder workflows to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Text

from models import preference_values, switch, text
from models.communication_kind import SWITCHED, PortalModule
from models.customer import Customer
from models.table import Audited, Json, Row, SubjectType, reference

# There is one row of settings, so its id is known: a TypeID of the nil UUID.
SETTINGS_ID = "set_00000000000000000000000000"

# What a customer can override, by the column that both tables have.
PREFERENCES = (
    "reminder_workflow_id",
    "monthly_statement",
    "online_payments",
    "customer_portal",
    "card",
    "ach",
    "contact_policy",
)


class ContactPolicy(Enum):
    """Whether the order desk needs a customer's contact."""

    NOT_REQUIRED = "NOT_REQUIRED"
    REQUIRED = "REQUIRED"
    REQUIRED_WITH_PASSWORD = "REQUIRED_WITH_PASSWORD"  # noqa: S105 - the name of a policy, not a password


class PortalAudience(Enum):
    """Which contacts the portal is for."""

    ALL_CONTACTS = "ALL_CONTACTS"
    COMMUNICATION_CONTACTS = "COMMUNICATION_CONTACTS"


class PreferenceSource(Enum):
    """Where the effective value of a preference comes from."""

    CONTACT = "CONTACT"
    CUSTOMER = "CUSTOMER"
    GLOBAL = "GLOBAL"


class ReminderWorkflow(Audited, tablename="reminder_workflow"):
    """When reminders of an invoice go out. `steps` are days relative to its due date, ascending."""

    prefix = "rwf"
    subject = SubjectType.REMINDER_WORKFLOW
    derived = frozenset({"name_key"})
    taken = {"name_key": ("name", "Another reminder workflow has this name.")}
    texts = {"steps": preference_values.days}

    name = Text()
    name_key = Text()
    steps = Json()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the name unique. ValueError for steps that nobody could read."""
        preference_values.check_steps(row["steps"])
        return {"name_key": text.key(row["name"])}


class Settings(Audited, tablename="settings"):
    """What holds for all customers that do not override it: one row. Without a workflow no reminders are sent.

    `online_payments` is {enabled, disabled_until: ISO date or None}, `card` {enabled, surcharge_basis_points},
    `ach` {enabled, discount_basis_points}. `notifications` (kind of email → bool) and `portal_permissions` (module →
    bool) hold for contacts that say nothing else. `company` is who writes: {name, address, email, phone, tax_id,
    payment_instructions}, the name at least; None until somebody says it. `reply_to` is the address that answers go to,
    None for the sender's. With `separate_messages` each recipient gets an email of their own.
    """

    prefix = "set"
    subject = SubjectType.SETTINGS
    texts = preference_values.TEXTS
    added = {
        "notifications": {kind.value: True for kind in SWITCHED},
        "portal_permissions": {module.value: True for module in PortalModule},
        "portal_access": PortalAudience.ALL_CONTACTS.value,
        "separate_messages": True,
    }

    reminder_workflow_id = reference(ReminderWorkflow, null=True)
    monthly_statement = Boolean()
    online_payments = Json()
    customer_portal = Boolean()
    card = Json()
    ach = Json()
    contact_policy = Text()
    notifications = Json()
    portal_permissions = Json()
    portal_access = Text()
    separate_messages = Boolean()
    company = Json(null=True)
    reply_to = Text(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """Nothing; ValueError for values that nobody could read."""
        preference_values.check(row)
        preference_values.check_company(row["company"])
        switch.check_settings(row)
        return {}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """There is one row, and it has no name."""
        return "settings"


class Preferences(Audited, tablename="preferences"):
    """What one customer overrides; null is inherited. Its id is the customer's with another prefix.

    Reminders are the exception, because no workflow is a choice of its own: `reminders` is false for a customer who
    gets none, else null, and then a null workflow is inherited.
    """

    prefix = "prf"
    subject = SubjectType.PREFERENCES
    texts = preference_values.TEXTS
    cleared = "{name} from {before} back to the global setting"
    alternatives = frozenset({"reminder_workflow_id", "reminders"})

    customer_id = reference(Customer, null=False)
    reminder_workflow_id = reference(ReminderWorkflow, null=True)
    reminders = Boolean(null=True, default=None)
    monthly_statement = Boolean(null=True, default=None)
    online_payments = Json(null=True)
    customer_portal = Boolean(null=True, default=None)
    card = Json(null=True)
    ach = Json(null=True)
    contact_policy = Text(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """Nothing; ValueError for values that nobody could read."""
        preference_values.check(row)
        return {}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """The customer has the name."""
        return "preferences"

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The customer."""
        return str(row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer in whose profile they stand."""
        return str(row["customer_id"])


def preferences_id(customer_id: str) -> str:
    """The id of a customer's preferences, whether or not there is a row yet."""
    return f"{Preferences.prefix}_{customer_id.rpartition('_')[2]}"


def overrides(own: Mapping[str, Any], name: str) -> bool:
    """Whether a customer's preferences override the one of this name."""
    return own[name] is not None or (name == "reminder_workflow_id" and own["reminders"] is not None)
