"""Links by which contacts set their passwords: single use, 48 hours. Only the digest of a link's token is kept.

A link's token is made when its email leaves, anew for each attempt, so that it never stands in the log, in history or
in the outbox: what is stored has a placeholder in its place.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from models import Row, current
from models.contact_rows import still_written_to
from services import mail
from services.tokens import PASSWORD_PREFIX, new_token, token_hash

VALID = timedelta(hours=48)

# It stands in the address of a stored link where the token was.
PLACEHOLDER = "single-use-token"
_HERE = re.compile(rf"//127\.0\.0\.1[:/]\S*#{re.escape(PLACEHOLDER)}")


def address() -> str | None:
    """The address of a link, with the placeholder; None where nobody has said where the portal is. The token is its
    fragment, which browsers send to no server and so leaves no trace in logs and referrers: the portal reads it, and
    sends it to setContactPassword.
    """
    portal_url = mail.current().portal_url
    return None if portal_url is None else f"{portal_url.rstrip('/')}/set-password#{PLACEHOLDER}"


async def issue(contact_id: str | None, address: str, now: datetime) -> str | None:
    """The token of a new link for the contact, in a write transaction of its own. Links that have expired go.

    None unless the contact is active and `address`, which it is sent to, is the preferred one: whoever changes that
    ends the contact's links, before or after this.
    """
    token = new_token(PASSWORD_PREFIX)
    async with current().write() as transaction:
        if not await still_written_to(contact_id, address):
            return None
        await transaction.fetch("DELETE FROM password_link WHERE expires_at <= ?", now)
        await transaction.fetch(
            "INSERT INTO password_link (id, contact_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
            token_hash(token),
            contact_id,
            now,
            now + VALID,
        )
    return token


async def holder(token: str, now: datetime) -> str | None:
    """The id of the contact whose password the link with this token sets; None unless it works now."""
    found = await current().fetch(
        "SELECT contact_id FROM password_link WHERE id = ? AND expires_at > ?", _digest(token), now
    )
    return str(found[0]["contact_id"]) if found else None


async def use(token: str, contact_id: str, now: datetime) -> bool:
    """End all links of the contact, in the transaction that sets the password; whether this one worked until now."""
    ended = await end(contact_id)
    return any(row["id"] == _digest(token) and row["expires_at"] > now for row in ended)


async def end(contact_id: str) -> list[Row]:
    """End all links of the contact, in a write transaction: they were sent to somebody who is not to use them."""
    sql = "DELETE FROM password_link WHERE contact_id = ? RETURNING id, expires_at"
    return await current().fetch(sql, contact_id)


def _digest(token: str) -> str:
    # What somebody sends can hold halves of characters, which no encoding has.
    return token_hash(token) if token.isascii() else ""


def leads_here(body: str) -> bool:
    """Whether the link of an email that is not filled yet leads to the machine that recorded it."""
    return _HERE.search(body) is not None


def filled(body: str, token: str) -> str:
    """The body of an email as it leaves: with the token."""
    return body.replace(PLACEHOLDER, token)
