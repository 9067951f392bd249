"""How a mutation runs: one field, one recorded transaction, one payload.

The function behind a mutation gets the open change and what was sent, and returns the ids of what it changed. Faults
become the payload's errors. With an Idempotency-Key the answer is kept in the same transaction, and a repeat reads
it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from audit import Actor, Change, Request, transact
from models import ErrorCode, Fault, Forbidden, Row, clock, current, idempotency
from schema.access import Access
from schema.context import Context, Info
from schema.errors import RequestError
from schema.field import REQUIRED, SIZED_BY, given, with_signature
from services.throttling import record_refusal
from services.viewer import find_viewer

Sent = dict[str, Any]
Work = Callable[[Change, Sent], Awaitable[Mapping[str, Any]]]
LONGEST_KEY = 255


def mutation(
    work: Work,
    input_type: type,
    payload_type: type,
    description: str,
    access: Access,
    *,
    prepare: Callable[[Sent], Awaitable[None]] | None = None,
    verify: Callable[[Actor, Request, Sent], Awaitable[None]] | None = None,
    sized_by: tuple[str, ...] | None = None,
) -> Any:
    """A mutation field. `work` returns the payload's ids by name. `prepare` does what must happen before the
    transaction, such as hashing a password; it may add to what was sent. So may `verify`, which is told who acts: it
    checks a password in transactions of its own, so that failures stay recorded, or makes files. Neither runs for a
    repeat whose answer is known. `sized_by` is the way to the list in the arguments that has an item for each object of
    the answer.
    """

    async def resolve(root: Any, info: Info, **arguments: Any) -> Row:
        sent = given(arguments["input"])

        async def run() -> Row:
            actor = actor_of(info.context)
            earlier = await _answered_before(info) if prepare is not None or verify is not None else None
            if earlier is not None:
                return {"seqs": [], **earlier}
            if prepare is not None:
                await prepare(sent)
            if verify is not None:
                await verify(actor, info.context.request, sent)
            return await recorded(work, sent, info)

        return await answered(info, run)

    return mutation_field(resolve, input_type, payload_type, description, access, sized_by)


def mutation_field(
    resolve: Callable[..., Any],
    input_type: type | None,
    payload_type: type,
    description: str,
    access: Access,
    sized_by: tuple[str, ...] | None = None,
) -> Any:
    """A field of the Mutation type whose payload is nullable: one that fails does not erase its siblings' results."""
    argument = Annotated[input_type, strawberry.argument(description="What to do.")] if input_type else None
    parameters = {} if argument is None else {"input": (argument, REQUIRED)}
    return strawberry.field(
        resolver=with_signature(resolve, parameters),
        graphql_type=payload_type | None,
        description=description,
        directives=[access],
        metadata={SIZED_BY: sized_by} if sized_by else {},
    )


async def recorded(work: Work, sent: Sent, info: Info, told_by: str | None = None) -> Row:
    """The payload of `work`, run in a recorded transaction, or of an earlier request with the same Idempotency-Key.

    `told_by` tells this request from others with the key; by default that of the context does.
    """
    context = info.context
    key = _key(context, info)
    mark = context.told_by if told_by is None else told_by

    async def attempt(change: Change) -> Row:
        earlier = await _earlier(change, key, mark) if key else None
        if earlier is not None:
            return earlier
        # A copy: after a deadlock all of it is done again.
        payload: Row = {"ids": dict(await work(change, dict(sent))), "errors": []}
        if key:
            change.also.append(lambda seqs: idempotency.remember(key, mark, {**payload, "seqs": seqs}, change.now))
        return payload

    try:
        payload, seqs = await transact(actor_of(context), context.request, attempt)
    except Fault as fault:
        if key is None or fault.code is ErrorCode.IDEMPOTENCY_MISMATCH:
            raise
        failed = {**failure(fault), "errors": [{**user_error(fault), "code": fault.code.value}]}
        async with current().write() as transaction:
            await idempotency.forget(clock.now())
            sql, args = idempotency.remember(key, mark, failed, clock.now())
            await transaction.fetch(sql, *args)
        return failed
    return {"seqs": seqs, **payload}


def _key(context: Context, info: Info) -> str | None:
    if context.idempotency_key is None:
        return None
    if not 1 <= len(context.idempotency_key) <= LONGEST_KEY:
        raise RequestError("BAD_REQUEST", f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.")
    parts = [str(actor_of(context).id), context.idempotency_key, *map(str, info.path.as_list())]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


async def _answered_before(info: Info) -> Row | None:
    """The answer of an earlier request with the same Idempotency-Key, if it has one by now. Outside of transactions."""
    key = _key(info.context, info)
    return await _known(key, info.context.told_by, clock.now()) if key else None


async def _earlier(change: Change, key: str, told_by: str) -> Row | None:
    await change.lock(f"idempotency:{key}")
    earlier = await _known(key, told_by, change.now)
    if earlier is None:
        await idempotency.forget(change.now)
    return earlier


async def _known(key: str, told_by: str, at: datetime) -> Row | None:
    found = await idempotency.find(key, at)
    if found is None:
        return None
    known_by, payload = found
    if known_by != told_by:
        raise Fault(ErrorCode.IDEMPOTENCY_MISMATCH, "This Idempotency-Key was used for another request: use a new one.")
    answer: Row = payload
    return answer


async def answered(info: Info, run: Callable[[], Awaitable[Row]]) -> Row:
    """The payload that `run` makes, or one with the Fault that it raised; afterwards nothing read before is kept."""
    context = info.context
    try:
        await _look_again(context)
        return await run()
    except Fault as fault:
        return failure(fault)
    except Forbidden as refusal:
        raise await refused(info, refusal) from None
    finally:
        context.mutated = True
        context.loaders.clear()


async def _look_again(context: Context) -> None:
    """After another mutation of this request, the actor may be signed out or have other permissions."""
    if not context.mutated or context.token is None or context.actor is None:
        return
    viewer = await find_viewer(context.token)
    if viewer is not None and viewer[0].permissions != context.actor.permissions:
        raise RequestError("FORBIDDEN", "Your permissions have changed within this request: send the rest again.")
    if viewer is None:
        context.actor = None


async def refused(info: Info, refusal: Forbidden) -> RequestError:
    """The error of a request that the actor may not make; its event is recorded."""
    context = info.context
    if context.actor is not None:
        await record_refusal(context.actor, context.request, f"{info.field_name}: {refusal.message}")
    return RequestError("FORBIDDEN", refusal.message)


def failure(fault: Fault) -> Row:
    """The payload of a mutation that changed nothing."""
    return {"ids": {}, "seqs": [], "errors": [user_error(fault)]}


def user_error(fault: Fault) -> Row:
    """A Fault as the API shows it: the path begins with `input`, in the names of the API."""
    path = None
    if fault.field is not None:
        path = ["input", *(to_camel_case(part) if isinstance(part, str) else str(part) for part in fault.field)]
    return {
        "code": fault.code,
        "field": path,
        "message": fault.message,
        "current_revision": fault.current_revision,
        "retry_after": fault.retry_after,
    }


def actor_of(context: Context) -> Actor:
    """Who acts. Signed-in actors only come this far."""
    if context.actor is None:
        raise RequestError("UNAUTHENTICATED", "Sign in first.")
    return context.actor
