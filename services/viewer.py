"""Who sends a request: found by their token."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from audit import Actor, ActorKind
from models import ApiKey, Permission, Row, clock, session
from models.identifier import prefix_of
from services import tokens

IDLE = timedelta(minutes=30)
TOUCH = timedelta(minutes=1)


# Who acts, and the session's id; None for API keys.
Viewer = tuple[Actor, str | None]


async def find_viewer(token: str) -> Viewer | None:
    """The viewer whose token this is; None when it is unknown, expired, revoked, or its user is disabled."""
    if token.startswith(tokens.API_KEY_PREFIX):
        return await _by_api_key(token)
    if token.startswith(tokens.SESSION_PREFIX):
        return await _by_session(token)
    return None


async def find_grantee(identifier: str) -> Actor | None:
    """Who has the session or the API key with this id; None when it has ended. That is no use of the session."""
    if prefix_of(identifier) == ApiKey.prefix:
        return _machine(await session.api_key_by_id(identifier))
    return _person(await session.by_id(identifier))


async def find_grantees(identifiers: Collection[str]) -> dict[str, Actor]:
    """As `find_grantee`, for many at once: who has them, by id, without those that have ended. Two statements."""
    keys = [identifier for identifier in identifiers if prefix_of(identifier) == ApiKey.prefix]
    sessions = [identifier for identifier in identifiers if prefix_of(identifier) != ApiKey.prefix]
    found = {identifier: _machine(row) for identifier, row in (await session.api_keys_by_ids(keys)).items()}
    found.update({identifier: _person(row) for identifier, row in (await session.by_ids(sessions)).items()})
    return {identifier: actor for identifier, actor in found.items() if actor is not None}


async def _by_session(token: str) -> Viewer | None:
    row = await session.by_token(tokens.token_hash(token))
    actor = _person(row)
    if row is None or actor is None:
        return None
    now = clock.now()
    if now >= row["last_used_at"] + TOUCH:
        session.touch(row["session_id"], now)
    return actor, row["session_id"]


async def _by_api_key(token: str) -> Viewer | None:
    actor = _machine(await session.api_key_by_token(tokens.token_hash(token)))
    return None if actor is None else (actor, None)


def _person(row: Row | None) -> Actor | None:
    now = clock.now()
    if row is None or not row["active"] or now >= row["expires_at"] or now >= row["last_used_at"] + IDLE:
        return None
    return Actor(ActorKind.USER, row["id"], row["name"], _known(row["permissions"]))


def _machine(row: Row | None) -> Actor | None:
    now = clock.now()
    if (
        row is None
        or not row["active"]
        or row["revoked_at"] is not None
        or (row["expires_at"] is not None and now >= row["expires_at"])
    ):
        return None
    return Actor(ActorKind.SYSTEM, row["id"], row["name"], _known(row["permissions"]))


def _known(names: list[str]) -> frozenset[Permission]:
    # A newer version may have stored permissions that this one does not know.
    return frozenset(Permission(name) for name in names if name in Permission.__members__)
