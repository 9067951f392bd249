"""Oneself: who sends the request, signing in and out, one's own password and new API keys.

What answers with a secret is shown once, so it takes no Idempotency-Key.
"""

from __future__ import annotations

from typing import Any

import strawberry

from audit import Actor, ActorKind, Change, transact
from models import ErrorCode, Fault, Permission, Row, User
from models.rows import by_ids
from resolvers.mutation import actor_of, answered, mutation_field
from schema.access import PUBLIC, SIGNED_IN, needs
from schema.actor import Viewer
from schema.context import Context, Info
from schema.field import given
from schema.user_mutations import (
    ChangePasswordInput,
    ChangePasswordPayload,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    SignInInput,
    SignInPayload,
    SignOutPayload,
)
from services import api_keys, sign_in, users
from services.viewer import find_viewer


async def _viewer(info: Info) -> Any:
    return await _shown(info, actor_of(info.context))


async def _shown(info: Info, actor: Actor) -> Row:
    load = by_ids(User)
    user = await info.context.loaders.load(load, load, actor.id) if actor.kind is ActorKind.USER else None
    shown = {"kind": actor.kind, "id": actor.id, "name": actor.name, "permissions": actor.permissions or frozenset()}
    return {"actor": shown, "user": user}


async def _sign_in(root: Any, info: Info, **arguments: Any) -> Any:
    sent = given(arguments["input"])

    async def run() -> Row:
        opened = await sign_in.sign_in(sent["email"], sent["password"], info.context.request)
        found = await find_viewer(opened.token)
        if found is None:
            raise Fault(ErrorCode.BAD_CREDENTIALS, "Email or password is wrong.")
        # Mutations after this one in the same request are still sent by whoever sent the request.
        viewer = await _shown(info, found[0])
        context = info.context
        ended: list[int] = []
        if context.in_cookie:
            ended = await _replaced(context)
            context.new_cookie = opened.token
        return {
            "ids": {},
            "seqs": [*opened.seqs, *ended],
            "errors": [],
            "token": None if context.in_cookie else opened.token,
            "expires_at": opened.expires_at,
            "viewer": viewer,
        }

    return await answered(info, run)


async def _replaced(context: Context) -> list[int]:
    """End the session that was in the cookie until now (OWASP ASVS 5.0, 7.2.4); the numbers of the events.

    It need not be the sender's: a bearer token goes before the cookie.
    """
    token = _in_cookie(context)
    found = await find_viewer(token) if token else None
    if found is None:
        return []
    actor, session_id = found
    return await sign_in.sign_out(actor, str(actor.id), session_id, context.request) if session_id else []


def _in_cookie(context: Context) -> str | None:
    """What the browser's cookie holds after the mutations that are over."""
    return context.cookie if context.new_cookie is None else context.new_cookie


async def _sign_out(root: Any, info: Info) -> Any:
    context = info.context

    async def run() -> Row:
        actor = actor_of(context)
        if context.session_id is None:
            raise Fault(ErrorCode.INVALID, "An API key has no session to sign out of: revoke the key instead.")
        seqs = await sign_in.sign_out(actor, str(actor.id), context.session_id, context.request)
        if _in_cookie(context) == context.token:
            context.new_cookie = ""
        return {"ids": {}, "seqs": seqs, "errors": []}

    return await answered(info, run)


async def _change_password(root: Any, info: Info, **arguments: Any) -> Any:
    sent = given(arguments["input"])
    context = info.context

    async def run() -> Row:
        actor = actor_of(context)
        if actor.kind is not ActorKind.USER:
            raise Fault(ErrorCode.INVALID, "Only users have passwords.")
        user_id = str(actor.id)
        await sign_in.verify_current_password(user_id, sent["current_password"], context.request)
        [user] = await by_ids(User)([user_id])
        known = {"email": user["email"], "name": user["name"]} if user else {}
        hashed = await users.password_hash({**known, "password": sent["password"]})

        async def work(change: Change) -> None:
            await users.change_password(change, user_id, str(hashed), context.session_id)

        _, seqs = await transact(actor, context.request, work)
        return {"ids": {"user": user_id}, "seqs": seqs, "errors": []}

    return await answered(info, run)


async def _create_api_key(root: Any, info: Info, **arguments: Any) -> Any:
    sent = given(arguments["input"])
    context = info.context

    async def run() -> Row:
        actor = actor_of(context)
        (row, token), seqs = await transact(actor, context.request, lambda change: api_keys.create(change, sent))
        return {"ids": {"api_key": row["id"]}, "seqs": seqs, "errors": [], "token": token}

    return await answered(info, run)


@strawberry.type
class ViewerQuery:
    """Reading oneself."""

    viewer: Viewer = strawberry.field(resolver=_viewer, description="Who sends this request.", directives=[SIGNED_IN])


@strawberry.type
class ViewerMutation:
    """Signing in and out, one's own password, new API keys."""

    sign_in = mutation_field(
        _sign_in,
        SignInInput,
        SignInPayload,
        "Open a session. Errors: BAD_CREDENTIALS, THROTTLED (with retryAfter in seconds).",
        PUBLIC,
    )
    sign_out = mutation_field(_sign_out, None, SignOutPayload, "End the session of this request.", SIGNED_IN)
    change_password = mutation_field(
        _change_password,
        ChangePasswordInput,
        ChangePasswordPayload,
        "Change one's own password; the user's other sessions end.",
        SIGNED_IN,
    )
    create_api_key = mutation_field(
        _create_api_key,
        CreateApiKeyInput,
        CreateApiKeyPayload,
        "Make an API key. Its token is shown once.",
        needs(Permission.API_KEYS_WRITE),
    )
