"""Order passwords: what a contact says when ordering. Hashes, never viewed; wrong ones wait and are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Action, Actor, Change, Request, transact
from models import Contact, ErrorCode, Fault, Row, current, throttle
from services import passwords
from services.throttling import count_attempt, throttled

_FIELD = ("order_password",)


async def hash_new(password: str | None) -> str | None:
    """The hash of a new password, checked; None for None. Runs before any transaction."""
    if password is None:
        return None
    return await passwords.hash_password(passwords.check_spoken_password(password, ("password",)))


async def set_hash(change: Change, identifier: str, expected_revision: int | None, password_hash: str | None) -> Row:
    """Give the contact the password of this hash, or none any more. Failures before are forgotten."""
    row = await change.get(Contact, identifier, expected_revision, field=("contact_id",))
    await throttle.clear(_key(identifier))
    if password_hash is None:
        return await change.update(Contact, row, _columns(None))
    by = {"kind": change.actor.kind.value, "id": change.actor.id, "name": change.actor.name}
    return await change.update(Contact, row, _columns(password_hash, change.now, by))


async def verify(
    actor: Actor, request: Request, contact: Row, password: str, sales_document_id: str | None
) -> str | None:
    """The hash that the password has matched; None for a contact without one. Runs before the transaction.

    Fault BAD_CREDENTIALS or THROTTLED at `order_password`: both leave their events on the contact, and on the sales
    document if there is one already.
    """
    identifier, stored = contact["id"], contact["order_password_hash"]
    if stored is None:
        return None
    key = _key(identifier)

    async def count(change: Change) -> int | None:
        await change.lock(key)
        wait, untold = await count_attempt(change, key)
        if untold:
            await mention(change, Action.CONTACT_ORDER_PASSWORD_THROTTLED)
        return wait

    async def mention(change: Change, action: Action) -> None:
        row = await change.read(Contact, identifier, field=("contact_id",))
        change.mention(Contact, row, action, sales_document_id=sales_document_id)

    wait, _ = await transact(actor, request, count)
    if wait is not None:
        raise throttled(wait, _FIELD)
    if not await passwords.verify_password(stored, password):
        await transact(actor, request, lambda change: mention(change, Action.CONTACT_ORDER_PASSWORD_FAILED))
        raise _wrong()
    async with current().write():
        await throttle.clear(key)
    return str(stored)


def check_verified(contact: Row, given: Mapping[str, Any]) -> None:
    """Fault unless `verified_hash` in what was given is the contact's password still."""
    check_has_one(contact)
    if given.get("verified_hash") != contact["order_password_hash"]:
        raise _wrong()


def check_has_one(contact: Row) -> None:
    """Fault INVALID at `contact_id` when the contact has no order password."""
    if contact["order_password_hash"] is None:
        raise Fault.invalid("This contact has no order password: set one first (setOrderPassword).", "contact_id")


def _key(contact_id: str) -> str:
    return f"order-password:{contact_id}"


def _columns(password_hash: str | None, at: object = None, by: object = None) -> dict[str, Any]:
    return {"order_password_hash": password_hash, "order_password_set_at": at, "order_password_set_by": by}


def _wrong() -> Fault:
    return Fault(ErrorCode.BAD_CREDENTIALS, "This is not the contact's order password.", _FIELD)
