"""Reminders and monthly statements: the plan of a day."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, timedelta
from typing import Any

import strawberry

from models import Customer, Forbidden, Permission, Row, SalesDocument, clock
from models.listing import DEFAULT_PAGE, MAX_PAGE
from resolvers.mutation import actor_of, refused
from schema.access import needs
from schema.connection import LIST, argument
from schema.context import Info
from schema.errors import RequestError, check_reference
from schema.field import REQUIRED, with_signature
from schema.reminder_plan import ReminderPlanPage
from services import reminders
from services.reminders.planning import REMINDERS

# Days from today on.
FURTHEST = 366

_KEYS = (SalesDocument, Customer)


async def _plan(root: Any, info: Info, date: date, first: int, after: str | None) -> Any:
    if not actor_of(info.context).may(Permission.SALES_DOCUMENTS_READ):
        raise await refused(info, Forbidden("Reminders need the permission SALES_DOCUMENTS_READ, too."))
    if not 1 <= first <= MAX_PAGE:
        raise RequestError("BAD_PAGE", f"first must be from 1 to {MAX_PAGE}.")
    today = clock.now().date()
    if not timedelta() <= date - today <= timedelta(FURTHEST):
        raise RequestError(
            "BAD_REQUEST",
            f"date: choose today ({today.isoformat()} UTC) or one of the {FURTHEST} days after it. What was sent before"
            " is in the communication log.",
        )
    items, position = await reminders.page(date, today, first, None if after is None else _position(after))
    return {
        "emails": [_shown(item) for item in items],
        "end_cursor": None if position is None else _cursor(position),
    }


def _shown(item: reminders.Item) -> Row:
    return {
        "kind": item.kind,
        "customer_id": item.customer["id"],
        "sales_document": item.invoice,
        "workflow_name": item.workflow,
        "step": None if item.sent_id is not None else item.step,
        "statement_month": item.month,
        "template": item.template,
        "recipients": None if item.sent_id is not None else {"decisions": item.decisions, "planned": True},
        "suppressed": item.suppressed,
        "problem": item.problem,
        "communication_id": item.sent_id,
    }


def _cursor(position: reminders.Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(cursor: str) -> reminders.Position:
    try:
        stage, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(stage) is not int or stage not in range(len(_KEYS)) or (key == "" and stage == REMINDERS):
            raise ValueError("no stage of ours")
        if key != "":
            check_reference("after", key, _KEYS[stage])
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError, RequestError):
        raise RequestError("BAD_CURSOR", "after: this cursor is not from this list: begin without one.") from None
    return stage, key


@strawberry.type
class ReminderQuery:
    """Reading what goes out by itself."""

    reminder_plan: ReminderPlanPage = strawberry.field(
        resolver=with_signature(
            _plan,
            {
                "date": (argument(date, f"The day (UTC): today, or at most {FURTHEST} days later."), REQUIRED),
                "first": (argument(int, f"How many emails at most: 1 to {MAX_PAGE}."), DEFAULT_PAGE),
                "after": (argument(str | None, "The `endCursor` of the page before."), None),
            },
        ),
        description="Which reminders and monthly statements go out by themselves on a day, to whom, and why: running"
        " them does the same. Of today also what has gone out. Of a day to come what falls on it, if nothing changes"
        " until then and what falls on the days before has gone out. A page may have fewer emails than asked for, and"
        " not be the last one: go on while there is an `endCursor`. Needs SALES_DOCUMENTS_READ, too.",
        directives=[needs(Permission.COMMUNICATIONS_READ)],
        metadata={LIST: None},
    )
