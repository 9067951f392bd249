"""Preferences: what a customer overrides beside what holds for all, and which of them is in effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import ContactPolicy, Permission, PortalAudience, PreferenceSource, Row, clock
from models.percentage import written
from models.preference_rows import GLOBAL, preferences_of
from models.preference_values import available
from models.preferences import overrides
from schema.access import PARENT, needs
from schema.field import batched, derived, plain, referred
from schema.history import updated_at
from schema.node import Node
from schema.reminder_workflow import ReminderWorkflow
from schema.stored import Address, stored, stored_json
from schema.switch import NotificationDefault, PortalPermissionDefault, switches_of_settings

if TYPE_CHECKING:
    from schema.customer import Customer

_OWN = "The customer's own value; null when it is inherited."
_GLOBAL = "What the settings say."
_EFFECTIVE = "What holds for the customer: its own value, else the global one."
_SOURCE = "Where the effective value comes from."


@strawberry.type(description="Which reminders are sent.", directives=[PARENT])
class Reminders:
    """Which reminders are sent."""

    workflow: ReminderWorkflow | None = referred(
        "reminder_workflow_id", models.ReminderWorkflow, "By which workflow; null when no reminders are sent."
    )


@strawberry.type(description="Whether customers can pay online.", directives=[PARENT])
class OnlinePayments:
    """Whether customers can pay online."""

    enabled: bool = plain("Whether they are on.")
    disabled_until: date | None = plain(
        "The day on which they are possible again, while they are off; null when they are on, or off indefinitely."
    )
    available: bool = derived(
        lambda value: available(value, clock.now().date()), "Whether they are possible today (UTC)."
    )


@strawberry.type(description="Payment by card.", directives=[PARENT])
class CardPayments:
    """Payment by card."""

    enabled: bool = plain("Whether it is possible.")
    surcharge: str = derived(
        lambda value: written(value["surcharge_basis_points"]), "What is added, in percent: a decimal such as “2.50”."
    )


@strawberry.type(description="Payment by ACH, from a bank account.", directives=[PARENT])
class AchPayments:
    """Payment by ACH."""

    enabled: bool = plain("Whether it is possible.")
    discount: str = derived(
        lambda value: written(value["discount_basis_points"]),
        "What is taken off, in percent: a decimal such as “1.00”.",
    )


def _reminders(row: Row, prefix: str) -> Row:
    return {"reminder_workflow_id": row[f"{prefix}reminder_workflow_id"]}


def _value(name: str) -> Callable[[Row, str], Any]:
    return lambda row, prefix: row[f"{prefix}{name}"]


def _json(name: str) -> Callable[[Row, str], Any]:
    return lambda row, prefix: stored_json(row[f"{prefix}{name}"])


# Preference → how its value is read from a row of `preferences_of`, from the customer's columns or the global ones.
_READ: Mapping[str, Callable[[Row, str], Any]] = {
    "reminder_workflow_id": _reminders,
    "monthly_statement": _value("monthly_statement"),
    "online_payments": _json("online_payments"),
    "customer_portal": _value("customer_portal"),
    "card": _json("card"),
    "ach": _json("ach"),
    "contact_policy": _value("contact_policy"),
}


def _inherited(name: str) -> Callable[[Row], Row]:
    read = _READ[name]

    def value(row: Row) -> Row:
        own = read(row, "") if overrides(row, name) else None
        everywhere = read(row, GLOBAL)
        if own is None:
            return {"own": None, "global": everywhere, "effective": everywhere, "source": PreferenceSource.GLOBAL}
        return {"own": own, "global": everywhere, "effective": own, "source": PreferenceSource.CUSTOMER}

    return value


@strawberry.type(description="The preference of reminders.", directives=[PARENT])
class RemindersPreference:
    """The preference of reminders."""

    own: Reminders | None = plain(_OWN)
    global_: Reminders = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: Reminders = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="A preference that is on or off.", directives=[PARENT])
class SwitchPreference:
    """A preference that is on or off."""

    own: bool | None = plain(_OWN)
    global_: bool = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: bool = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="The preference of online payments.", directives=[PARENT])
class OnlinePaymentsPreference:
    """The preference of online payments."""

    own: OnlinePayments | None = plain(_OWN)
    global_: OnlinePayments = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: OnlinePayments = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="The preference of payment by card.", directives=[PARENT])
class CardPreference:
    """The preference of payment by card."""

    own: CardPayments | None = plain(_OWN)
    global_: CardPayments = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: CardPayments = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="The preference of payment by ACH.", directives=[PARENT])
class AchPreference:
    """The preference of payment by ACH."""

    own: AchPayments | None = plain(_OWN)
    global_: AchPayments = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: AchPayments = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(description="The preference of the order desk's contact policy.", directives=[PARENT])
class ContactPolicyPreference:
    """The preference of the order desk's contact policy."""

    own: ContactPolicy | None = plain(_OWN)
    global_: ContactPolicy = derived(lambda value: value["global"], _GLOBAL, name="global")
    effective: ContactPolicy = plain(_EFFECTIVE)
    source: PreferenceSource = plain(_SOURCE)


@strawberry.type(
    description="What holds for one customer: each preference with its own, its global and its effective value.",
    directives=[needs(Permission.CUSTOMERS_READ)],
)
class Preferences(Node):
    """What holds for one customer."""

    revision: int = plain("Counts the changes, for `expectedRevision`; 0 before the customer's first override.")
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "Whose preferences they are."
    )
    reminders: RemindersPreference = derived(_inherited("reminder_workflow_id"), "Which reminders are sent.")
    monthly_statement: SwitchPreference = derived(
        _inherited("monthly_statement"), "Whether a statement is sent each month."
    )
    online_payments: OnlinePaymentsPreference = derived(
        _inherited("online_payments"), "Whether the customer can pay online."
    )
    customer_portal: SwitchPreference = derived(
        _inherited("customer_portal"), "Whether the customer's contacts can use the portal."
    )
    card: CardPreference = derived(_inherited("card"), "Payment by card, with its surcharge.")
    ach: AchPreference = derived(_inherited("ach"), "Payment by ACH, with its discount.")
    contact_policy: ContactPolicyPreference = derived(
        _inherited("contact_policy"), "Whether the order desk needs a contact."
    )


@strawberry.type(description="The company that writes, as emails and statements name it.", directives=[PARENT])
class Company:
    """The company that writes."""

    name: str = plain("Its name.")
    address: Address | None = plain("Its postal address.")
    email: str | None = plain("Its email address, to be read, not to be answered to.")
    phone: str | None = plain("Its phone number, in E.164.")
    tax_id: str | None = plain("Its VAT number, EIN or another tax ID, as it is written.")
    payment_instructions: str | None = plain("How to pay it: text of several lines.")


@strawberry.type(
    description="What holds for all customers that do not override it.", directives=[needs(Permission.CUSTOMERS_READ)]
)
class Settings(Node):
    """What holds for all customers that do not override it."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    updated_at: datetime = updated_at()
    reminders: Reminders = derived(lambda row: row, "Which reminders are sent.")
    monthly_statement: bool = plain("Whether a statement is sent each month.")
    online_payments: OnlinePayments = stored("online_payments", "Whether customers can pay online.")
    customer_portal: bool = plain("Whether customers' contacts can use the portal.")
    card: CardPayments = stored("card", "Payment by card, with its surcharge.")
    ach: AchPayments = stored("ach", "Payment by ACH, with its discount.")
    contact_policy: ContactPolicy = plain("Whether the order desk needs a contact.")
    notifications: list[NotificationDefault] = switches_of_settings(
        "notifications", "Which emails contacts want that say nothing else, apart from what their roles bring."
    )
    portal_permissions: list[PortalPermissionDefault] = switches_of_settings(
        "portal_permissions", "What contacts are permitted to see in the customer portal if nothing else is said."
    )
    portal_access: PortalAudience = plain("Which contacts the customer portal is for.")
    separate_messages: bool = plain(
        "Whether each recipient gets an email of their own; else all get the same one and see each other."
    )
    company: Company | None = stored("company", "Who writes; null until somebody says it.")
    reply_to: str | None = plain("The address that answers to emails go to; null for the sender's.")


def preferences() -> Any:
    """The preferences of a customer."""
    return batched(
        lambda row: row["id"], preferences_of, "Settings that the customer overrides or inherits, and what holds."
    )
