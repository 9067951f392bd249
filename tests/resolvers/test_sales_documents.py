"""Quotes, orders and invoices: how they begin, change, come further and end; money, dates, lists."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from audit import SYSTEM, Change, Request, transact
from models import Permission, SalesDocument
from models.identifier import new_id
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CREATE_SALES_DOCUMENT,
    DELETE_CONTACT,
    DELETE_LOCATION,
    DELETE_SALES_DOCUMENT,
    POST,
    RELEASE,
    SALES_DOCUMENT,
    UPDATE_CONTACT,
    UPDATE_SALES_DOCUMENT,
    VOID,
)
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

READ = f"query ($id: ID!) {{ salesDocument(id: $id) {SALES_DOCUMENT} }}"
LIST = """query ($filter: SalesDocumentFilter, $orderBy: SalesDocumentOrder, $first: Int, $after: String) {
  salesDocuments(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount edges { node { number } } pageInfo { endCursor hasNextPage }
  }
}"""


async def numbers(client: Client, **variables: Any) -> list[str]:
    data = await client.run(LIST, **variables)
    assert client.errors == []
    return [edge["node"]["number"] for edge in data["salesDocuments"]["edges"]]


async def test_an_invoice_begins_as_a_draft(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    place = await factories.location(client, customer["id"], name="Warehouse")
    sent = {
        "customerId": customer["id"],
        "kind": "INVOICE",
        "number": " 1007 ",
        "locationId": place["id"],
        "issuedOn": "2026-01-31",
        "dueOn": "2026-03-02",
        "currency": "eur",
        "amount": "1234.5",
    }
    payload = await client.change(CREATE_SALES_DOCUMENT, input=sent)
    document = payload["salesDocument"]
    assert (document["kind"], document["number"], document["status"], document["revision"]) == (
        "INVOICE",
        "1007",
        "DRAFT",
        1,
    )
    assert (document["customer"], document["location"]) == ({"id": customer["id"]}, {"id": place["id"]})
    assert (document["contact"], document["contactVerified"], document["open"]) == (None, False, False)
    assert (document["issuedOn"], document["dueOn"], document["currency"]) == ("2026-01-31", "2026-03-02", "EUR")
    assert document["amount"] == document["balance"] == {"amount": "1234.50", "currency": "EUR"}
    assert (document["releasedAt"], document["postedAt"]) == (None, None)
    assert await client.run(READ, id=document["id"]) == {"salesDocument": document}
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("SALES_DOCUMENT_CREATED", "ORDER_DESK")
    assert stub["sentence"] == "Ada Admin added invoice 1007 at Krume."
    assert stub["subject"] == {"type": "SALES_DOCUMENT", "id": document["id"], "label": "invoice 1007"}
    assert stub["customer"]["id"] == customer["id"]
    assert changes(stub)["amount"] == (None, 123450)
    assert texts(stub)["amount"] == (None, "1234.50 EUR")
    assert texts(stub)["locationId"] == (None, "Warehouse")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("JPY", "1200", "1200"), ("KWD", "1.25", "1.250"), ("CLF", "0.0001", "0.0001"), ("USD", "0", "0.00")],
)
async def test_amounts_have_the_decimals_of_their_currency(
    client: Client, currency: str, amount: str, shown: str
) -> None:
    document = await factories.sales_document(client, currency=currency, amount=amount)
    assert document["amount"] == {"amount": shown, "currency": currency}


NO_AMOUNTS = [
    ("JPY", "12.5"),
    ("EUR", "1.005"),
    ("EUR", "-1"),
    ("EUR", "1,234.50"),
    ("EUR", "1e3"),
    ("EUR", "٣"),
    ("EUR", ".5"),
    ("EUR", "10000000000000"),
    ("EUR", "NaN"),
]


async def test_amounts_that_are_none_are_refused(client: Client) -> None:
    customer = await factories.customer(client)
    for currency, amount in NO_AMOUNTS:
        sent = {"customerId": customer["id"], "kind": "QUOTE", "number": "1", "currency": currency, "amount": amount}
        async with nothing_recorded():
            fault = await client.fault(CREATE_SALES_DOCUMENT, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "amount"]), (currency, amount)


async def test_currencies_with_which_nobody_pays_are_refused(client: Client) -> None:
    customer = await factories.customer(client)
    for currency in ("EURO", "XYZ", "XAU", "XXX", "€"):
        sent = {"customerId": customer["id"], "kind": "QUOTE", "number": "1", "currency": currency, "amount": "1"}
        async with nothing_recorded():
            fault = await client.fault(CREATE_SALES_DOCUMENT, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "currency"]), currency


async def test_a_number_is_unique_among_documents_of_its_kind(client: Client) -> None:
    first = await factories.sales_document(client, number="A 7")
    await factories.sales_document(client, number="A 7", kind="ORDER")
    sent = {"customerId": first["customer"]["id"], "kind": "INVOICE", "currency": "EUR", "amount": "1"}
    async with nothing_recorded():
        fault = await client.fault(CREATE_SALES_DOCUMENT, input={**sent, "number": "a  7"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "number"])
    assert (await client.run(LIST))["salesDocuments"]["totalCount"] == 2


async def test_what_a_new_document_refers_to_belongs_to_an_active_customer(client: Client) -> None:
    customer, other = await factories.customer(client), await factories.customer(client)
    place = await factories.location(client, other["id"])
    sent = {"customerId": customer["id"], "kind": "INVOICE", "number": "1", "currency": "EUR", "amount": "1"}
    async with nothing_recorded():
        fault = await client.fault(CREATE_SALES_DOCUMENT, input={**sent, "locationId": place["id"]})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "locationId"])
        fault = await client.fault(
            CREATE_SALES_DOCUMENT, input={**sent, "issuedOn": "2026-02-01", "dueOn": "2026-01-31"}
        )
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "dueOn"])
        await client.run(CREATE_SALES_DOCUMENT, input={**sent, "issuedOn": "2026-02-30"})
        assert client.errors


async def test_a_draft_changes_in_all_of_it(client: Client) -> None:
    document = await factories.sales_document(client, number="1007", issuedOn="2026-01-31")
    sent = {"number": "1008", "issuedOn": "2026-02-01", "dueOn": "2026-03-01", "currency": "JPY", "amount": "700"}
    payload = await client.change(UPDATE_SALES_DOCUMENT, input={"id": document["id"], **sent})
    changed = payload["salesDocument"]
    assert (changed["number"], changed["issuedOn"], changed["dueOn"]) == ("1008", "2026-02-01", "2026-03-01")
    assert changed["amount"] == changed["balance"] == {"amount": "700", "currency": "JPY"}
    [stub] = payload["events"]
    assert stub["action"] == "SALES_DOCUMENT_UPDATED"
    assert texts(stub)["amount"] == ("500.00 EUR", "700 JPY")
    async with nothing_recorded():
        fault = await client.fault(UPDATE_SALES_DOCUMENT, input={"id": document["id"], "currency": "EUR"})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "amount"])
        for name in ("number", "issuedOn", "currency", "amount"):
            fault = await client.fault(UPDATE_SALES_DOCUMENT, input={"id": document["id"], name: None})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])
        same = await client.change(UPDATE_SALES_DOCUMENT, input={"id": document["id"], **sent})
    assert same["events"] == []


async def test_after_posting_only_the_due_date_changes(client: Client) -> None:
    document = await factories.posted_invoice(client, number="1007", issuedOn="2026-01-31", dueOn="2026-02-28")
    payload = await client.change(UPDATE_SALES_DOCUMENT, input={"id": document["id"], "dueOn": "2026-03-31"})
    assert payload["salesDocument"]["dueOn"] == "2026-03-31"
    assert payload["events"][0]["sentence"].endswith(": due on from “2026-02-28” to “2026-03-31”.")
    async with nothing_recorded():
        for sent in ({"number": "1"}, {"amount": "1"}, {"issuedOn": "2026-01-01"}, {"dueOn": None, "amount": "2"}):
            fault = await client.fault(UPDATE_SALES_DOCUMENT, input={"id": document["id"], **sent})
            assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", list(sent)[-1]])
            assert fault["message"] == "This cannot change any more: invoice 1007 is POSTED."
    await client.change(VOID, input={"id": document["id"]})
    async with nothing_recorded():
        fault = await client.fault(UPDATE_SALES_DOCUMENT, input={"id": document["id"], "dueOn": None})
    assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "dueOn"])


@pytest.mark.parametrize("status", ["POSTED", "PAID", "VOID"])
async def test_the_amount_that_a_document_has_already_changes_nothing(client: Client, status: str) -> None:
    document = await factories.posted_invoice(client)
    if status == "VOID":
        await client.change(VOID, input={"id": document["id"]})
    else:
        await factories.payment(client, document["id"], amount="120" if status == "POSTED" else "500")
    before = (await client.run(READ, id=document["id"]))["salesDocument"]
    assert before["status"] == status
    assert before["balance"]["amount"] == ("380.00" if status == "POSTED" else "0.00")
    sent = {"id": document["id"], "amount": "500.0", "currency": "EUR", "number": document["number"]}
    async with nothing_recorded():
        payload = await client.change(UPDATE_SALES_DOCUMENT, input=sent)
    assert (payload["salesDocument"], payload["events"]) == (before, [])


async def test_the_amount_that_a_quote_has_already_changes_nothing(client: Client) -> None:
    quote = await factories.sales_document(client, kind="QUOTE")
    async with nothing_recorded():
        payload = await client.change(UPDATE_SALES_DOCUMENT, input={"id": quote["id"], "amount": "500"})
    assert payload["salesDocument"] == quote


@pytest.mark.parametrize(
    ("first", "then", "field"),
    [
        ({"issued_on": "2026-03-01"}, {"dueOn": "2026-02-15"}, "dueOn"),
        ({"currency": "JPY"}, {"amount": "7.50"}, "amount"),
    ],
)
async def test_a_change_that_waited_is_held_against_the_document_as_it_has_become(
    client: Client, first: dict[str, Any], then: dict[str, Any], field: str
) -> None:
    document = await factories.sales_document(client, issuedOn="2026-02-01")
    locked = asyncio.Event()

    async def change_slowly(change: Change) -> None:
        row = await change.get(SalesDocument, document["id"])
        locked.set()
        await asyncio.sleep(0.3)
        await change.update(SalesDocument, row, first)

    async def change_meanwhile() -> dict[str, Any]:
        await locked.wait()
        return await client.fault(UPDATE_SALES_DOCUMENT, input={"id": document["id"], **then})

    before = await last_seq()
    _, fault = await asyncio.gather(transact(SYSTEM, Request.new(), change_slowly), change_meanwhile())
    assert await last_seq() == before + 1
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", field])


@pytest.mark.parametrize(
    ("kind", "steps", "statuses"),
    [
        ("QUOTE", [RELEASE], ["RELEASED"]),
        ("ORDER", [RELEASE, POST], ["RELEASED", "POSTED"]),
        ("INVOICE", [POST], ["POSTED"]),
    ],
)
async def test_documents_come_further_by_the_steps_of_their_kind(
    client: Client, kind: str, steps: list[str], statuses: list[str]
) -> None:
    customer = await factories.customer(client, name="Krume")
    document = await factories.sales_document(client, customer["id"], kind=kind, number="7")
    for step, status in zip(steps, statuses, strict=True):
        for wrong in {RELEASE, POST} - {step}:
            async with nothing_recorded():
                fault = await client.fault(wrong, input={"id": document["id"]})
            assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "id"])
        payload = await client.change(step, input={"id": document["id"]})
        document = payload["salesDocument"]
        assert document["status"] == status
        [stub] = payload["events"]
        assert changes(stub)["status"][1] == status
        assert stub["sentence"] == f"Ada Admin {status.lower()} {kind.lower()} 7 at Krume."
    assert (document["releasedAt"] is not None) is (RELEASE in steps)
    assert (document["postedAt"] is not None) is (POST in steps)
    for step in (RELEASE, POST):
        async with nothing_recorded():
            fault = await client.fault(step, input={"id": document["id"]})
        assert fault["code"] == "WRONG_STATUS"


async def test_an_invoice_over_nothing_is_paid_when_it_is_posted(client: Client) -> None:
    document = await factories.posted_invoice(client, amount="0")
    assert (document["status"], document["open"]) == ("PAID", False)


async def test_a_void_document_counts_no_more(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    document = await factories.posted_invoice(client, customer["id"], number="1007")
    paid = await factories.posted_invoice(client, customer["id"])
    await factories.payment(client, paid["id"])
    payload = await client.change(VOID, input={"id": document["id"], "expectedRevision": 2})
    assert (payload["salesDocument"]["status"], payload["salesDocument"]["open"]) == ("VOID", False)
    assert payload["salesDocument"]["balance"]["amount"] == "0.00"
    assert payload["salesDocument"]["amount"]["amount"] == "500.00"
    [stub] = payload["events"]
    assert stub["sentence"] == "Ada Admin voided invoice 1007 at Krume."
    assert texts(stub)["balance"] == ("500.00 EUR", "0.00 EUR")
    async with nothing_recorded():
        for identifier, why in ((document["id"], "voided again"), (paid["id"], "it has payments")):
            fault = await client.fault(VOID, input={"id": identifier})
            assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "id"])
            assert why in fault["message"]


async def test_only_drafts_are_deleted_and_their_notes_with_them(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    draft = await factories.sales_document(client, customer["id"], number="7", kind="QUOTE")
    note = await factories.note(client, draft["id"])
    payload = await client.change(DELETE_SALES_DOCUMENT, input={"id": draft["id"], "expectedRevision": 1})
    assert payload["deletedId"] == draft["id"]
    assert actions(payload["events"]) == ["NOTE_DELETED", "SALES_DOCUMENT_DELETED"]
    assert payload["events"][0]["subject"]["id"] == note["id"]
    assert payload["events"][0]["sentence"] == "Ada Admin deleted a note on quote 7 of Krume."
    assert payload["events"][1]["sentence"] == "Ada Admin deleted quote 7 at Krume."
    assert await client.run(READ, id=draft["id"]) == {"salesDocument": None}
    posted = await factories.posted_invoice(client, customer["id"])
    async with nothing_recorded():
        fault = await client.fault(DELETE_SALES_DOCUMENT, input={"id": posted["id"]})
    assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "id"])


async def test_whoever_and_whatever_a_document_names_stays(client: Client, client_with: ClientWith) -> None:
    contact = await factories.contact(client)
    customer_id = contact["customer"]["id"]
    place = await factories.location(client, customer_id)
    for number in range(7):
        fields = {"number": f"7{number}", "contactId": contact["id"], "locationId": place["id"]}
        await factories.sales_document(client, customer_id, kind="ORDER", **fields)
    blind = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE, Permission.CONTACTS_WRITE])
    named = "(order 70, order 71, order 72, order 73, order 74)"
    async with nothing_recorded():
        for document, identifier, advice in (
            (DELETE_CONTACT, contact["id"], "deactivate it instead"),
            (DELETE_LOCATION, place["id"], "keep it"),
        ):
            fault = await client.fault(document, input={"id": identifier})
            assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "id"])
            assert named in fault["message"]
            assert advice in fault["message"]
            hidden = await blind.fault(document, input={"id": identifier})
            assert hidden["code"] == "IN_USE"
            assert "order 7" not in hidden["message"]
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], "active": False})


async def test_lists_are_filtered_and_ordered(client: Client) -> None:
    contact = await factories.contact(client)
    customer_id = contact["customer"]["id"]
    place = await factories.location(client, customer_id)
    quote = {"kind": "QUOTE", "number": "q", "issuedOn": "2026-01-01", "locationId": place["id"], "amount": "9"}
    await factories.sales_document(client, customer_id, **quote)
    order = {"number": "o", "issuedOn": "2026-01-03", "dueOn": "2026-01-20", "contactId": contact["id"], "amount": "7"}
    await factories.released_order(client, customer_id, **order)
    invoice = {"number": "i", "issuedOn": "2026-01-02", "dueOn": "2026-01-10", "amount": "8"}
    await factories.posted_invoice(client, customer_id, **invoice)
    await factories.sales_document(client, number="d", issuedOn="2026-01-04", amount="6")
    assert await numbers(client) == ["d", "o", "i", "q"]
    for field, direction, expected in (
        ("NUMBER", "ASC", ["d", "i", "o", "q"]),
        ("ISSUED_ON", "ASC", ["q", "i", "o", "d"]),
        ("BALANCE", "DESC", ["i", "o", "d", "q"]),
    ):
        assert await numbers(client, orderBy={"field": field, "direction": direction}) == expected
    by_due = {"field": "DUE_ON", "direction": "ASC"}
    found = await numbers(client, orderBy=by_due)
    assert (found[:2], set(found[2:])) == (["i", "o"], {"q", "d"})
    paged: list[str] = []
    after = None
    for _ in range(4):
        data = (await client.run(LIST, orderBy=by_due, first=1, after=after))["salesDocuments"]
        paged += [edge["node"]["number"] for edge in data["edges"]]
        after = data["pageInfo"]["endCursor"]
    assert paged == found
    for wanted, expected in (
        ({"customerId": customer_id}, ["o", "i", "q"]),
        ({"contactId": contact["id"]}, ["o"]),
        ({"locationId": place["id"]}, ["q"]),
        ({"kind": "INVOICE"}, ["d", "i"]),
        ({"statuses": ["POSTED", "RELEASED"]}, ["o", "i"]),
        ({"statuses": []}, []),
        ({"number": " Q "}, ["q"]),
        ({"open": True}, ["o", "i"]),
        ({"open": False}, ["d", "q"]),
    ):
        assert await numbers(client, filter=wanted) == expected, wanted
    await client.run(LIST, filter={"contactId": customer_id})
    assert client.codes == ["BAD_ID"]
    nested = """query ($customer: ID!, $contact: ID!) {
      customer(id: $customer) { salesDocuments(filter: { open: true }) { totalCount edges { node { number } } } }
      contact(id: $contact) { salesDocuments { totalCount edges { node { number } } } }
    }"""
    data = await client.run(nested, customer=customer_id, contact=contact["id"])
    assert data["customer"]["salesDocuments"]["totalCount"] == 2
    assert [edge["node"]["number"] for edge in data["contact"]["salesDocuments"]["edges"]] == ["o"]


async def test_notes_on_a_document_stay_out_of_the_customers_notes_and_history(client: Client) -> None:
    contact = await factories.contact(client)
    customer_id = contact["customer"]["id"]
    document = await factories.sales_document(client, customer_id, number="1007", contactId=contact["id"])
    before = await last_seq()
    note = await factories.note(client, document["id"], body="Disputed")
    assert (note["customer"], note["contact"]) == ({"id": customer_id}, None)
    shown = await client.run("query ($id: ID!) { note(id: $id) { salesDocument { id } } }", id=note["id"])
    assert shown["note"] == {"salesDocument": {"id": document["id"]}}
    await factories.note(client, customer_id, body="Friendly")
    query = """query ($customer: ID!, $contact: ID!, $document: ID!) {
      customer(id: $customer) {
        notes { totalCount edges { node { body } } } history { totalCount edges { node { id } } }
      }
      contact(id: $contact) { notes { totalCount } history { edges { node { action } } } }
      salesDocument(id: $document) {
        notes { totalCount edges { node { body } } } history { totalCount edges { node { id action } } }
      }
    }"""
    data = await client.run(query, customer=customer_id, contact=contact["id"], document=document["id"])
    customer, shown = data["customer"], data["salesDocument"]
    assert customer["notes"] == {"totalCount": 1, "edges": [{"node": {"body": "Friendly"}}]}
    assert shown["notes"] == {"totalCount": 1, "edges": [{"node": {"body": "Disputed"}}]}
    assert data["contact"]["notes"] == {"totalCount": 0}
    assert [edge["node"]["action"] for edge in data["contact"]["history"]["edges"]] == ["CONTACT_CREATED"]
    assert [edge["node"]["action"] for edge in shown["history"]["edges"]] == ["NOTE_CREATED", "SALES_DOCUMENT_CREATED"]
    assert (shown["history"]["totalCount"], customer["history"]["totalCount"]) == (2, 3)
    ids = [{edge["node"]["id"] for edge in part["history"]["edges"]} for part in (shown, customer)]
    assert ids[0].isdisjoint(ids[1])
    stubs = await recorded(client, after=before, salesDocumentId=document["id"])
    assert [stub["sentence"] for stub in stubs] == [
        f"Ada Admin added a note on invoice 1007 of {stubs[0]['customerLabel']}."
    ]
    # The auditors' query has all of it, also by customer.
    assert actions(await recorded(client, after=before, customerId=customer_id)) == ["NOTE_CREATED", "NOTE_CREATED"]
    text = "{ history(first: 2) { edges { node { salesDocument { number } } } } }"
    found = [edge["node"]["salesDocument"] for edge in (await client.run(text))["history"]["edges"]]
    assert found == [None, {"number": "1007"}]


async def test_a_cursor_of_one_history_is_not_one_of_another(client: Client) -> None:
    document = await factories.sales_document(client)
    query = """query ($customer: ID!, $document: ID!, $a: String) {
      customer(id: $customer) { history(first: 1, after: $a) { pageInfo { endCursor } } }
      salesDocument(id: $document) { history(first: 1) { pageInfo { endCursor } } } }"""
    data = await client.run(query, customer=document["customer"]["id"], document=document["id"])
    cursor = data["salesDocument"]["history"]["pageInfo"]["endCursor"]
    await client.run(query, customer=document["customer"]["id"], document=document["id"], a=cursor)
    assert client.codes == ["BAD_CURSOR"]


async def test_sales_documents_have_permissions_of_their_own(client: Client, client_with: ClientWith) -> None:
    document = await factories.sales_document(client)
    reader = await client_with([Permission.SALES_DOCUMENTS_READ])
    await reader.run("query ($id: ID!) { salesDocument(id: $id) { number status } }", id=document["id"])
    assert reader.errors == []
    for fields in ("history { totalCount }", "notes { totalCount }", "customer { name }"):
        await reader.run(f"query ($id: ID!) {{ salesDocument(id: $id) {{ {fields} }} }}", id=document["id"])
        assert reader.codes == ["FORBIDDEN"], fields
    for step in (RELEASE, POST, VOID):
        await reader.run(step, input={"id": document["id"]})
        assert reader.codes == ["FORBIDDEN"]
    stranger = await client_with([Permission.CUSTOMERS_READ, Permission.HISTORY_READ])
    for text in (
        "query ($id: ID!) { node(id: $id) { id } }",
        "query ($id: ID!) { salesDocument(id: $id) { history { totalCount } } }",
    ):
        await stranger.run(text, id=document["id"])
        assert stranger.codes == ["FORBIDDEN"]
    await stranger.run("{ customers { edges { node { salesDocuments { totalCount } } } } }")
    assert stranger.codes == ["FORBIDDEN"]


async def test_a_document_that_is_not_there_is_null(client: Client) -> None:
    assert await client.run(READ, id=new_id("sdo")) == {"salesDocument": None}
    await client.run(READ, id=new_id("cus"))
    assert client.codes == ["BAD_ID"]
