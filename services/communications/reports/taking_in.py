"""Taking reports in: each finds its delivery, settles it, and is remembered, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit import Actor, ActorKind, Change, Request, transact
from models import Row
from models.delivery_reports import deliveries_of, remember
from models.text import key
from services.communications.reports.report import Report
from services.communications.settling import Outcome, settle_in_turn


@dataclass
class Tally:
    """How many reports were taken in, how many had been before, and how many are about emails that are not ours."""

    taken: int = 0
    repeated: int = 0
    unknown: int = 0


async def take_in(source: str, request: Request, reports: Sequence[Report]) -> Tally:
    """Settle the deliveries that the reports of `source` are about. `source` is whom history names, such as Amazon SES.

    Repeats change nothing, in whatever order and however often they come.
    """
    named = {one for report in reports for one in report.message_ids if one.isprintable()}
    known = await deliveries_of(named) if named else {}
    found = {
        hashlib.sha256(f"{source}\0{report.id}".encode("utf-8", "replace")).hexdigest(): matched
        for report in reports
        if (matched := _match(report, known)) is not None
    }
    tally = Tally(unknown=len([report for report in reports if _match(report, known) is None]))
    if not found:
        return tally

    async def work(change: Change) -> int:
        new = await remember(found, change.now)
        outcomes = [(identifier, _outcome(report, change)) for one, (identifier, report) in found.items() if one in new]
        await settle_in_turn(change, sorted(outcomes, key=lambda told: told[1].at))
        return len(new)

    tally.taken, _ = await transact(Actor(ActorKind.SYSTEM, None, source), request, work)
    tally.repeated = len(reports) - tally.unknown - tally.taken
    return tally


def _match(report: Report, known: Mapping[str, Sequence[Row]]) -> tuple[str, Report] | None:
    """The id of the delivery that the report is about, and what it says of it; None when it is none of ours.

    An email to one recipient only is theirs, also when somebody else reports: then it was sent on, and what is said
    about the other address says nothing about this one.
    """
    deliveries = next((known[one] for one in report.message_ids if one in known), ())
    keys = {key(address) for address in report.recipients}
    for delivery in deliveries:
        if delivery["email_key"] in keys:
            return delivery["id"], report
    if len(deliveries) != 1:
        return None
    elsewhere = Report(report.id, (), (), report.status, report.at, report.reply)
    return deliveries[0]["id"], elsewhere


def _outcome(report: Report, change: Change) -> Outcome:
    at = change.now if report.at is None else min(report.at, change.now)
    reply = None if report.reply is None else _readable(report.reply)
    return Outcome(report.status, at, reply or None, address_failed=report.address_failed, proven=report.proven)


def _readable(text: str) -> str:
    """On one line, of nothing but what can be stored and shown."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())
