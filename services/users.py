"""What may happen to users. Nobody gets or takes more permissions than the actor has; one administrator stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import BuiltInRole, ErrorCode, Fault, Forbidden, Permission, Row, User, UserRole, session
from services import passwords, values

_LOCK = "administrator"


async def create(change: Change, given: Mapping[str, Any], password_hash: str | None) -> Row:
    """Add a user. Without a password nobody can sign in as them until one is set."""
    fields = _clean({"name": None, "email": None, **given})
    await _check_role(change, fields)
    return await change.insert(User, {"active": True, **fields, "password_hash": password_hash})


async def update(
    change: Change,
    identifier: str,
    expected_revision: int | None,
    given: Mapping[str, Any],
    password_hash: str | None = None,
) -> Row:
    """Change the given fields, and the password when a hash is given; then and when disabled, sessions end."""
    fields = _clean(given)
    if fields.keys() & {"role_id", "active"}:
        await change.lock(_LOCK)
    row = await change.get(User, identifier, expected_revision)
    await check_may_manage(change, row)
    await _check_role(change, fields)
    if password_hash is not None:
        fields["password_hash"] = password_hash
    updated = await change.update(User, row, fields)
    await _check_administrator_left(change, row, updated)
    if password_hash is not None or not updated["active"]:
        await session.delete_of_user(identifier)
    return updated


async def change_password(change: Change, user_id: str, password_hash: str, session_id: str | None) -> Row:
    """Set a user's own new password; every session but this one ends. The caller has verified the current one."""
    row = await change.get(User, user_id)
    updated = await change.update(User, row, {"password_hash": password_hash})
    await session.delete_of_user(user_id, keep=session_id)
    return updated


async def password_hash(given: Mapping[str, Any]) -> str | None:
    """The hash of a new `password` in the input, checked; None when there is none. Runs before any transaction."""
    password = given.get("password")
    if password is None:
        return None
    context = [given[name] for name in ("email", "name") if given.get(name)]
    return await passwords.hash_password(await passwords.check_new_password(password, ("password",), context=context))


async def _check_role(change: Change, fields: Mapping[str, Any]) -> None:
    if fields.get("role_id") is not None:
        role = await change.refer(UserRole, fields["role_id"], ("role_id",))
        check_within(change, role["permissions"])


async def check_may_manage(change: Change, row: Row) -> None:
    """Forbidden when the user may do more than the actor: who governs them could act as them."""
    if row["role_id"] is not None:
        role = await change.refer(UserRole, row["role_id"], ("id",))
        check_within(change, role["permissions"])


def check_within(change: Change, permissions: list[str]) -> None:
    """Forbidden when the permissions are more than the actor has: to grant them would be to take them."""
    missing = [name for name in permissions if not change.actor.may(Permission(name))]
    if missing:
        raise Forbidden(f"You cannot manage permissions that you do not have: {', '.join(missing)}.")


async def _check_administrator_left(change: Change, before: Row, after: Row) -> None:
    if before["role_id"] is None or (after["active"] and after["role_id"] == before["role_id"]):
        return
    role = await change.read(UserRole, before["role_id"])
    if role["built_in"] != BuiltInRole.ADMINISTRATOR.value or not before["active"]:
        return
    left = await change.where(User, role_id=role["id"], active=True)
    # Somebody without a password takes the place of nobody who has one.
    if not any(user["password_hash"] or before["password_hash"] is None for user in left):
        raise Fault(
            ErrorCode.LAST_ADMINISTRATOR,
            "This is the last active administrator who can sign in: make another user administrator first.",
            ("active",) if before["active"] != after["active"] else ("role_id",),
        )


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("name", "email", "active"):
        if name in given and given[name] is None:
            raise Fault.invalid(f"{name.capitalize()} is required: it cannot be null.", name)
    if "name" in given:
        fields["name"] = values.line(given["name"], ("name",))
    if "email" in given:
        fields["email"] = values.email(given["email"], ("email",))
    fields.update({name: given[name] for name in ("active", "role_id") if name in given})
    return fields
