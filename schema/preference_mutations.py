"""Inputs and payloads of mutations of settings, preferences and reminder workflows."""

from __future__ import annotations

from datetime import date

import strawberry

import models
from models import ContactPolicy, PortalAudience
from schema.access import PARENT
from schema.customer_mutations import AddressInput
from schema.field import optional, required
from schema.payload import Payload, changed, deleted_id
from schema.preferences import Preferences, Settings
from schema.reminder_workflow import ReminderWorkflow
from schema.switch import NotificationInput, PortalPermissionInput


@strawberry.input(description="Which reminders to send.")
class RemindersInput:
    """Which reminders to send."""

    workflow_id: strawberry.ID | None = optional("By which workflow; null for no reminders. It must be said.")


@strawberry.input(description="Whether customers can pay online; the whole of it is replaced.")
class OnlinePaymentsInput:
    """Whether customers can pay online."""

    enabled: bool = required("Whether they are on.")
    disabled_until: date | None = optional(
        "While they are off, the day after today on which they are possible again (UTC); without it, indefinitely off."
    )


@strawberry.input(description="Payment by card; the whole of it is replaced.")
class CardPaymentsInput:
    """Payment by card."""

    enabled: bool = required("Whether it is possible.")
    surcharge: str | None = optional("What is added, in percent: a decimal from 0 to 100 such as “2.50”; 0 if omitted.")


@strawberry.input(description="Payment by ACH; the whole of it is replaced.")
class AchPaymentsInput:
    """Payment by ACH."""

    enabled: bool = required("Whether it is possible.")
    discount: str | None = optional("What is taken off, in percent: a decimal from 0 to 100 such as “1”; 0 if omitted.")


@strawberry.input(description="The company that writes; the whole of it is replaced.")
class CompanyInput:
    """The company that writes."""

    name: str = required("Its name: up to 200 characters.")
    address: AddressInput | None = optional("Its postal address.")
    email: str | None = optional("Its email address, to be read, not to be answered to.")
    phone: str | None = optional("Its phone number, with the country code.")
    tax_id: str | None = optional("Its VAT number, EIN or another tax ID: up to 50 characters.")
    payment_instructions: str | None = optional("How to pay it: up to 2,000 characters, of several lines.")


@strawberry.input(
    description="A change of what holds for all customers. What is omitted stays; only `company` and `replyTo` can be"
    " null."
)
class UpdateSettingsInput:
    """A change of what holds for all customers."""

    expected_revision: int | None = optional("Refuse with CONFLICT unless the settings have this revision.")
    reminders: RemindersInput | None = optional("Which reminders are sent.")
    monthly_statement: bool | None = optional("Whether a statement is sent each month.")
    online_payments: OnlinePaymentsInput | None = optional("Whether customers can pay online.")
    customer_portal: bool | None = optional("Whether customers' contacts can use the portal.")
    card: CardPaymentsInput | None = optional("Payment by card, with its surcharge.")
    ach: AchPaymentsInput | None = optional("Payment by ACH, with its discount.")
    contact_policy: ContactPolicy | None = optional("Whether the order desk needs a contact.")
    notifications: list[NotificationInput] | None = optional(
        "Which emails contacts want that say nothing else; kinds that are not listed stay."
    )
    portal_permissions: list[PortalPermissionInput] | None = optional(
        "What contacts are permitted to see in the customer portal if nothing else is said; modules that are not"
        " listed stay."
    )
    portal_access: PortalAudience | None = optional("Which contacts the customer portal is for.")
    separate_messages: bool | None = optional(
        "Whether each recipient gets an email of their own; else all get the same one and see each other."
    )
    company: CompanyInput | None = optional("Who writes; null for nobody.")
    reply_to: str | None = optional("The address that answers to emails go to; null for the sender's.")


@strawberry.input(
    description="A change of what a customer overrides. What is omitted stays; null takes the override back, and the"
    " global value holds again."
)
class UpdateCustomerPreferencesInput:
    """A change of what a customer overrides."""

    customer_id: strawberry.ID = required("Which customer.")
    expected_revision: int | None = optional(
        "Refuse with CONFLICT unless the preferences have this revision: 0 before the first override."
    )
    reminders: RemindersInput | None = optional("Which reminders are sent.")
    monthly_statement: bool | None = optional("Whether a statement is sent each month.")
    online_payments: OnlinePaymentsInput | None = optional("Whether the customer can pay online.")
    customer_portal: bool | None = optional("Whether the customer's contacts can use the portal.")
    card: CardPaymentsInput | None = optional("Payment by card, with its surcharge.")
    ach: AchPaymentsInput | None = optional("Payment by ACH, with its discount.")
    contact_policy: ContactPolicy | None = optional("Whether the order desk needs a contact.")


@strawberry.input(description="A new reminder workflow.")
class CreateReminderWorkflowInput:
    """A new reminder workflow."""

    name: str = required("Its name, unique among reminder workflows: 1 to 100 characters.")
    steps: list[int] = required(
        "1 to 20 different days relative to an invoice's due date, at most 365: -3 is three days before it."
    )


@strawberry.input(description="A change of a reminder workflow. What is omitted stays.")
class UpdateReminderWorkflowInput:
    """A change of a reminder workflow."""

    id: strawberry.ID = required("Which reminder workflow.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("Its name; cannot be null.")
    steps: list[int] | None = optional("All of its days relative to the due date; cannot be null.")


@strawberry.input(description="The end of a reminder workflow. One that is in use needs a replacement.")
class DeleteReminderWorkflowInput:
    """The end of a reminder workflow."""

    id: strawberry.ID = required("Which reminder workflow.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    replacement_id: strawberry.ID | None = optional("The workflow that the settings and customers get instead.")


@strawberry.type(description="What updateSettings answers.", directives=[PARENT])
class UpdateSettingsPayload(Payload):
    """What updateSettings answers."""

    settings: Settings | None = changed("settings", models.Settings)


@strawberry.type(description="What updateCustomerPreferences answers.", directives=[PARENT])
class UpdateCustomerPreferencesPayload(Payload):
    """What updateCustomerPreferences answers."""

    preferences: Preferences | None = changed("preferences", models.Preferences)


@strawberry.type(description="What createReminderWorkflow answers.", directives=[PARENT])
class CreateReminderWorkflowPayload(Payload):
    """What createReminderWorkflow answers."""

    reminder_workflow: ReminderWorkflow | None = changed("reminder_workflow", models.ReminderWorkflow)


@strawberry.type(description="What updateReminderWorkflow answers.", directives=[PARENT])
class UpdateReminderWorkflowPayload(Payload):
    """What updateReminderWorkflow answers."""

    reminder_workflow: ReminderWorkflow | None = changed("reminder_workflow", models.ReminderWorkflow)


@strawberry.type(description="What deleteReminderWorkflow answers.", directives=[PARENT])
class DeleteReminderWorkflowPayload(Payload):
    """What deleteReminderWorkflow answers."""

    deleted_id: strawberry.ID | None = deleted_id()
