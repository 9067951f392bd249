"""How mail gets out and comes back (operational): the outbox, attached bytes, password links, reports."""

from __future__ import annotations

from piccolo.columns import BigInt, Integer, Text, Timestamptz
from piccolo.table import Table

from models.communication import Communication
from models.table import Json, reference


class OutboxMessage(Table, tablename="outbox_message"):
    """A message that waits for its next attempt; the row goes when all of its deliveries are settled.

    Whoever attempts it holds a lease: until `leased_until` nobody else does, and only who knows `lease` records what
    came of it. After `expires_at` there is no further attempt. `waiting` is a list of the deliveries that are still to
    be sent; None before the first outcome: all that have this message.
    """

    message_id = Text(primary_key=True)
    communication_id = reference(Communication, null=False)
    due_at = Timestamptz()
    expires_at = Timestamptz()
    attempts = Integer()
    lease = Text(null=True)
    leased_until = Timestamptz(null=True, default=None)
    waiting = Json(null=True)


class CommunicationContent(Table, tablename="communication_content"):
    """Which bytes communications attach: an index over `communication.attachments`."""

    id = Text(primary_key=True)
    communication_id = reference(Communication, null=False)
    sha256 = Text()
    size = BigInt()


class PasswordLink(Table, tablename="password_link"):
    """A link by which a contact sets their password, once, until it expires. `id` is the digest of its token."""

    id = Text(primary_key=True)
    contact_id = Text()
    created_at = Timestamptz()
    expires_at = Timestamptz()


class DeliveryReport(Table, tablename="delivery_report"):
    """A report about deliveries that was taken in; `id` is a digest of who sent it and of what they call it."""

    id = Text(primary_key=True)
    received_at = Timestamptz()
