"""What may happen to the locations of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import Contact, Customer, ErrorCode, Fault, Location, Permission, Row
from services import values
from services.sales_documents import refuse_used_location


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a location to a customer."""
    customer = await change.refer(Customer, given["customer_id"], ("customer_id",))
    return await change.insert(Location, {"customer_id": customer["id"], **_clean({"name": None, **given})})


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Change the given fields. Null clears, absence leaves."""
    row = await change.get(Location, identifier, expected_revision)
    return await change.update(Location, row, _clean(given))


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a location that has no contacts and no sales documents."""
    row = await change.get(Location, identifier, expected_revision, to_delete=True)
    names = [
        Contact.label(contact) for contact in await change.where(Contact, location_id=identifier, limit=5, lock=False)
    ]
    if names:
        named = f" ({', '.join(names)})" if change.actor.may(Permission.CUSTOMERS_READ) else ""
        raise Fault(ErrorCode.IN_USE, f"This location has contacts{named}: move or delete them first.", ("id",))
    await refuse_used_location(change, identifier)
    await change.delete(Location, row)


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "name" in given:
        if given["name"] is None:
            raise Fault.invalid("Name is required: it cannot be null.", "name")
        fields["name"] = values.line(given["name"], ("name",))
    if "address" in given:
        fields["address"] = None if given["address"] is None else values.address(given["address"], ("address",))
    return fields
