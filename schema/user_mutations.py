"""Inputs and payloads of signing in, and of mutations of users, their roles and API keys."""

from __future__ import annotations

from datetime import datetime

import strawberry

import models
from models import Permission
from schema.access import PARENT, PUBLIC
from schema.actor import Viewer
from schema.field import derived, optional, required
from schema.payload import Payload, changed, deleted_id
from schema.user import ApiKey, User, UserRole


@strawberry.input(description="Who signs in.")
class SignInInput:
    """Who signs in."""

    email: str = required("The user's email address.")
    password: str = required("The user's password.")


@strawberry.type(description="What signIn answers.", directives=[PUBLIC])
class SignInPayload(Payload):
    """What signIn answers."""

    token: str | None = derived(
        lambda payload: payload.get("token"),
        "The bearer token of the session, shown once; send it as `Authorization: Bearer …`. Null on failure, and when"
        " the request has the header `Counterfoil-Session: cookie`: a cookie has it then.",
    )
    expires_at: datetime | None = derived(
        lambda payload: payload.get("expires_at"),
        "When the session ends at the latest; it ends earlier after 30 minutes without use. Null on failure.",
    )
    viewer: Viewer | None = derived(lambda payload: payload.get("viewer"), "Who has signed in; null on failure.")


@strawberry.type(description="What signOut answers.", directives=[PARENT])
class SignOutPayload(Payload):
    """What signOut answers."""


@strawberry.input(description="A new password of one's own.")
class ChangePasswordInput:
    """A new password of one's own."""

    current_password: str = required("The password until now.")
    password: str = required("The new one: 15 to 128 characters, none that is often used.")


@strawberry.type(description="What changePassword answers.", directives=[PARENT])
class ChangePasswordPayload(Payload):
    """What changePassword answers."""

    user: User | None = changed("user", models.User)


@strawberry.input(description="A new user.")
class CreateUserInput:
    """A new user."""

    name: str = required("What they are called: 1 to 200 characters.")
    email: str = required("The email address with which they sign in, unique among users.")
    password: str | None = optional("15 to 128 characters, none that is often used. Without one they cannot sign in.")
    role_id: strawberry.ID | None = optional("The user role; without one they see only themself.")


@strawberry.input(description="A change of a user. What is omitted stays, null clears.")
class UpdateUserInput:
    """A change of a user."""

    id: strawberry.ID = required("Which user.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("What they are called; cannot be null.")
    email: str | None = optional("The email address with which they sign in; cannot be null.")
    password: str | None = optional("A new password; all their sessions end. Null leaves the password as it is.")
    role_id: strawberry.ID | None = optional("The user role; null takes all permissions away.")
    active: bool | None = optional("false disables the user and ends their sessions; cannot be null.")


@strawberry.type(description="What createUser answers.", directives=[PARENT])
class CreateUserPayload(Payload):
    """What createUser answers."""

    user: User | None = changed("user", models.User)


@strawberry.type(description="What updateUser answers.", directives=[PARENT])
class UpdateUserPayload(Payload):
    """What updateUser answers."""

    user: User | None = changed("user", models.User)


@strawberry.input(description="The end of all sessions of a user.")
class EndSessionsInput:
    """The end of all sessions of a user."""

    user_id: strawberry.ID = required("Whose sessions.")


@strawberry.type(description="What endSessions answers.", directives=[PARENT])
class EndSessionsPayload(Payload):
    """What endSessions answers."""

    ended: int | None = derived(lambda payload: payload["ids"].get("ended"), "How many there were; null on failure.")


@strawberry.input(description="A new user role.")
class CreateUserRoleInput:
    """A new user role."""

    name: str = required("Its name, unique among user roles: 1 to 100 characters.")
    permissions: list[Permission] = required("What its users may do; only permissions that you have.")


@strawberry.input(description="A change of a user role. What is omitted stays.")
class UpdateUserRoleInput:
    """A change of a user role."""

    id: strawberry.ID = required("Which user role; built-in roles stay as they are.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")
    name: str | None = optional("Its name; cannot be null.")
    permissions: list[Permission] | None = optional("All that its users may do; cannot be null.")


@strawberry.input(description="The end of a user role that no user has.")
class DeleteUserRoleInput:
    """The end of a user role."""

    id: strawberry.ID = required("Which user role; built-in roles cannot be deleted.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What createUserRole answers.", directives=[PARENT])
class CreateUserRolePayload(Payload):
    """What createUserRole answers."""

    user_role: UserRole | None = changed("user_role", models.UserRole)


@strawberry.type(description="What updateUserRole answers.", directives=[PARENT])
class UpdateUserRolePayload(Payload):
    """What updateUserRole answers."""

    user_role: UserRole | None = changed("user_role", models.UserRole)


@strawberry.type(description="What deleteUserRole answers.", directives=[PARENT])
class DeleteUserRolePayload(Payload):
    """What deleteUserRole answers."""

    deleted_id: strawberry.ID | None = deleted_id()


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """A new API key."""

    name: str = required("What it is for: 1 to 100 characters.")
    permissions: list[Permission] = required("What it may do: at least one, only permissions that you have.")
    expires_at: datetime | None = optional("When it ends by itself: at most 366 days away, which it is if omitted.")


@strawberry.type(description="What createApiKey answers.", directives=[PARENT])
class CreateApiKeyPayload(Payload):
    """What createApiKey answers."""

    api_key: ApiKey | None = changed("api_key", models.ApiKey)
    token: str | None = derived(
        lambda payload: payload.get("token"),
        "The key itself, shown once; send it as `Authorization: Bearer …`. Null on failure.",
    )


@strawberry.input(description="The end of an API key.")
class RevokeApiKeyInput:
    """The end of an API key."""

    id: strawberry.ID = required("Which API key.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless it has this revision.")


@strawberry.type(description="What revokeApiKey answers.", directives=[PARENT])
class RevokeApiKeyPayload(Payload):
    """What revokeApiKey answers."""

    api_key: ApiKey | None = changed("api_key", models.ApiKey)
