"""The live history: what a feed of it is asked for, and what it delivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import strawberry

from audit.feed import Following
from audit.history import CONTACT_HISTORY, CUSTOMER_HISTORY, HISTORY, SALES_DOCUMENT_HISTORY
from models.listing import BadCursor, Listing, Page, request_page
from schema.access import PARENT
from schema.connection import argument
from schema.errors import RequestError
from schema.field import given, plain
from schema.history import HistoryEvent, HistoryFilter, history_conditions

ARGUMENTS: Mapping[str, tuple[Any, Any]] = {
    "after": (
        argument(
            str | None,
            "Begin after the event with this cursor: of this feed, or of the connection `history` with the same filter,"
            " that of the customer, the contact or the sales document in the filter included."
            " Without it the feed begins at `filter.from` if that is given, else with what happens from now on.",
        ),
        None,
    ),
    "filter": (argument(HistoryFilter | None, "Only events that fit all of the filter's fields."), None),
}

# The history of one object, by the field of the filter that names the object.
_NESTED: Mapping[str, Listing] = {
    "customer_id": CUSTOMER_HISTORY,
    "subject_id": CONTACT_HISTORY,
    "sales_document_id": SALES_DOCUMENT_HISTORY,
}


@strawberry.type(description="What a feed of the history delivers.", directives=[PARENT])
class HistoryFeedEvent:
    """What a feed of the history delivers."""

    cursor: str = plain("Where the event stands: a feed that broke off goes on `after` it, with the same filter.")
    event: HistoryEvent = plain("What happened.")


def requested(sent: Mapping[str, Any], last_event_id: str | None) -> tuple[Page, Following]:
    """What a feed is asked for, with the cursors of the connection `history`. `last_event_id` goes before `after`."""
    wanted = given(sent["filter"]) if sent.get("filter") is not None else {}
    after = sent["after"] if last_event_id is None else last_event_id
    page = request_page(HISTORY, conditions=history_conditions(wanted))
    if after is not None:
        page = replace(page, cursor=_cursor(after, wanted))
    return page, Following(wanted)


def _cursor(after: str, wanted: Mapping[str, Any]) -> tuple[Any, ...]:
    """The position that a cursor of any list tells in which the followed events stand."""
    for listing, filtered in _lists(wanted):
        try:
            return request_page(listing, after=after, conditions=history_conditions(filtered)).cursor or ()
        except BadCursor:
            continue
    message = "after: this cursor is not from this feed or from `history` with this filter: begin without one."
    raise RequestError("BAD_CURSOR", message)


def _lists(wanted: Mapping[str, Any]) -> Iterator[tuple[Listing, Mapping[str, Any]]]:
    yield HISTORY, wanted
    for name, listing in _NESTED.items():
        if wanted.get(name) is not None:
            # Whose history it is may stand in the list's filter, too, and need not.
            yield listing, wanted
            yield listing, {key: value for key, value in wanted.items() if key != name}
