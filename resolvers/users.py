"""Users, their roles, and API keys: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Change
from models import Permission, UserRole
from models.listings import API_KEYS, USER_ROLES, USERS
from models.rows import by_ids
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection, connection
from schema.user import ApiKey, User
from schema.user import UserRole as UserRoleType
from schema.user_mutations import (
    CreateUserInput,
    CreateUserPayload,
    CreateUserRoleInput,
    CreateUserRolePayload,
    DeleteUserRoleInput,
    DeleteUserRolePayload,
    EndSessionsInput,
    EndSessionsPayload,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    UpdateUserInput,
    UpdateUserPayload,
    UpdateUserRoleInput,
    UpdateUserRolePayload,
)
from services import api_keys, sign_in, user_roles, users

_READ = needs(Permission.USERS_READ)
_WRITE = needs(Permission.USERS_WRITE)


@strawberry.type
class UserQuery:
    """Reading users, their roles, and API keys."""

    user: User | None = single(models.User, "One user; null when there is none with this ID.", _READ)
    users: Connection[User] = connection(USERS, "All users, by name.", access=_READ)
    user_role: UserRoleType | None = single(UserRole, "One user role; null when there is none with this ID.", _READ)
    user_roles: Connection[UserRoleType] = connection(USER_ROLES, "All user roles, by name.", access=_READ)
    api_keys: Connection[ApiKey] = connection(API_KEYS, "All API keys, by name.", access=_READ)


async def _hash(sent: Sent) -> None:
    sent["password_hash"] = await users.password_hash(sent)
    sent.pop("password", None)


async def _create_user(change: Change, sent: Sent) -> Sent:
    password_hash = sent.pop("password_hash")
    return {"user": (await users.create(change, sent, password_hash))["id"]}


async def _hash_of_known(sent: Sent) -> None:
    # A password must not be made of the user's name or email, those that stay included.
    user = None
    if sent.get("password") is not None:
        [user] = await by_ids(models.User)([sent["id"]])
    known = {"email": user["email"], "name": user["name"]} if user else {}
    sent["password_hash"] = await users.password_hash({**known, **sent})
    sent.pop("password", None)


async def _update_user(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    password_hash = sent.pop("password_hash")
    return {"user": (await users.update(change, identifier, revision, sent, password_hash))["id"]}


async def _end_sessions(change: Change, sent: Sent) -> Sent:
    return {"ended": await sign_in.end_sessions(change, sent["user_id"])}


async def _create_role(change: Change, sent: Sent) -> Sent:
    return {"user_role": (await user_roles.create(change, sent))["id"]}


async def _update_role(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"user_role": (await user_roles.update(change, identifier, revision, sent))["id"]}


async def _delete_role(change: Change, sent: Sent) -> Sent:
    await user_roles.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


async def _revoke_api_key(change: Change, sent: Sent) -> Sent:
    return {"api_key": (await api_keys.revoke(change, sent["id"], sent.get("expected_revision")))["id"]}


@strawberry.type
class UserMutation:
    """Changing users, their roles, and API keys."""

    create_user = mutation(_create_user, CreateUserInput, CreateUserPayload, "Add a user.", _WRITE, prepare=_hash)
    update_user = mutation(
        _update_user, UpdateUserInput, UpdateUserPayload, "Change or disable a user.", _WRITE, prepare=_hash_of_known
    )
    end_sessions = mutation(_end_sessions, EndSessionsInput, EndSessionsPayload, "End all sessions of a user.", _WRITE)
    create_user_role = mutation(_create_role, CreateUserRoleInput, CreateUserRolePayload, "Add a user role.", _WRITE)
    update_user_role = mutation(
        _update_role, UpdateUserRoleInput, UpdateUserRolePayload, "Change a user role of your own.", _WRITE
    )
    delete_user_role = mutation(
        _delete_role, DeleteUserRoleInput, DeleteUserRolePayload, "Delete a user role that no user has.", _WRITE
    )
    revoke_api_key = mutation(
        _revoke_api_key,
        RevokeApiKeyInput,
        RevokeApiKeyPayload,
        "End an API key now.",
        needs(Permission.API_KEYS_WRITE),
    )
