"""Statements read from the database: of many customers at once, and in step with the documents."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

import models
from models import Fault, clock, money
from services import statements
from tests import factories
from tests.client import Client, observed
from tests.resolvers.documents import DELETE_PAYMENT, VOID

pytestmark = pytest.mark.anyio

TODAY = date(2026, 6, 20)


async def books(client: Client, customer_id: str) -> None:
    """Invoices of all kinds: settled long ago, settled in June, open, void, a draft, not yet issued; and an order."""
    old = await factories.posted_invoice(client, customer_id, issuedOn="2026-03-01", dueOn="2026-03-31")
    await factories.payment(client, old["id"], amount="500.00", receivedOn="2026-04-02")
    part = await factories.posted_invoice(client, customer_id, issuedOn="2026-04-01", dueOn="2026-05-01")
    await factories.payment(client, part["id"], amount="120.00", receivedOn="2026-05-05")
    await factories.payment(client, part["id"], amount="80.00", receivedOn="2026-06-05", reference="4711")
    june = await factories.posted_invoice(client, customer_id, issuedOn="2026-06-10", amount="70.00")
    await factories.payment(client, june["id"], amount="70.00", receivedOn="2026-06-12")
    await factories.posted_invoice(client, customer_id, issuedOn="2026-06-15", currency="JPY", amount="3000")
    void = await factories.posted_invoice(client, customer_id, issuedOn="2026-06-01")
    await client.change(VOID, input={"id": void["id"]})
    await factories.sales_document(client, customer_id, issuedOn="2026-06-02")
    await factories.posted_invoice(client, customer_id, issuedOn="2026-06-25")
    order = await factories.released_order(client, customer_id, issuedOn="2026-06-03")
    await factories.payment(client, order["id"], receivedOn="2026-06-04")
    back = await factories.payment(client, part["id"], amount="1.00", receivedOn="2026-06-06")
    await client.change(DELETE_PAYMENT, input={"id": back["id"]})


async def test_statements_of_many_customers_take_three_reads(client: Client) -> None:
    with clock.set_to(lambda: datetime(2026, 6, 20, 12, tzinfo=UTC)):
        full, empty = await factories.customer(client, currency="EUR"), await factories.customer(client)
        await books(client, full["id"])

        with observed(models.current()) as seen:
            ids = [empty["id"], full["id"], "cus_00000000000000000000000000", full["id"]]
            nothing, made, missing, again = await statements.of_month(ids, "2026-06", TODAY)
        assert len(seen) == 3
        assert nothing is not None
        assert (nothing.customer["id"], nothing.sections, missing, again) == (empty["id"], (), None, made)

        assert made is not None
        euro, yen = made.sections
        assert [(line.day.day, line.amount, line.balance) for line in euro.lines] == [
            (5, -8000, 30_000),
            (10, 7000, 37_000),
            (12, -7000, 30_000),
        ]
        assert (euro.opening, euro.closing, euro.ageing.days_31_to_60) == (38_000, 30_000, 30_000)
        assert (yen.currency, yen.opening, yen.closing) == ("JPY", 0, 3000)

        [may] = await statements.of_month([full["id"]], "2026-05", TODAY)
        assert may is not None
        assert [(section.opening, section.closing) for section in may.sections] == [(50_000, 38_000)]


async def test_a_statement_as_of_today_has_the_balances_of_the_documents(client: Client) -> None:
    with clock.set_to(lambda: datetime(2026, 6, 20, 12, tzinfo=UTC)):
        customer = await factories.customer(client)
        await books(client, customer["id"])
        data = await client.run(
            "query($id: ID!) { customer(id: $id) { salesDocuments(filter: { kind: INVOICE, open: true })"
            " { edges { node { id issuedOn currency balance { amount } } } } } }",
            id=customer["id"],
        )
        nodes = [edge["node"] for edge in data["customer"]["salesDocuments"]["edges"]]
        expected = {node["id"]: node["balance"]["amount"] for node in nodes if node["issuedOn"] <= TODAY.isoformat()}
        [made] = await statements.of_month([customer["id"]], "2026-06", TODAY)
    assert made is not None
    assert expected == {
        item.sales_document_id: money.decimal(item.balance, section.currency)
        for section in made.sections
        for item in section.open_items
    }


def test_a_month_that_is_none_is_a_fault_of_its_field() -> None:
    for bad in ("2026-07", "2026-13", "June"):
        with pytest.raises(Fault) as raised:
            statements.period(bad, TODAY, ("statement_month",))
        assert raised.value.field == ("statement_month",)
