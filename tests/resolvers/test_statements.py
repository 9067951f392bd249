"""Statements through the API: the same numbers as the documents, by month, for those who may read sales documents."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import models
from models import Permission, clock
from tests import factories
from tests.client import Client, ClientWith, observed
from tests.resolvers.stubs import nothing_recorded

pytestmark = pytest.mark.anyio

STATEMENT = """query ($id: ID!, $month: String) { customer(id: $id) { statement(month: $month) {
  month firstDay asOf currencies pdfUrl
  sections {
    currency lineCount openItemCount opening { amount currency } closing { amount }
    lines { day kind number amount { amount } balance { amount } method reference salesDocument { id } }
    openItems { number issuedOn dueOn daysOverdue amount { amount } balance { amount } salesDocument { status } }
    ageing { current { amount } days1To30 { amount } days31To60 { amount } days61To90 { amount } over90Days { amount } }
  }
} } }"""


async def test_a_statement_by_month(client: Client) -> None:
    with clock.set_to(lambda: datetime(2026, 6, 20, 12, tzinfo=UTC)):
        customer = await factories.customer(client)
        may = await factories.posted_invoice(client, customer["id"], issuedOn="2026-05-02", dueOn="2026-05-31")
        await factories.payment(client, may["id"], receivedOn="2026-06-03", reference="4711")
        await factories.posted_invoice(client, customer["id"], issuedOn="2026-06-10", currency="JPY", amount="900")
        async with nothing_recorded():
            made = (await client.run(STATEMENT, id=customer["id"]))["customer"]["statement"]
        assert (made["month"], made["firstDay"], made["asOf"]) == ("2026-06", "2026-06-01", "2026-06-20")
        assert made["currencies"] == ["EUR", "JPY"]
        euro, yen = made["sections"]
        payment = {"day": "2026-06-03", "kind": "PAYMENT", "number": may["number"], "method": "CHECK"}
        amounts = {"amount": {"amount": "-120.00"}, "balance": {"amount": "380.00"}}
        assert euro == {
            "currency": "EUR",
            "lineCount": 1,
            "openItemCount": 1,
            "opening": {"amount": "500.00", "currency": "EUR"},
            "closing": {"amount": "380.00"},
            "lines": [{**payment, **amounts, "reference": "4711", "salesDocument": {"id": may["id"]}}],
            "openItems": [
                {
                    "number": may["number"],
                    "issuedOn": "2026-05-02",
                    "dueOn": "2026-05-31",
                    "daysOverdue": 20,
                    "amount": {"amount": "500.00"},
                    "balance": {"amount": "380.00"},
                    "salesDocument": {"status": "POSTED"},
                }
            ],
            "ageing": {
                "current": {"amount": "0.00"},
                "days1To30": {"amount": "380.00"},
                **{name: {"amount": "0.00"} for name in ("days31To60", "days61To90", "over90Days")},
            },
        }
        assert (yen["closing"], yen["lines"][0]["kind"]) == ({"amount": "900"}, "INVOICE")

        made = (await client.run(STATEMENT, id=customer["id"], month="2026-05"))["customer"]["statement"]
        assert (made["asOf"], [part["closing"]["amount"] for part in made["sections"]]) == ("2026-05-31", ["500.00"])
        for bad in ("2026-07", "2026-13", "May", ""):
            await client.run(STATEMENT, id=customer["id"], month=bad)
            assert client.codes == ["BAD_REQUEST"], bad
            assert client.errors[0]["message"].startswith("month: ")


async def test_statements_of_a_page_of_customers_are_read_together(client: Client) -> None:
    async def statements() -> int:
        with observed(models.current()) as seen:
            await client.run("{ customers { edges { node { statement { sections { closing { amount } } } } } } }")
        return len(seen)

    invoices = [await factories.posted_invoice(client)]
    few = await statements()
    invoices += [await factories.posted_invoice(client) for _ in range(4)]
    assert await statements() == few


async def test_answers_have_a_hundred_lines_and_say_how_many_there_are(client: Client) -> None:
    customer = await factories.customer(client)
    invoice = await factories.posted_invoice(client, customer["id"], amount="200.00")
    for _ in range(110):
        await factories.payment(client, invoice["id"], amount="1.00")
    made = (await client.run(STATEMENT, id=customer["id"]))["customer"]["statement"]
    [section] = made["sections"]
    assert (section["lineCount"], len(section["lines"])) == (111, 100)
    assert section["lines"][-1]["balance"] == section["closing"] == {"amount": "90.00"}


async def test_a_statement_needs_the_permission_of_sales_documents(client: Client, client_with: ClientWith) -> None:
    customer = await factories.customer(client)
    reader = await client_with([Permission.CUSTOMERS_READ])
    await reader.run(STATEMENT, id=customer["id"])
    assert set(reader.codes) == {"FORBIDDEN"}
