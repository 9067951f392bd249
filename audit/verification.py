"""Verifying history by itself: nothing in it was changed, left out or put in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from audit.body import bodies
from audit.event import EVENT_COLUMNS, body_digest, digest, leaf_hash, leaf_of, read_disclosure
from models.engine import Database, Row

# So many events at a time are in memory.
PAGE = 1_000

Texts = Mapping[tuple[str, str], str]


@dataclass
class _Disclosed:
    """What the details of an event disclose: their digests, the long texts that they name, whether all can be read."""

    digests: set[str]
    texts: list[tuple[str, str]]
    readable: bool = True


async def verify_events(database: Database) -> list[str]:
    """What is wrong with history, a sentence each; empty when all is well.

    `seq` has no gap and `at` ascends. Each leaf says what the event's columns say, and its hash is right. Each
    disclosure is named by its event's leaf, and each long text is what its digest says. Disclosures and texts that are
    named and not there any more are counted in one sentence: they were erased, or removed by force. That the last
    events were cut off cannot be seen from what is left; `drift` sees it by the rows that they had changed.
    """
    problems: list[str] = []
    missing = 0
    last: Row | None = None
    async for events, details in _pages(database):
        texts = await bodies(database, (pair for disclosed in details.values() for pair in disclosed.texts))
        for event in events:
            disclosed = details.get(event["seq"], _Disclosed(set(), []))
            named = _named(event)
            expected = disclosed.digests if named is None else named
            faults = [*_event_faults(event, last, named), *_detail_faults(disclosed, expected, texts)]
            problems += [f"event {event['seq']}: {fault}" for fault in faults]
            missing += len(expected - disclosed.digests)
            missing += sum(pair not in texts for pair in disclosed.texts)
            last = event
    problems += [f"event {seq}: there are details, but no event" for seq in await _without_event(database)]
    if missing:
        problems.append(f"{missing} disclosures are missing: they were erased, or removed by force")
    return problems


async def _pages(database: Database) -> AsyncIterator[tuple[list[Row], dict[int, _Disclosed]]]:
    """Events in order of seq, and what the details of each disclose."""
    columns = ", ".join(EVENT_COLUMNS)
    sql = f"SELECT {columns} FROM event WHERE seq > ? ORDER BY seq LIMIT {PAGE}"
    position = 0
    while events := await database.fetch(sql, position):
        details: dict[int, _Disclosed] = {}
        for row in await database.fetch(
            "SELECT seq, about, disclosures FROM event_detail WHERE seq > ? AND seq <= ?", position, events[-1]["seq"]
        ):
            _read(row, details.setdefault(row["seq"], _Disclosed(set(), [])))
        yield events, details
        if len(events) < PAGE:
            return
        position = events[-1]["seq"]


def _read(detail: Row, into: _Disclosed) -> None:
    try:
        for text in json.loads(detail["disclosures"]):
            _, value = read_disclosure(text)
            into.digests.add(digest(text))
            if isinstance(value, dict):
                names = ("beforeDigest", "afterDigest")
                into.texts += [(detail["about"], value[name]) for name in names if name in value]
    except (ValueError, TypeError):
        into.readable = False


def _named(event: Row) -> set[str] | None:
    """The digests that the leaf names; None when it is not the leaf of the event's columns."""
    try:
        digests = json.loads(event["leaf"])["disclosures"]
        return set(digests) if leaf_of(event, digests) == event["leaf"] else None
    except (ValueError, TypeError, LookupError):
        return None


def _event_faults(event: Row, last: Row | None, named: set[str] | None) -> Iterator[str]:
    if event["seq"] != (last["seq"] if last else 0) + 1:
        yield "there is a gap before it"
    if last and event["at"] <= last["at"]:
        yield "it is not later than the one before it"
    if named is None:
        yield "the leaf does not say what the columns say"
    if leaf_hash(event["leaf"]) != event["leaf_hash"]:
        yield "the hash is not that of the leaf"


def _detail_faults(disclosed: _Disclosed, named: set[str], texts: Texts) -> Iterator[str]:
    if not disclosed.readable:
        yield "a detail cannot be read"
    for _ in disclosed.digests - named:
        yield "a disclosure is not named by the leaf"
    for pair in disclosed.texts:
        if pair in texts and body_digest(texts[pair]) != pair[1]:
            yield "a long text is not what its digest says"


async def _without_event(database: Database) -> list[int]:
    rows = await database.fetch(
        "SELECT DISTINCT seq FROM event_detail d WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = d.seq)"
        " ORDER BY seq"
    )
    return [row["seq"] for row in rows]
