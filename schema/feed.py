"""The live history: what a feed of it is asked for, and what it delivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from audit.feed import Following
from audit.history import HISTORY
from models.listing import BadCursor, Page, request_page
from schema.access import PARENT
from schema.connection import argument
from schema.errors import RequestError
from schema.field import given, plain
from schema.history import HistoryEvent, HistoryFilter, history_conditions

ARGUMENTS: Mapping[str, tuple[Any, Any]] = {
    "after": (
        argument(
            str | None,
            "Begin after the event with this cursor: of this feed, or of the connection `history` with the same filter."
            " Without it the feed begins at `filter.from` if that is given, else with what happens from now on.",
        ),
        None,
    ),
    "filter": (argument(HistoryFilter | None, "Only events that fit all of the filter's fields."), None),
}


@strawberry.type(description="What a feed of the history delivers.", directives=[PARENT])
class HistoryFeedEvent:
    """What a feed of the history delivers."""

    cursor: str = plain("Where the event stands: a feed that broke off goes on `after` it, with the same filter.")
    event: HistoryEvent = plain("What happened.")


def requested(sent: Mapping[str, Any], last_event_id: str | None) -> tuple[Page, Following]:
    """What a feed is asked for, with the cursors of the connection `history`. `last_event_id` goes before `after`."""
    wanted = given(sent["filter"]) if sent.get("filter") is not None else {}
    try:
        after = sent["after"] if last_event_id is None else last_event_id
        return request_page(HISTORY, after=after, conditions=history_conditions(wanted)), Following(wanted)
    except BadCursor:
        message = "after: this cursor is not from this feed or from `history` with this filter: begin without one."
        raise RequestError("BAD_CURSOR", message) from None
