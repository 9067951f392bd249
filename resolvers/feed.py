"""The live history: events in order, each once, to those who may see them at that moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import strawberry

from audit import Actor
from audit.feed import Following, beginning, follow
from audit.tail import Tail, tail
from models import Contact, Customer, Permission, Row
from models.identifier import prefix_of
from models.listing import Page
from models.out_of_reach import Unavailable
from resolvers.mutation import actor_of
from schema.access import needs
from schema.context import Context, Info
from schema.errors import UNAVAILABLE, RequestError
from schema.feed import ARGUMENTS, HistoryFeedEvent, requested
from schema.field import with_signature
from services.present import LOOK_EVERY, Present, present
from services.throttling import record_refusal

ENDED = "Your session or key is not valid any more: sign in again, and go on after the last cursor."

BEYOND = (
    "after: this cursor is beyond the newest event, as after the restore of a backup: read the history again, and begin"
    " without one."
)

LOST = "The database does not answer: try again later, after the last cursor."


async def _history_feed(root: Any, info: Info, **sent: Any) -> AsyncGenerator[Row, None]:
    context = info.context
    page, following = requested(sent, context.last_event_id)
    actor = actor_of(context)
    refused = _refused(actor, following)
    if refused is not None:
        await record_refusal(actor, context.request, str(refused))
        raise refused
    following = replace(following, view=not actor.may(Permission.AUDIT_READ))
    here, grantee = present(), context.grantee_id or ""
    try:
        with here.following(grantee):
            async with tail().followed() as newest:
                feed = _Feed(context, following, newest, here, grantee)
                async with aclosing(feed.events(page)) as events:
                    async for event in events:
                        yield event
    except Unavailable:
        raise RequestError(UNAVAILABLE, LOST) from None


class _Feed:
    """One feed. Before each event it is asked again who follows, and what they may see."""

    def __init__(self, context: Context, following: Following, newest: Tail, here: Present, grantee: str) -> None:
        self._context = context
        self._following = following
        self._newest = newest
        self._here = here
        self._grantee = grantee

    async def events(self, page: Page) -> AsyncGenerator[Row, None]:
        """The events with their cursors; RequestError when the follower may not follow any longer. Unavailable."""
        position = await self._beginning(page)
        async with aclosing(follow(self._newest, position, self._following, LOOK_EVERY)) as batches:
            async for rows in batches:
                await self._check()
                for row in rows:
                    await self._check()
                    # What was read for the event before may be another by now.
                    self._context.loaders.clear()
                    self._context.cursor = page.cursor_of(row)
                    yield {"cursor": self._context.cursor, "event": row}

    async def _beginning(self, page: Page) -> int:
        if page.cursor is None:
            return await beginning(self._newest, self._following)
        position: int = page.cursor[0]
        # Another process may know of events that this one has not read yet.
        if position > self._newest.last and position > await self._newest.newest():
            raise RequestError("BAD_CURSOR", BEYOND)
        return position

    async def _check(self) -> None:
        actor = await self._here.actor(self._grantee, self._newest.access)
        if actor is None:
            raise RequestError("UNAUTHENTICATED", ENDED)
        for need in self._context.needs:
            if told := need.unmet(actor):
                raise RequestError("FORBIDDEN", told)
        refused = _refused(actor, self._following)
        if refused is not None or (not self._following.view and not actor.may(Permission.AUDIT_READ)):
            raise refused or RequestError("FORBIDDEN", "This feed needs the permission AUDIT_READ.")
        self._context.actor = actor


def _refused(actor: Actor, following: Following) -> RequestError | None:
    """Who may not read the whole history may follow what the History view of a customer or a contact shows them."""
    if actor.may(Permission.AUDIT_READ):
        return None
    wanted = following.wanted
    of_customer = prefix_of(wanted.get("customer_id") or "") == Customer.prefix
    of_contact = prefix_of(wanted.get("subject_id") or "") == Contact.prefix
    if (of_customer or of_contact) and actor.may(Permission.HISTORY_READ) and actor.may(Permission.CUSTOMERS_READ):
        return None
    message = (
        "Subscription.historyFeed needs the permission AUDIT_READ; with HISTORY_READ and CUSTOMERS_READ, filter by"
        " `customerId`, or by a contact's `subjectId`."
    )
    return RequestError("FORBIDDEN", message)


@strawberry.type
class HistorySubscription:
    """Following the history."""

    history_feed: AsyncGenerator[HistoryFeedEvent, None] = strawberry.subscription(
        resolver=with_signature(_history_feed, ARGUMENTS),
        description=(
            "What happens, as it happens: events in the order of `seq`, each once. With `HISTORY_READ` alone, what the"
            " History view of one customer or contact shows; with `AUDIT_READ` everything. Values are withheld as in"
            " `history`, by what the follower may see at that moment. The feed ends, with an error, within 5 seconds"
            " of the session, the key or the permission."
        ),
        directives=[needs(Permission.AUDIT_READ, Permission.HISTORY_READ)],
    )
