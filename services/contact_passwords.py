"""The passwords of contacts: set by whoever holds a link that was emailed to them, once."""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, IPv6Network, ip_address

from audit import SYSTEM, Action, Actor, ActorKind, Change, Request, transact
from audit.event import Pending
from models import Contact, ErrorCode, Fault, Row, SubjectType, clock, throttle
from models.rows import by_ids
from models.table import decode_row
from services import password_links, passwords
from services.throttling import count_attempt, throttled

# The nil UUID as a contact: events about links that nobody has have a subject, too.
NOBODY = "con_00000000000000000000000000"
UNKNOWN = "an unknown contact"


async def set_by_link(token: str, password: str, request: Request) -> list[int]:
    """Set the password of the contact who got this link, which ends with all others of theirs: the events' numbers.

    Fault BAD_CREDENTIALS at `token` alike for links that are wrong, used or too old; THROTTLED for too many of those
    from one address, which never keeps a link that works from working. Fault INVALID at `password`.
    """
    contact = await _holder(token)
    if contact is None:
        return await _refuse(request)
    names = [name for name in (contact["first_name"], contact["last_name"]) if name]
    known = [*names, *(method["value"] for method in contact["methods"])]
    password_hash = await passwords.hash_password(
        await passwords.check_new_password(password, ("password",), context=known)
    )

    async def work(change: Change) -> bool:
        row = (await change.every(Contact, [contact["id"]])).get(contact["id"])
        works = await password_links.use(token, contact["id"], change.now)
        if row is None or not row["active"] or not works:
            return False
        await throttle.clear(_key(request))
        await change.update(Contact, row, {"password_hash": password_hash, "password_set_at": change.now})
        return True

    actor = Actor(ActorKind.CONTACT, contact["id"], Contact.label(contact), frozenset())
    worked, seqs = await transact(actor, request, work)
    return seqs if worked else await _refuse(request)


async def _holder(token: str) -> Row | None:
    identifier = await password_links.holder(token, clock.now())
    [row] = await by_ids(Contact)([identifier]) if identifier is not None else [None]
    return decode_row(Contact, row) if row is not None and row["active"] else None


async def _refuse(request: Request) -> list[int]:
    key = _key(request)

    async def count(change: Change) -> int | None:
        await change.lock(key)
        wait, untold = await count_attempt(change, key)
        if wait is None or untold:
            refused, waits = Action.CONTACT_PASSWORD_LINK_REFUSED, Action.CONTACT_PASSWORD_LINK_THROTTLED
            change.append(Pending(refused if wait is None else waits, SubjectType.CONTACT, NOBODY, 0, UNKNOWN, NOBODY))
        return wait

    wait, _ = await transact(SYSTEM, request, count)
    if wait is not None:
        raise throttled(wait, ("token",))
    message = "This link does not work: it was used, it is too old, or a part of it is missing. Ask for a new one."
    raise Fault(ErrorCode.BAD_CREDENTIALS, message, ("token",))


def _key(request: Request) -> str:
    return "password-link:" + hashlib.sha256(_network(request.client_address or "").encode()).hexdigest()


def _network(address: str) -> str:
    """The address, or of IPv6 the first 64 bits: whoever has one address there has all of these."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Network((int(found) >> 64 << 64, 64)))
    return address
