"""Customers and their locations: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Change
from models import Permission
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from resolvers.welcoming import welcomed
from schema.access import needs
from schema.connection import Connection
from schema.customer import Customer
from schema.customer_mutations import (
    ConvertToContactInput,
    ConvertToContactPayload,
    CreateCustomerInput,
    CreateCustomerPayload,
    CreateLocationInput,
    CreateLocationPayload,
    DeleteLocationInput,
    DeleteLocationPayload,
    MergeCustomersInput,
    MergeCustomersPayload,
    UpdateCustomerInput,
    UpdateCustomerPayload,
    UpdateLocationInput,
    UpdateLocationPayload,
)
from schema.duplicate import ProbableDuplicatePage, duplicate_pairs
from schema.filters import customers
from schema.location import Location
from services import customers as customer_service
from services import locations as location_service
from services import merging

_READ = needs(Permission.CUSTOMERS_READ)
_WRITE = needs(Permission.CUSTOMERS_WRITE)


@strawberry.type
class CustomerQuery:
    """Reading customers."""

    customer: Customer | None = single(models.Customer, "One customer; null when there is none with this ID.", _READ)
    customers: Connection[Customer] = customers("All customers.", access=_READ)
    probable_duplicates: ProbableDuplicatePage = duplicate_pairs(_READ)
    location: Location | None = single(models.Location, "One location; null when there is none with this ID.", _READ)


async def _create_customer(change: Change, sent: Sent) -> Sent:
    return {"customer": (await customer_service.create(change, sent))["id"]}


async def _update_customer(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"customer": (await customer_service.update(change, identifier, revision, sent))["id"]}


async def _merge_customers(change: Change, sent: Sent) -> Sent:
    survivor, merged = await merging.merge(change, sent)
    return {"customer": survivor["id"], "merged": merged["id"]}


async def _convert_to_contact(change: Change, sent: Sent) -> Sent:
    customer_id, method_ids, keep = sent.pop("customer_id"), sent.pop("method_ids"), bool(sent.pop("keep", False))
    customer, contact = await customer_service.convert_to_contact(change, customer_id, method_ids, sent, keep=keep)
    return {"customer": customer["id"], "contact": contact["id"], **await welcomed(change, contact, sent)}


async def _create_location(change: Change, sent: Sent) -> Sent:
    return {"location": (await location_service.create(change, sent))["id"]}


async def _update_location(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"location": (await location_service.update(change, identifier, revision, sent))["id"]}


async def _delete_location(change: Change, sent: Sent) -> Sent:
    await location_service.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


@strawberry.type
class CustomerMutation:
    """Changing customers."""

    create_customer = mutation(_create_customer, CreateCustomerInput, CreateCustomerPayload, "Add a customer.", _WRITE)
    update_customer = mutation(
        _update_customer, UpdateCustomerInput, UpdateCustomerPayload, "Change a customer.", _WRITE
    )
    merge_customers = mutation(
        _merge_customers,
        MergeCustomersInput,
        MergeCustomersPayload,
        "Merge a customer into another, who gets its contacts, locations, notes and all else that belongs to it, its"
        " contact methods too unless an accounting system delivers the survivor's. Contacts that QuickBooks delivered"
        " with the merged one become local: it does not sync any more. The merged one stays, inactive, to say where it"
        " went; it cannot be changed any more. This cannot be undone.",
        needs(Permission.CUSTOMERS_MERGE),
    )
    convert_to_contact = mutation(
        _convert_to_contact,
        ConvertToContactInput,
        ConvertToContactPayload,
        "Make a contact of some of a customer's own contact methods.",
        needs(Permission.CONTACTS_WRITE),
    )
    create_location = mutation(
        _create_location, CreateLocationInput, CreateLocationPayload, "Add a location to a customer.", _WRITE
    )
    update_location = mutation(
        _update_location, UpdateLocationInput, UpdateLocationPayload, "Change a location.", _WRITE
    )
    delete_location = mutation(
        _delete_location,
        DeleteLocationInput,
        DeleteLocationPayload,
        "Delete a location without contacts and sales documents.",
        _WRITE,
    )
