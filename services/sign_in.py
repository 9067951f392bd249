"""Signing in and out. Every failure is counted before it is known, and unknown accounts are treated like known ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit import SYSTEM, Action, Actor, ActorKind, Change, Request, transact
from audit.event import Pending
from models import ErrorCode, Fault, Row, SubjectType, User, clock, current, session, text, throttle
from models.identifier import new_id
from services import passwords, tokens, users
from services.throttling import count_attempt, throttled

ABSOLUTE = timedelta(hours=12)

# The nil UUID as a user: events about accounts that do not exist have a subject, too.
NOBODY = "usr_00000000000000000000000000"
UNKNOWN = "an unknown account"


@dataclass(frozen=True)
class SignedIn:
    """A new session; `token` is shown once. `seqs` are the numbers of its events."""

    token: str
    expires_at: datetime
    seqs: list[int]


async def sign_in(email: str, password: str, request: Request) -> SignedIn:
    """Open a session. Fault BAD_CREDENTIALS or THROTTLED; both leave their events."""
    account = text.key(email)
    key = "sign-in:" + hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()
    user, wait = (await transact(SYSTEM, request, lambda change: _count(change, key, email_key=account)))[0]
    if wait is not None:
        raise throttled(wait)
    usable = user is not None and user["active"]
    matches = await passwords.verify_password(user["password_hash"] if user and usable else None, password)
    if user is None or not matches:
        await transact(SYSTEM, request, lambda change: _failed(change, user))
        raise Fault(ErrorCode.BAD_CREDENTIALS, "Email or password is wrong.")
    rehashed = await passwords.hash_password(password) if passwords.needs_rehash(user["password_hash"]) else None
    return await _open(user, key, rehashed, request)


async def verify_current_password(user_id: str, password: str, request: Request) -> None:
    """Fault BAD_CREDENTIALS or THROTTLED unless it is the user's password: guesses count like failed sign-ins."""
    key = f"password:{user_id}"
    user, wait = (await transact(SYSTEM, request, lambda change: _count(change, key, id=user_id)))[0]
    if wait is not None:
        raise throttled(wait)
    if not await passwords.verify_password(user["password_hash"] if user else None, password):
        await transact(SYSTEM, request, lambda change: _failed(change, user))
        raise Fault(ErrorCode.BAD_CREDENTIALS, "This is not your current password.", ("current_password",))
    async with current().write():
        await throttle.clear(key)


async def sign_out(actor: Actor, user_id: str, session_id: str, request: Request) -> list[int]:
    """End this session; the numbers of the events."""

    async def work(change: Change) -> None:
        if await session.delete(session_id):
            change.mention(User, await change.get(User, user_id), Action.USER_SIGNED_OUT)

    return (await transact(actor, request, work))[1]


async def end_sessions(change: Change, user_id: str) -> int:
    """End all sessions of a user; how many there were."""
    row = await change.get(User, user_id, field=("user_id",))
    await users.check_may_manage(change, row)
    ended = await session.delete_of_user(user_id)
    if ended:
        change.mention(User, row, Action.USER_SESSIONS_REVOKED)
    return ended


async def _count(change: Change, key: str, **account: Any) -> tuple[Row | None, int | None]:
    """Count this attempt as a failure until it succeeds: (user, seconds to wait or None)."""
    await change.lock(key)
    found = await change.where(User, **account)
    user = found[0] if found else None
    wait, untold = await count_attempt(change, key)
    if untold:
        _mention(change, user, Action.USER_SIGN_IN_THROTTLED)
    return user, wait


async def _failed(change: Change, user: Row | None) -> None:
    _mention(change, user, Action.USER_SIGN_IN_FAILED)


def _mention(change: Change, user: Row | None, action: Action) -> None:
    if user is not None:
        change.mention(User, user, action)
    else:
        change.append(Pending(action, SubjectType.USER, NOBODY, 0, UNKNOWN, NOBODY))


async def _open(user: Row, key: str, rehashed: str | None, request: Request) -> SignedIn:
    token = tokens.new_token(tokens.SESSION_PREFIX)
    session_id = new_id("ses")
    actor = Actor(ActorKind.USER, user["id"], user["name"])
    expires_at = clock.now() + ABSOLUTE

    async def work(change: Change) -> None:
        row = await change.get(User, user["id"])
        if not row["active"] or row["password_hash"] != user["password_hash"]:
            raise Fault(ErrorCode.BAD_CREDENTIALS, "Email or password is wrong.")
        if rehashed is not None:
            row = await change.update(User, row, {"password_hash": rehashed})
        await throttle.clear(key)
        await session.create(session_id, row["id"], tokens.token_hash(token), change.now, expires_at)
        change.mention(User, row, Action.USER_SIGNED_IN)

    _, seqs = await transact(actor, request, work)
    return SignedIn(token, expires_at, seqs)
