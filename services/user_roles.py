"""What may happen to user roles, and which exist from the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import BuiltInRole, ErrorCode, Fault, Permission, Row, User, UserRole
from services import values
from services.users import check_within

_P = Permission
_READ = (
    _P.CUSTOMERS_READ,
    _P.NOTES_READ,
    _P.DOCUMENTS_READ,
    _P.SALES_DOCUMENTS_READ,
    _P.COMMUNICATIONS_READ,
    _P.HISTORY_READ,
)

BUILT_IN: Mapping[BuiltInRole, tuple[str, tuple[Permission, ...]]] = {
    BuiltInRole.ADMINISTRATOR: ("Administrator", tuple(Permission)),
    BuiltInRole.AR_MANAGER: (
        "AR manager",
        (
            *_READ,
            _P.CUSTOMERS_WRITE,
            _P.CUSTOMERS_MERGE,
            _P.CONTACTS_WRITE,
            _P.CONTACT_ROLES_WRITE,
            _P.NOTES_WRITE,
            _P.DOCUMENTS_WRITE,
            _P.SALES_DOCUMENTS_WRITE,
            _P.PAYMENTS_WRITE,
            _P.COMMUNICATIONS_SEND,
            _P.SETTINGS_WRITE,
            _P.USERS_READ,
        ),
    ),
    BuiltInRole.AR_CLERK: (
        "AR clerk",
        (*_READ, _P.CONTACTS_WRITE, _P.NOTES_WRITE, _P.DOCUMENTS_WRITE, _P.PAYMENTS_WRITE, _P.COMMUNICATIONS_SEND),
    ),
    BuiltInRole.LOCATION_CONTACT_EDITOR: ("Location contact editor", (_P.CUSTOMERS_READ, _P.LOCATION_CONTACTS_WRITE)),
    BuiltInRole.ORDER_DESK: (
        "Order desk",
        (
            _P.CUSTOMERS_READ,
            _P.NOTES_READ,
            _P.NOTES_WRITE,
            _P.SALES_DOCUMENTS_READ,
            _P.SALES_DOCUMENTS_WRITE,
            _P.PAYMENTS_WRITE,
        ),
    ),
    BuiltInRole.AUDITOR: ("Auditor", (*_READ, _P.AUDIT_READ, _P.USERS_READ)),
}


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a role of the actor's own permissions, or some of them."""
    return await change.insert(UserRole, _clean(change, {"name": None, "permissions": [], **given}))


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Rename a custom role or change its permissions."""
    row = await change.get(UserRole, identifier, expected_revision)
    _refuse_built_in(row)
    check_within(change, row["permissions"])
    return await change.update(UserRole, row, _clean(change, given))


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a custom role that no user has."""
    row = await change.get(UserRole, identifier, expected_revision, to_delete=True)
    _refuse_built_in(row)
    check_within(change, row["permissions"])
    holders = [holder["name"] for holder in await change.where(User, role_id=identifier, limit=5, lock=False)]
    if holders:
        named = f": {', '.join(holders)}" if change.actor.may(Permission.USERS_READ) else ""
        raise Fault(ErrorCode.IN_USE, f"Users have this role{named}. Give them another first.", ("id",))
    await change.delete(UserRole, row)


def _refuse_built_in(row: Row) -> None:
    if row["built_in"] is not None:
        raise Fault(ErrorCode.READ_ONLY, "Built-in roles stay as they are: create a role of your own.", ("id",))


def _clean(change: Change, given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("name", "permissions"):
        if name in given and given[name] is None:
            raise Fault.invalid(f"{name.capitalize()} is required: it cannot be null.", name)
    if "name" in given:
        fields["name"] = values.line(given["name"], ("name",), longest=100)
    if "permissions" in given:
        wanted = set(given["permissions"])
        fields["permissions"] = [permission.value for permission in Permission if permission in wanted]
        check_within(change, fields["permissions"])
    return fields
