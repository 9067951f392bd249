"""Users, their roles, and API keys."""

from __future__ import annotations

from datetime import datetime

import strawberry

import models
from models import BuiltInRole, Permission, Row
from models.rows import count_by
from schema.access import PARENT, needs
from schema.field import batched, derived, plain, referred
from schema.history import updated_at
from schema.node import Node
from schema.stored import stored_json


def _permissions(row: Row) -> list[Permission]:
    return [Permission(name) for name in stored_json(row["permissions"]) if name in Permission.__members__]


@strawberry.type(description="A named set of permissions.", directives=[PARENT])
class UserRole(Node):
    """A named set of permissions."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    name: str = plain("Its name, unique among user roles.")
    built_in: BuiltInRole | None = plain("Which built-in role it is; null for a role of your own.")
    permissions: list[Permission] = derived(_permissions, "What its users may do.")
    user_count: int = batched(
        lambda row: row["id"],
        count_by(models.User, "role_id"),
        "How many users have it, disabled ones included.",
        access=needs(Permission.USERS_READ),
    )


@strawberry.type(description="Somebody who signs in.", directives=[PARENT])
class User(Node):
    """Somebody who signs in."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When the user was created.")
    updated_at: datetime = updated_at()
    name: str = plain("What they are called in the product and in history.")
    email: str = plain("The email address with which they sign in.")
    active: bool = plain("False for a disabled user, who cannot sign in.")
    role: UserRole | None = referred("role_id", models.UserRole, "What they may do; null: only see themself.")


@strawberry.type(description="A machine's way in. Its token is shown once, when it is created.", directives=[PARENT])
class ApiKey(Node):
    """A machine's way in."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    name: str = plain("What it is for.")
    permissions: list[Permission] = derived(_permissions, "What it may do.")
    expires_at: datetime | None = plain("When it ends by itself.")
    revoked_at: datetime | None = plain("When it was revoked; null while it is not.")
    created_by: User = referred(
        "created_by", models.User, "Who made it, and whose permissions bound it.", access=needs(Permission.USERS_READ)
    )
