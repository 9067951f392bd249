"""Inputs and payloads of mutations of customers and locations."""

from __future__ import annotations

import strawberry

import models
from models import ContactMethodKind, CustomerField, CustomerKind, PaymentResponsibility
from schema.access import PARENT
from schema.communication import Communication
from schema.contact import Contact
from schema.customer import Customer
from schema.field import optional, required
from schema.location import Location
from schema.payload import Payload, changed, deleted_id
from schema.welcome import do_not_send_welcome, welcome


@strawberry.input(description="A postal address; the whole of it is replaced.")
class AddressInput:
    """A postal address."""

    lines: list[str] = required("Street, building, department: at most five lines.")
    city: str | None = optional("City or town.")
    region: str | None = optional("State, province or canton.")
    postal_code: str | None = optional("Postal or ZIP code.")
    country: str | None = optional("ISO 3166-1 alpha-2.")


@strawberry.input(description="An email address or a number.")
class ContactMethodInput:
    """An email address or a number."""

    id: strawberry.ID | None = optional("The ID of the method that this replaces; omit it for a new one.")
    kind: ContactMethodKind = required("What it is.")
    value: str = required("The address or number; numbers with their country code, e.g. +1 415 555 0101.")
    label: str | None = optional("What it is for, e.g. “office”.")
    preferred: bool | None = optional("Whether to prefer it in its kind; one of each kind, the first if none says so.")


@strawberry.input(description="A new customer.")
class CreateCustomerInput:
    """A new customer."""

    name: str = required("The customer's name: 1 to 200 characters.")
    kind: CustomerKind | None = optional("Company or individual; a company if omitted.")
    email: str | None = optional("The preferred email address: short for one of `methods`.")
    phone: str | None = optional("The preferred phone number: short for one of `methods`.")
    methods: list[ContactMethodInput] | None = optional("Email addresses and numbers; not with `email` and `phone`.")
    website: str | None = optional("Web address.")
    billing_address: AddressInput | None = optional("Where bills go.")
    shipping_address: AddressInput | None = optional("Where goods go.")
    parent_id: strawberry.ID | None = optional("The customer above it.")
    payment_responsibility: PaymentResponsibility | None = optional("Who pays for it; the buyer if omitted.")
    payment_terms: str | None = optional("Payment terms, e.g. “Net 30”: at most 200 characters.")
    currency: str | None = optional("Preferred currency: ISO 4217.")
    tax_id: str | None = optional("VAT number, EIN or another tax ID, as it is written: at most 50 characters.")


@strawberry.input(description="A change of a customer. What is omitted stays, null clears.")
class UpdateCustomerInput:
    """A change of a customer."""

    id: strawberry.ID = required("Which customer.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("The customer's name; cannot be null.")
    kind: CustomerKind | None = optional("Company or individual; cannot be null.")
    email: str | None = optional("The preferred email address: takes the place of the one before.")
    phone: str | None = optional("The preferred phone number: takes the place of the one before.")
    methods: list[ContactMethodInput] | None = optional("All email addresses and numbers; not with `email`, `phone`.")
    website: str | None = optional("Web address.")
    billing_address: AddressInput | None = optional("Where bills go.")
    shipping_address: AddressInput | None = optional("Where goods go.")
    parent_id: strawberry.ID | None = optional("The customer above it; not itself, nor one below it.")
    payment_responsibility: PaymentResponsibility | None = optional("Who pays for it; cannot be null.")
    payment_terms: str | None = optional("Payment terms, e.g. “Net 30”: at most 200 characters.")
    currency: str | None = optional("Preferred currency: ISO 4217.")
    tax_id: str | None = optional("VAT number, EIN or another tax ID, as it is written: at most 50 characters.")
    active: bool | None = optional("False to deactivate, true to reactivate; cannot be null.")


@strawberry.input(description="What becomes of a location of the merged customer: either `name` or `intoId`.")
class MergedLocationInput:
    """What becomes of a location of the merged customer: either `name` or `intoId`."""

    location_id: strawberry.ID = required("Which location of the merged customer.")
    name: str | None = optional("Its name at the survivor: 1 to 200 characters.")
    into_id: strawberry.ID | None = optional("The survivor's location that gets all of it; the merged one is deleted.")


@strawberry.input(
    description="Merge a customer into another one. Where both have a holder of a single purpose, the survivor's stays."
)
class MergeCustomersInput:
    """Merge a customer into another one."""

    id: strawberry.ID = required("The customer that stays: the survivor.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless the survivor has this revision.")
    merged_id: strawberry.ID = required("The customer that is merged into it. Not one that the survivor stands below.")
    merged_expected_revision: int | None = optional("Refuse with CONFLICT unless the merged one has this revision.")
    primary_contact_id: strawberry.ID | None = optional(
        "Who becomes the primary contact, an active contact of either; if omitted the survivor's stays, if it has one."
    )
    take: list[CustomerField] | None = optional(
        "What the survivor takes over from the merged one, also when that is empty; everything else stays as it is."
    )
    locations: list[MergedLocationInput] | None = optional(
        "What becomes of locations of the merged one; needed for those that the survivor has by the same name."
    )


@strawberry.input(description="Make a contact of some of a customer's own contact methods.")
class ConvertToContactInput:
    """Make a contact of some of a customer's own contact methods."""

    customer_id: strawberry.ID = required("Whose contact methods.")
    method_ids: list[strawberry.ID] = required("Which of the customer's contact methods; at least one.")
    keep: bool | None = optional("Whether the customer keeps them as well; if omitted they move to the contact.")
    location_id: strawberry.ID | None = optional("With it, a location contact; without, a customer contact.")
    first_name: str | None = optional("First name.")
    last_name: str | None = optional("Last name.")
    title: str | None = optional("Position.")
    role_id: strawberry.ID | None = optional("The contact role.")
    do_not_send_welcome: bool | None = do_not_send_welcome()


@strawberry.type(description="What createCustomer answers.", directives=[PARENT])
class CreateCustomerPayload(Payload):
    """What createCustomer answers."""

    customer: Customer | None = changed("customer", models.Customer)


@strawberry.type(description="What updateCustomer answers.", directives=[PARENT])
class UpdateCustomerPayload(Payload):
    """What updateCustomer answers."""

    customer: Customer | None = changed("customer", models.Customer)


@strawberry.type(description="What mergeCustomers answers.", directives=[PARENT])
class MergeCustomersPayload(Payload):
    """What mergeCustomers answers."""

    customer: Customer | None = changed("customer", models.Customer)
    merged_customer: Customer | None = changed("merged", models.Customer)


@strawberry.type(description="What convertToContact answers.", directives=[PARENT])
class ConvertToContactPayload(Payload):
    """What convertToContact answers."""

    customer: Customer | None = changed("customer", models.Customer)
    contact: Contact | None = changed("contact", models.Contact)
    welcome: Communication | None = welcome()


@strawberry.input(description="A new location of a customer.")
class CreateLocationInput:
    """A new location of a customer."""

    customer_id: strawberry.ID = required("Whose place it is.")
    name: str = required("Its name, unique at the customer: 1 to 200 characters.")
    address: AddressInput | None = optional("Its postal address.")


@strawberry.input(description="A change of a location. What is omitted stays, null clears.")
class UpdateLocationInput:
    """A change of a location."""

    id: strawberry.ID = required("Which location.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("Its name; cannot be null.")
    address: AddressInput | None = optional("Its postal address.")


@strawberry.input(description="The end of a location, which must have no contacts.")
class DeleteLocationInput:
    """The end of a location."""

    id: strawberry.ID = required("Which location.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What createLocation answers.", directives=[PARENT])
class CreateLocationPayload(Payload):
    """What createLocation answers."""

    location: Location | None = changed("location", models.Location)


@strawberry.type(description="What updateLocation answers.", directives=[PARENT])
class UpdateLocationPayload(Payload):
    """What updateLocation answers."""

    location: Location | None = changed("location", models.Location)


@strawberry.type(description="What deleteLocation answers.", directives=[PARENT])
class DeleteLocationPayload(Payload):
    """What deleteLocation answers."""

    deleted_id: strawberry.ID | None = deleted_id()
