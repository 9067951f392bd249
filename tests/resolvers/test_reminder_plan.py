"""The plan of a day is what then goes out: to whom, and why; and which reminder of an invoice comes next."""

from __future__ import annotations

import base64
import json
from datetime import date, timedelta
from typing import Any

import pytest

from models import CommunicationKind, Database, Permission, current
from services import reminders, sales_documents
from services.templates import maintaining
from tests.client import Client, administrator, client_with
from tests.resolvers.stubs import actions, recorded
from tests.services.reminders.office import START, act, customer, invoice, on, opened, pay, set_standard, workflow

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage", "database")]

PLAN = """query ($date: Date!, $first: Int! = 20, $after: String) {
  reminderPlan(date: $date, first: $first, after: $after) { endCursor emails {
    kind step { days } statementMonth workflowName suppressed problem
    customer { id } salesDocument { id number } template { name }
    recipients { warning { code } recipients { email included reasons contact { lastName } } }
    communication { id subject reminderDays statementMonth } } } }"""
NEXT = """query ($id: ID!) {
  salesDocument(id: $id) { nextReminder { on step { days attachInvoice template { name } } } } }"""
DUE = START + timedelta(days=20)

# Kind, customer, invoice, step, month, why to nobody, who gets it.
Told = tuple[Any, ...]


async def plan(client: Client, day: date, first: int = 100) -> list[dict[str, Any]]:
    """All emails of the day's plan, page by page."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await client.run(PLAN, date=day.isoformat(), first=first, after=after))["reminderPlan"]
        assert client.errors == []
        assert len(page["emails"]) <= first
        found += page["emails"]
        after = page["endCursor"]
        if after is None:
            return found


def told(emails: list[dict[str, Any]]) -> set[Told]:
    """What a plan says of what is still to come."""
    return {
        (
            email["kind"],
            email["customer"]["id"],
            email["salesDocument"] and email["salesDocument"]["id"],
            email["step"] and email["step"]["days"],
            email["statementMonth"],
            email["suppressed"],
            tuple(sorted(one["email"] for one in email["recipients"]["recipients"] if one["included"])),
        )
        for email in emails
        if email["communication"] is None
    }


async def went_out(day: date) -> set[Told]:
    """What the tables say of that day."""
    people: dict[str, list[str]] = {}
    for row in await current().fetch("SELECT communication_id, email FROM delivery"):
        people.setdefault(row["communication_id"], []).append(row["email"])
    columns = ("kind", "customer_id", "sales_document_id", "reminder_step", "statement_month", "suppressed")
    return {
        (*(row[name] for name in columns), tuple(sorted(people.get(row["id"], ()))))
        for row in await current().fetch("SELECT * FROM communication")
        if row["created_at"].date() == day
    }


async def books() -> list[str]:
    """Invoices of several customers, due around DUE; their ids."""
    await opened(-3, 0, 7, monthly_statement=True)
    own = await workflow(4, attach_invoice=True)
    buyers = [
        await customer(people=2),
        await customer(people=0),
        await customer(reminders={"workflow_id": own["id"]}),
        await customer(reminders={"workflow_id": None}),
    ]
    return [
        await invoice(buyer, DUE + timedelta(days=number))
        for number, buyer in enumerate([*buyers, *buyers[:3], buyers[0]])
    ]


async def test_the_plan_of_today_is_what_is_sent_and_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reminders.attaching.pdf.statement", paper)
    with on(START):
        await books()
    today = DUE + timedelta(days=7)
    with on(today):
        client = await administrator()
        expected = await plan(client, today)
        assert {email["kind"] for email in expected} == {"WORKFLOW_REMINDER", "STATEMENT"}
        assert {email["suppressed"] for email in expected} == {None, "NO_RECIPIENT"}
        assert {email["template"]["name"] for email in expected} == {"Workflow reminder", "Statement"}
        assert all(email["workflowName"] for email in expected if email["salesDocument"] is not None)
        assert await plan(client, today, first=1) == expected
        await reminders.run()
        assert await went_out(today) == told(expected)
        after = await plan(client, today)
        assert told(after) == set()
        assert len(after) == len(expected)
        assert all(email["communication"]["subject"] and email["recipients"] is None for email in after)
        days = {email["salesDocument"]["id"]: email["step"]["days"] for email in expected if email["salesDocument"]}
        for email in after:
            sent = email["communication"]
            about = days[email["salesDocument"]["id"]] if email["salesDocument"] else None
            assert (sent["reminderDays"], sent["statementMonth"], email["step"]) == (
                about,
                email["statementMonth"],
                None,
            )
        assert await plan(client, today + timedelta(days=60)) == []


async def paper(*_: object) -> bytes:
    """A PDF that takes no time."""
    return b"%PDF-"


async def test_the_plan_of_a_day_to_come_is_what_a_daily_worker_sends_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reminders.attaching.pdf.statement", paper)
    days = [START + timedelta(days=number) for number in range(15, 40)]
    with on(days[0]):
        await books()
        client = await administrator()
        expected = {day: told(await plan(client, day)) for day in days}
    for day in days:
        with on(day):
            await reminders.run()
    assert {day: await went_out(day) for day in days} == expected
    assert sum(map(len, expected.values())) > 12


async def test_the_plan_says_why(database: Database) -> None:
    with on(START):
        await opened(0)
        nobody, somebody = await customer(people=0), await customer()
        document = await invoice(somebody, DUE)
        await invoice(nobody, DUE)
    with on(DUE):
        client = await administrator()
        emails = {email["customer"]["id"]: email for email in await plan(client, DUE)}
        assert emails[nobody]["suppressed"] == "NO_RECIPIENT"
        assert emails[nobody]["recipients"] == {"warning": {"code": "NO_CONTACT"}, "recipients": []}
        assert emails[somebody]["salesDocument"]["id"] == document
        [one] = emails[somebody]["recipients"]["recipients"]
        assert (one["included"], one["reasons"]) == (True, ["DESIGNATED"])
        await set_standard(CommunicationKind.WORKFLOW_REMINDER, enabled=False)
        assert {email["suppressed"] for email in await plan(client, DUE)} == {"TEMPLATE_DISABLED"}


async def test_a_plan_is_for_today_or_later_and_for_those_who_may_see_it() -> None:
    with on(START):
        await opened(0)
        client = await administrator()
        for day in (START - timedelta(days=1), START + timedelta(days=367), date.min, date.max):
            await client.run(PLAN, date=day.isoformat())
            assert client.codes == ["BAD_REQUEST"]
        assert await plan(client, START + timedelta(days=366)) == []
        for first in (0, 101):
            await client.run(PLAN, date=START.isoformat(), first=first)
            assert client.codes == ["BAD_PAGE"]
        bad: list[Any] = [[0, "cus_1"], [1, "sdo_1"], [2, ""], [0, ""], ["0", "x"], {}, 7, [True, ""], [0], [0, None]]
        for position in bad:
            cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
            await client.run(PLAN, date=START.isoformat(), after=cursor)
            assert client.codes == ["BAD_CURSOR"], position
        for cursor in ("", "é", "[" * 5000):
            await client.run(PLAN, date=START.isoformat(), after=cursor)
            assert client.codes == ["BAD_CURSOR"]
        bare = "query ($date: Date!) { reminderPlan(date: $date) { emails { kind } } }"
        for permission in (Permission.COMMUNICATIONS_READ, Permission.SALES_DOCUMENTS_READ):
            other = await client_with([permission])
            await other.run(bare, date=START.isoformat())
            assert other.codes == ["FORBIDDEN"]
            assert actions(await recorded(client, actorId=other.user["id"] if other.user else None)) == [
                "USER_PERMISSION_REFUSED"
            ]
        both = await client_with([Permission.COMMUNICATIONS_READ, Permission.SALES_DOCUMENTS_READ])
        assert await both.run(bare, date=START.isoformat()) == {"reminderPlan": {"emails": []}}


async def test_the_next_reminder_of_an_invoice() -> None:
    with on(START):
        await opened(-3, 0)
        own = await workflow(5, attach_invoice=True)
        buyer = await customer(reminders={"workflow_id": own["id"]})
        later, paid, draft, undated = (
            await invoice(buyer, DUE),
            await invoice(buyer, DUE),
            await invoice(buyer, DUE, posted=False),
            await invoice(buyer, None),
        )
        common = await invoice(await customer(), DUE)
        await pay(paid)
        client = await administrator()
        assert await _next(client, later) == {
            "on": (DUE + timedelta(days=5)).isoformat(),
            "step": {"days": 5, "attachInvoice": True, "template": None},
        }
        assert [await _next(client, one) for one in (paid, draft, undated)] == [None] * 3
        assert (await _next(client, common) or {})["on"] == (DUE - timedelta(days=3)).isoformat()
    with on(DUE):
        client = await administrator()
        assert (await _next(client, common) or {})["step"]["days"] == 0
        await reminders.run()
        assert await _next(client, common) is None
        await act(lambda change: sales_documents.update(change, later, None, {"due_on": DUE - timedelta(days=9)}))
        assert (await _next(client, later) or {})["on"] == DUE.isoformat()


async def _next(client: Client, document: str) -> dict[str, Any] | None:
    found = (await client.run(NEXT, id=document))["salesDocument"]["nextReminder"]
    assert found is None or isinstance(found, dict)
    return found


async def test_a_template_that_was_forced_to_be_broken_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with on(START):
        await opened(0)
        buyer = await customer()
        own = {"kind": CommunicationKind.WORKFLOW_REMINDER, "name": "Own"}
        fine = await workflow(0, template_id=(await act(lambda change: maintaining.create(change, own)))["id"])
        for _ in range(3):
            await invoice(buyer, DUE)
        good = await invoice(await customer(reminders={"workflow_id": fine["id"]}), DUE)
    await set_standard(CommunicationKind.WORKFLOW_REMINDER, text_source="{{ nothing.such }}")
    with on(DUE):
        client = await administrator()
        capsys.readouterr()
        counts = await reminders.run()
        assert (counts.sent, counts.failed) == (1, 3)
        said = capsys.readouterr().out
        assert said.count("Mend the template Workflow reminder first. Its text: Line 1: ") == 1
        assert "Traceback" not in said
        emails = await plan(client, DUE)
        problems = {email["salesDocument"]["id"]: email["problem"] for email in emails}
        assert problems.pop(good) is None
        assert len(problems) == 3
        assert all(problem.startswith("Mend the template Workflow reminder first.") for problem in problems.values())
