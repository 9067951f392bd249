"""Probable duplicates among customers: who may be one and the same, and why.

Customers are compared by what index entries lead to: the same preferred email address, phone number or tax id, and, for
similar names, the neighbours in the order of names within the city. So the cost for a customer is bounded, however many
there are: at most SAME_LIMIT others for each key and NEIGHBOURS on each side. Merged and inactive customers do not
count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from models.database import current
from models.likeness import similar
from models.table import Row


class DuplicateReason(Enum):
    """Why two customers are probably one. Values may be added."""

    SAME_EMAIL = "SAME_EMAIL"
    SAME_PHONE = "SAME_PHONE"
    SAME_TAX_ID = "SAME_TAX_ID"
    SIMILAR_NAME = "SIMILAR_NAME"


@dataclass(frozen=True)
class Duplicate:
    """Another customer that is probably the same. `similarity` of the names is 0.9 to 1, None when they differ more."""

    customer_id: str
    reasons: tuple[DuplicateReason, ...]
    similarity: float | None


@dataclass(frozen=True)
class Pair:
    """Two customers that are probably one: the one that was entered first, and the other."""

    customer_id: str
    duplicate: Duplicate


SAME_LIMIT = 20
NEIGHBOURS = 50

# So many are told of one customer, the most probable ones.
DUPLICATE_LIMIT = 10

# Reason, condition over `s` (the customer) and `c` (the other), order, limit.
_SAME = (
    (DuplicateReason.SAME_EMAIL, "email_key"),
    (DuplicateReason.SAME_PHONE, "phone_key"),
    (DuplicateReason.SAME_TAX_ID, "tax_key"),
)
_PARTS = (
    *((reason, f"c.{key} = s.{key} AND c.id <> s.id", "c.id", SAME_LIMIT) for reason, key in _SAME),
    *(
        (
            DuplicateReason.SIMILAR_NAME,
            f"c.city_key = s.city_key AND (c.match_key, c.id) {side} (s.match_key, s.id)",
            f"c.match_key {direction}, c.id {direction}",
            NEIGHBOURS,
        )
        for side, direction in ((">", "ASC"), ("<", "DESC"))
    ),
)
_COUNTS = "{0}.active AND {0}.merged_into_id IS NULL"

# More comparisons than that are made in a thread: 1,000 take about a millisecond.
_AT_ONCE = 1_000

# One look for pairs goes through so many customers at most, so many at a time.
SCAN_LIMIT = 1_000
_SCAN_STEP = 100


async def duplicates(customer_ids: Sequence[str]) -> list[list[Duplicate]]:
    """A loader: the probable duplicates of each customer, the most probable first. One statement."""
    found = await _decided(customer_ids)
    return [found.get(customer_id, [])[:DUPLICATE_LIMIT] for customer_id in customer_ids]


async def pairs(first: int, after: tuple[str, str] | None) -> tuple[list[Pair], tuple[str, str] | None]:
    """The next pairs after a position, at most `first` of them, and the position to go on from; None at the end.

    A position is the ids of a pair, or the id of a customer whose pairs have all been told and the empty string.
    They come in the order of the ids of both, each once. At most SCAN_LIMIT customers are looked at, in two statements
    for every 100: a page may be short, even empty, and not be the last one.
    """
    position = after or ("", "")
    found: list[Pair] = []
    for _ in range(SCAN_LIMIT // _SCAN_STEP):
        ids = await _next_ids(position[0], including=bool(position[1]))
        if not ids:
            return found, None
        decided = await _decided(ids)
        for customer_id in ids:
            others = sorted(decided.get(customer_id, ()), key=lambda one: one.customer_id)
            for other in others:
                if other.customer_id > customer_id and (customer_id, other.customer_id) > position:
                    if len(found) == first:
                        return found, position
                    found.append(Pair(customer_id, other))
                    position = (customer_id, other.customer_id)
        position = (ids[-1], "")
    return found, position


def decide(rows: Iterable[Row]) -> dict[str, list[Duplicate]]:
    """The duplicates of each subject, the most probable first, from rows of subject, other, reason and both keys.

    More reasons come before fewer, then more similar names, then older customers. Pure.
    """
    reasons: dict[tuple[str, str], set[DuplicateReason]] = {}
    named: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in rows:
        reason = DuplicateReason(row["reason"])
        if reason is DuplicateReason.SIMILAR_NAME:
            named.setdefault((row["subject"], row["subject_key"]), []).append((row["other"], row["other_key"]))
        else:
            reasons.setdefault((row["subject"], row["other"]), set()).add(reason)
    ratios = {
        (subject, other): ratio
        for (subject, key), others in named.items()
        for other, ratio in similar(key, others).items()
    }
    for pair in ratios:
        reasons.setdefault(pair, set()).add(DuplicateReason.SIMILAR_NAME)
    found: dict[str, list[Duplicate]] = {}
    for (subject, other), why in reasons.items():
        ordered = tuple(reason for reason in DuplicateReason if reason in why)
        found.setdefault(subject, []).append(Duplicate(other, ordered, ratios.get((subject, other))))
    for others in found.values():
        others.sort(key=lambda one: (-len(one.reasons), -(one.similarity or 0), one.customer_id))
    return found


async def _decided(customer_ids: Sequence[str]) -> dict[str, list[Duplicate]]:
    rows = await _candidates(customer_ids)
    if len(rows) <= _AT_ONCE:
        return decide(rows)
    return await asyncio.to_thread(decide, rows)


async def _next_ids(position: str, *, including: bool) -> list[str]:
    counts = _COUNTS.format("customer")
    sql = f"SELECT id FROM customer WHERE id {'>=' if including else '>'} ? AND {counts} ORDER BY id LIMIT {_SCAN_STEP}"
    return [row["id"] for row in await current().fetch(sql, position)]


async def _candidates(customer_ids: Sequence[str]) -> list[Row]:
    """Whom each customer is to be compared with: subject, other, reason, and the name keys of both."""
    bound = current()
    selects = []
    for reason, condition, order, limit in _PARTS:
        chosen = (
            f"SELECT c.id, c.match_key FROM customer c WHERE {condition} AND {_COUNTS.format('c')}"
            f" ORDER BY {order} LIMIT {limit}"
        )
        told = f"s.id AS subject, c.id AS other, '{reason.value}' AS reason, s.match_key AS subject_key"
        # SQLite keeps the order of a CROSS JOIN: first the wanted, then each of them by its id.
        if bound.dialect == "postgres":
            source = f"wanted w JOIN customer s ON s.id = w.id CROSS JOIN LATERAL ({chosen}) c"
        else:
            ids = chosen.replace("c.id, c.match_key", "c.id", 1)
            source = f"wanted w CROSS JOIN customer s ON s.id = w.id CROSS JOIN customer c ON c.id IN ({ids})"
        selects.append(f"SELECT {told}, c.match_key AS other_key FROM {source} WHERE {_COUNTS.format('s')}")
    array = "SELECT unnest(?::text[]) AS id" if bound.dialect == "postgres" else "SELECT value AS id FROM json_each(?)"
    sql = f"WITH wanted AS ({array}) " + " UNION ALL ".join(selects)
    return await bound.fetch(sql, bound.array(list(customer_ids)))
