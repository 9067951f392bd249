"""Payments: what they do to balance and status, and what refuses them."""

from __future__ import annotations

import asyncio

import pytest

from models import Permission
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import DELETE_PAYMENT, POST, RECORD_PAYMENT
from tests.resolvers.stubs import actions, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

PAYMENTS = """query ($id: ID!) { salesDocument(id: $id) {
  status open balance { amount } payments { totalCount edges { node { id amount { amount } receivedOn } } } } }"""


async def test_payments_lower_the_balance_until_the_invoice_is_paid(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    invoice = await factories.posted_invoice(client, customer["id"], number="1007")
    sent = {
        "salesDocumentId": invoice["id"],
        "expectedRevision": 2,
        "amount": "120",
        "method": "CHECK",
        "receivedOn": "2026-02-01",
        "reference": " No. 77 ",
    }
    payload = await client.change(RECORD_PAYMENT, input=sent)
    payment = payload["payment"]
    assert payment["amount"] == {"amount": "120.00", "currency": "EUR"}
    assert (payment["method"], payment["receivedOn"], payment["reference"]) == ("CHECK", "2026-02-01", "No. 77")
    assert (payment["salesDocument"], payment["customer"]) == ({"id": invoice["id"]}, {"id": customer["id"]})
    document = payload["salesDocument"]
    assert (document["status"], document["open"], document["balance"]["amount"]) == ("POSTED", True, "380.00")
    created, updated = payload["events"]
    assert (created["action"], created["category"]) == ("PAYMENT_CREATED", "ORDER_DESK")
    assert created["sentence"] == "Ada Admin recorded a payment of 120.00 EUR on invoice 1007 of Krume."
    assert texts(created)["amount"] == (None, "120.00 EUR")
    assert updated["sentence"] == (
        "Ada Admin changed invoice 1007 at Krume: balance from “500.00 EUR” to “380.00 EUR”."
    )
    sent = {"salesDocumentId": invoice["id"], "amount": "380.00", "method": "TRANSFER", "receivedOn": "2026-02-03"}
    payload = await client.change(RECORD_PAYMENT, input=sent)
    document = payload["salesDocument"]
    assert (document["status"], document["open"], document["balance"]["amount"]) == ("PAID", False, "0.00")
    assert payload["events"][1]["sentence"] == (
        "Ada Admin changed invoice 1007 at Krume: status from “posted” to “paid”; "
        "balance from “380.00 EUR” to “0.00 EUR”."
    )
    shown = (await client.run(PAYMENTS, id=invoice["id"]))["salesDocument"]
    assert shown["payments"]["totalCount"] == 2
    assert [edge["node"]["amount"]["amount"] for edge in shown["payments"]["edges"]] == ["380.00", "120.00"]
    stubs = await recorded(client, salesDocumentId=invoice["id"])
    assert actions(stubs).count("PAYMENT_CREATED") == 2


async def test_a_released_order_receives_payments_and_stays_released(client: Client) -> None:
    order = await factories.released_order(client)
    sent = {"salesDocumentId": order["id"], "amount": "500", "method": "ACH"}
    document = (await client.change(RECORD_PAYMENT, input=sent))["salesDocument"]
    assert (document["status"], document["open"], document["balance"]["amount"]) == ("RELEASED", False, "0.00")
    assert (await client.change(POST, input={"id": order["id"]}))["salesDocument"]["status"] == "POSTED"


async def test_an_amount_is_more_than_nothing_and_not_more_than_the_balance(client: Client) -> None:
    invoice = await factories.posted_invoice(client)
    for amount in ("0", "0.00", "500.01", "-5", "12.345", "ten"):
        sent = {"salesDocumentId": invoice["id"], "amount": amount, "method": "CASH"}
        async with nothing_recorded():
            fault = await client.fault(RECORD_PAYMENT, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "amount"]), amount
        if amount == "500.01":
            assert fault["message"] == "A payment is not more than the balance: 500.00 EUR are left.", amount


async def test_the_balance_is_told_to_who_may_read_it(client: Client, client_with: ClientWith) -> None:
    invoice = await factories.posted_invoice(client)
    cashier = await client_with([Permission.PAYMENTS_WRITE])
    document = """mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) {
      errors { code field message } } }"""
    sent = {"salesDocumentId": invoice["id"], "amount": "500.01", "method": "CASH"}
    async with nothing_recorded():
        fault = await cashier.fault(document, input=sent)
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "amount"])
    assert fault["message"] == "A payment is not more than the balance."


async def test_nothing_else_receives_payments(client: Client) -> None:
    quote = await factories.sales_document(client, kind="QUOTE")
    paid = await factories.posted_invoice(client)
    await factories.payment(client, paid["id"], amount="500")
    posted = await factories.released_order(client)
    await client.change(POST, input={"id": posted["id"]})
    drafts = [await factories.sales_document(client, kind=kind) for kind in ("ORDER", "INVOICE")]
    for document in (quote, paid, posted, *drafts):
        sent = {"salesDocumentId": document["id"], "amount": "1", "method": "OTHER"}
        async with nothing_recorded():
            fault = await client.fault(RECORD_PAYMENT, input=sent)
        assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "salesDocumentId"])


async def test_a_payment_is_taken_back(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    invoice = await factories.posted_invoice(client, customer["id"], number="1007")
    payment = await factories.payment(client, invoice["id"], amount="500")
    payload = await client.change(DELETE_PAYMENT, input={"id": payment["id"], "expectedRevision": 1})
    assert payload["deletedId"] == payment["id"]
    document = payload["salesDocument"]
    assert (document["status"], document["open"], document["balance"]["amount"]) == ("POSTED", True, "500.00")
    assert actions(payload["events"]) == ["PAYMENT_DELETED", "SALES_DOCUMENT_UPDATED"]
    assert payload["events"][0]["sentence"] == ("Ada Admin deleted a payment of 500.00 EUR on invoice 1007 of Krume.")
    assert (await client.run(PAYMENTS, id=invoice["id"]))["salesDocument"]["payments"]["totalCount"] == 0
    async with nothing_recorded():
        fault = await client.fault(DELETE_PAYMENT, input={"id": payment["id"]})
    assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "id"])


async def test_payments_at_the_same_time_are_not_more_than_the_balance(client: Client) -> None:
    invoice = await factories.posted_invoice(client)
    sent = {"salesDocumentId": invoice["id"], "amount": "200", "method": "CARD"}
    document = "mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) { errors { code } } }"
    answers = await asyncio.gather(*(Client(client.token).run(document, input=sent) for _ in range(4)))
    codes = [[error["code"] for error in answer["recordPayment"]["errors"]] for answer in answers]
    assert sorted(codes) == [[], [], ["INVALID"], ["INVALID"]]
    shown = (await client.run(PAYMENTS, id=invoice["id"]))["salesDocument"]
    assert (shown["balance"]["amount"], shown["payments"]["totalCount"]) == ("100.00", 2)


async def test_payments_have_a_permission_of_their_own(client: Client, client_with: ClientWith) -> None:
    invoice = await factories.posted_invoice(client)
    payment = await factories.payment(client, invoice["id"])
    desk = await client_with([Permission.SALES_DOCUMENTS_READ, Permission.SALES_DOCUMENTS_WRITE])
    for document, sent in (
        (RECORD_PAYMENT, {"salesDocumentId": invoice["id"], "amount": "1", "method": "CARD"}),
        (DELETE_PAYMENT, {"id": payment["id"]}),
    ):
        await desk.run(document, input=sent)
        assert desk.codes == ["FORBIDDEN"]
        assert "PAYMENTS_WRITE" in desk.errors[0]["message"]
    read = "query ($id: ID!) { payment(id: $id) { amount { amount } } node(id: $id) { id } }"
    assert (await desk.run(read, id=payment["id"]))["payment"] == {"amount": {"amount": "120.00"}}
    stranger = await client_with([Permission.CUSTOMERS_READ])
    await stranger.run(read, id=payment["id"])
    assert set(stranger.codes) == {"FORBIDDEN"}
