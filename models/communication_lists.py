"""The communication log: which lists of communications there are, and by what they can be filtered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from models import text
from models.communication import Communication, Delivery, DeliveryStatus
from models.listing import Condition, Key, Listing
from models.rows import merged_into

_CREATED_AT = (Key.column("created_at", datetime), Key.column("id"))

COMMUNICATIONS = Listing(Communication, {"CREATED_AT": _CREATED_AT}, "CREATED_AT", descending=True)
# A survivor has the communications of those that were merged into it: they keep the customer that they had then.
COMMUNICATIONS_OF_CUSTOMER = replace(COMMUNICATIONS, parent="customer_id", also=merged_into)
COMMUNICATIONS_OF_SALES_DOCUMENT = replace(COMMUNICATIONS, parent="sales_document_id")
COMMUNICATIONS_OF_CONTACT = replace(
    COMMUNICATIONS, through="t.id IN (SELECT d.communication_id FROM delivery d WHERE d.contact_id = {parent})"
)

DELIVERIES_OF_COMMUNICATION = Listing(Delivery, {"CREATED_AT": _CREATED_AT}, "CREATED_AT", parent="communication_id")

# What was to arrive, and did not.
PROBLEMS = (DeliveryStatus.BOUNCED, DeliveryStatus.FAILED)

# What nearly all emails come to.
_COMMON = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED})

# For who may not see sales documents.
NOT_ABOUT_SALES = Condition("NOT t.about_sales")


def communication_conditions(wanted: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a communication filter: customer_id (with those merged into it), sales_document_id, contact_id,
    email, kinds, statuses, suppressed, has_problem, from_ (inclusive) and to (exclusive). Absent and None mean no
    condition; an empty list matches nothing.
    """
    found = []
    if wanted.get("customer_id") is not None:
        ids = "SELECT ? UNION ALL SELECT c.id FROM customer c WHERE c.merged_into_id = ?"
        found.append(Condition(f"t.customer_id IN ({ids})", (wanted["customer_id"], wanted["customer_id"])))
    if wanted.get("sales_document_id") is not None:
        found.append(Condition("t.sales_document_id = ?", (wanted["sales_document_id"],)))
    if wanted.get("contact_id") is not None:
        found.append(_to_somebody(Condition("d.contact_id = ?", (wanted["contact_id"],))))
    if wanted.get("email") is not None:
        found.append(_to_somebody(Condition("d.email_key = ?", (text.key(wanted["email"]),))))
    if wanted.get("kinds") is not None:
        found.append(Condition.one_of("t.kind", [kind.value for kind in wanted["kinds"]]))
    if wanted.get("statuses") is not None:
        found.append(_with_status(wanted["statuses"]))
    if wanted.get("has_problem") is not None:
        problem = _with_status(PROBLEMS)
        found.append(problem if wanted["has_problem"] else Condition(f"NOT {problem.sql}", problem.args))
    if wanted.get("suppressed") is not None:
        found.append(Condition(f"t.suppressed IS {'NOT ' if wanted['suppressed'] else ''}NULL"))
    for name, comparison in (("from_", ">="), ("to", "<")):
        if wanted.get(name) is not None:
            found.append(Condition(f"t.created_at {comparison} ?", (wanted[name],)))
    return found


def _with_status(statuses: Sequence[DeliveryStatus]) -> Condition:
    wanted = Condition.one_of("d.status", [status.value for status in statuses])
    if _COMMON.isdisjoint(statuses):
        return _to_somebody(wanted)
    # Nearly all have it: one look at each is faster than to gather them all first.
    return Condition(f"EXISTS (SELECT 1 FROM delivery d WHERE d.communication_id = t.id AND {wanted.sql})", wanted.args)


def _to_somebody(wanted: Condition) -> Condition:
    """One of the deliveries is as wanted."""
    return Condition(f"(t.id IN (SELECT d.communication_id FROM delivery d WHERE {wanted.sql}))", wanted.args)
