"""The tree of customers: who pays for whom, and who stands above whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.customer import Customer
from models.database import current
from models.table import Row, read_list

# A customer's id, and the payment responsibility by which one came there.
_Place = tuple[str, str]

# The ways up, each part of them once, whoever goes there: `says` is the payment responsibility by which one goes on,
# `own` that of the row. UNION ends a circle that was forced past us. Where a way ends stands the customer that pays.
_WAYS = f"""
WITH RECURSIVE way (at, own, says, next) AS (
    SELECT c.id, c.payment_responsibility, c.payment_responsibility,
        CASE WHEN c.payment_responsibility <> 'BUYER' THEN c.parent_id END
    FROM customer c WHERE {{member}}
    UNION
    SELECT p.id, p.payment_responsibility,
        CASE way.says WHEN 'IMMEDIATE_PARENT' THEN 'BUYER' ELSE way.says END,
        CASE way.says WHEN 'TOP_LEVEL_PARENT' THEN p.parent_id END
    FROM way JOIN customer p ON p.id = way.next
)
SELECT way.at, way.own, way.says, way.next, {read_list(Customer, "c")}
FROM way LEFT JOIN customer c ON c.id = way.at AND way.next IS NULL"""

_ABOVE = """
WITH RECURSIVE above (id, parent_id) AS (
    SELECT c.id, c.parent_id FROM customer c WHERE c.id = ?
    UNION
    SELECT p.id, p.parent_id FROM above JOIN customer p ON p.id = above.parent_id
)
SELECT id FROM above"""


async def payers(customer_ids: Sequence[str]) -> list[Row | None]:
    """A loader: who pays for each customer; None for one whose way up is a circle. One statement, however deep."""
    bound = current()
    own: dict[str, str] = {}
    ways: dict[_Place, _Place | None] = {}
    paying: dict[str, Row] = {}
    for row in await bound.fetch(_WAYS.format(member=bound.member("c.id")), bound.array(list(customer_ids))):
        at, says, following = row.pop("at"), row.pop("says"), row.pop("next")
        own[at] = row.pop("own")
        if following is None:
            ways[at, says] = None
            paying[at] = row
        else:
            ways[at, says] = following, "BUYER" if says == "IMMEDIATE_PARENT" else says
    known: dict[_Place, str | None] = {}
    ends = (_end(ways, (one, own[one]), known) if one in own else None for one in customer_ids)
    return [None if end is None else paying[end] for end in ends]


def _end(ways: Mapping[_Place, _Place | None], start: _Place, known: dict[_Place, str | None]) -> str | None:
    """At whom the way from `start` ends; None in a circle. It becomes known of all places on the way."""
    path: list[_Place] = []
    place: _Place | None = start
    end: str | None = None
    while place is not None and place not in known:
        # Until it is: a circle comes back here.
        known[place] = None
        path.append(place)
        end, place = place[0], ways[place]
    if place is not None:
        end = known[place]
    known.update(dict.fromkeys(path, end))
    return end


async def with_ancestors(customer_id: str) -> set[str]:
    """The ids of the customer and of all above it. One statement, however deep."""
    return {row["id"] for row in await current().fetch(_ABOVE, customer_id)}
