"""Sending again: the same texts and attachments, to the same people or to others, as a communication of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from models import CommunicationKind, DeliveryStatus, Permission, clock
from models.identifier import new_id
from services.communications import Outcome, settle
from services.documents import Storage
from services.documents.storage import content_path
from tests import factories
from tests.audit.rows import by_ada
from tests.client import Client, ClientWith
from tests.resolvers.communications import deliveries, disable, waiting
from tests.resolvers.documents import (
    DELETE_CONTACT,
    DELETE_DOCUMENT,
    MERGE_CUSTOMERS,
    RECORD_PAYMENT,
    RESEND_COMMUNICATION,
    SEND_COMMUNICATION,
    SEND_PASSWORD_LINK,
    UPDATE_CONTACT,
    VOID,
)
from tests.resolvers.stubs import actions, nothing_recorded

pytestmark = pytest.mark.anyio

BARE = "mutation ($input: ResendCommunicationInput!) { resendCommunication(input: $input) { errors { code } } }"


def mail_at(address: str) -> dict[str, Any]:
    return {"methods": [{"kind": "EMAIL", "value": address}]}


async def resent(client: Client, communication: dict[str, Any], **sent: Any) -> dict[str, Any]:
    payload = await client.change(RESEND_COMMUNICATION, input={"id": communication["id"], **sent})
    again = payload["communication"]
    assert isinstance(again, dict)
    assert again["resendOf"] == {"id": communication["id"]}
    return again


async def invoice_to(client: Client, *names: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An invoice with a document that went to contacts with these names, each in a message of their own."""
    invoice = await factories.posted_invoice(client)
    customer_id = invoice["customer"]["id"]
    people = [
        await factories.recipient(client, customer_id, firstName=name, **mail_at(f"{name.lower()}@example.com"))
        for name in names
    ]
    document = await factories.document(client, customer_id)
    about = {"kind": "INVOICE", "customerId": customer_id, "salesDocumentId": invoice["id"]}
    sent = {**about, "documentIds": [document["id"]], "attachInvoice": True}
    return (await client.change(SEND_COMMUNICATION, input=sent))["communication"], people


async def test_all_get_the_same_again_in_new_messages(client: Client, storage: Storage) -> None:
    first, _ = await invoice_to(client, "Grace", "Alan")
    before = await deliveries(first)
    # The template, the document and the invoice do not matter any more.
    await disable(CommunicationKind.INVOICE)
    await client.change(DELETE_DOCUMENT, input={"id": first["attachments"][1]["document"]["id"]})
    payload = await client.change(RESEND_COMMUNICATION, input={"id": first["id"]})
    again = payload["communication"]
    after = await deliveries(again)
    same = ("contact_id", "email", "name", "subject_line", "text", "html", "field", "role")
    assert [[row[name] for name in same] for row in after] == [[row[name] for name in same] for row in before]
    assert not {row["message_id"] for row in after} & {row["message_id"] for row in before}
    assert {(row["status"], row["chosen"]) for row in after} == {("QUEUED", "MANUAL")}
    assert len(await waiting()) == 4
    assert (again["kind"], again["templateName"], again["subject"]) == ("INVOICE", "Invoice", first["subject"])
    assert [one["sha256"] for one in again["attachments"]] == [one["sha256"] for one in first["attachments"]]
    assert [one["document"] for one in again["attachments"]] == [None, None]
    assert (await Client().http.get(again["attachments"][1]["downloadUrl"])).status_code == 200
    assert actions(payload["events"]) == ["COMMUNICATION_CREATED", *["DELIVERY_CREATED"] * 2]


async def test_only_those_get_it_again_with_whom_it_failed(client: Client) -> None:
    first, _ = await invoice_to(client, "Grace", "Alan", "Edsger")
    rows = await deliveries(first)
    for row, status in zip(rows, (DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.BOUNCED), strict=True):
        outcome = Outcome(status, clock.now(), "said")
        await by_ada(partial(settle, outcomes={row["id"]: outcome}))
    again = await resent(client, first, statuses=["FAILED", "BOUNCED"])
    assert [row["email"] for row in await deliveries(again)] == ["alan@example.com", "edsger@example.com"]
    async with nothing_recorded():
        fault = await client.fault(RESEND_COMMUNICATION, input={"id": first["id"], "statuses": ["DELIVERED"]})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "statuses"])


async def test_a_contact_gets_it_where_they_are_now(client: Client) -> None:
    first, [grace, _] = await invoice_to(client, "Grace", "Alan")
    both = {"methods": [{"kind": "EMAIL", "value": f"{name}@example.com"} for name in ("new", "grace")]}
    await client.change(UPDATE_CONTACT, input={"id": grace["id"], **both})
    assert (await deliveries(await resent(client, first)))[0]["email"] == "grace@example.com"
    await client.change(UPDATE_CONTACT, input={"id": grace["id"], **mail_at("new@example.com")})
    assert (await deliveries(await resent(client, first)))[0]["email"] == "new@example.com"


async def test_two_addresses_that_became_one_get_it_once(client: Client) -> None:
    old: dict[str, Any] = {
        "methods": [{"kind": "EMAIL", "value": f"{name}@example.com"} for name in ("grace", "hopper")]
    }
    grace = await factories.recipient(client, **old)
    chosen = [{"contactId": grace["id"], "email": f"{name}@example.com"} for name in ("grace", "hopper")]
    for fields, kept in ((("TO", "TO"), "TO"), (("CC", "TO"), "TO")):
        to = [{**one, "field": field} for one, field in zip(chosen, fields, strict=True)]
        first = await factories.communication(client, grace["customer"]["id"], recipients=to)
        assert len(await deliveries(first)) == 2
        await client.change(UPDATE_CONTACT, input={"id": grace["id"], **mail_at("new@example.com")})
        [row] = await deliveries(await resent(client, first))
        assert (row["email"], row["field"]) == ("new@example.com", kept)
        await client.change(UPDATE_CONTACT, input={"id": grace["id"], **old})


async def test_others_get_the_text_of_the_first(client: Client) -> None:
    first, [_, alan] = await invoice_to(client, "Grace", "Alan")
    other = await factories.contact(client, first["customer"]["id"], **mail_at("other@example.com"))
    chosen = [{"contactId": other["id"]}, {"contactId": alan["id"], "email": "alan@example.com"}]
    rows = await deliveries(await resent(client, first, recipients=chosen))
    assert [row["email"] for row in rows] == ["other@example.com", "alan@example.com"]
    assert "Dear Grace" in rows[0]["text"]
    assert "Dear Alan" in rows[1]["text"]
    assert rows[0]["reasons"] == ["SWITCHED_ON", "NO_ROLE"]


async def test_of_a_shared_message_somebody_always_stands_in_to(client: Client) -> None:
    customer = await factories.customer(client)
    people = [await factories.recipient(client, customer["id"]) for _ in range(2)]
    chosen = [{"contactId": people[0]["id"]}, {"contactId": people[1]["id"], "field": "CC"}]
    first = await factories.communication(client, customer["id"], recipients=chosen)
    rows = await deliveries(await resent(client, first))
    assert [row["field"] for row in rows] == ["TO", "CC"]
    assert rows[0]["message_id"] == rows[1]["message_id"]
    [sent, failed] = await deliveries(first)
    for row, status in ((sent, DeliveryStatus.SENT), (failed, DeliveryStatus.FAILED)):
        outcome = Outcome(status, clock.now(), "said")
        await by_ada(partial(settle, outcomes={row["id"]: outcome}))
    [row] = await deliveries(await resent(client, first, statuses=["FAILED"]))
    assert (row["contact_id"], row["field"]) == (people[1]["id"], "TO")


async def test_what_went_to_a_merged_customer_goes_to_the_survivor(client: Client) -> None:
    first, [grace, _] = await invoice_to(client, "Grace", "Alan")
    between, survivor = await factories.customer(client), await factories.customer(client)
    await client.change(MERGE_CUSTOMERS, input={"id": between["id"], "mergedId": first["customer"]["id"]})
    await client.change(MERGE_CUSTOMERS, input={"id": survivor["id"], "mergedId": between["id"]})
    there = await factories.contact(client, survivor["id"], **mail_at("there@example.com"))
    again = await resent(client, first)
    assert (again["customer"], again["salesDocument"]) == ({"id": survivor["id"]}, first["salesDocument"])
    rows = await deliveries(again)
    assert [row["email"] for row in rows] == ["grace@example.com", "alan@example.com"]
    assert {row["customer_id"] for row in rows} == {survivor["id"]}
    chosen = [{"contactId": there["id"]}, {"contactId": grace["id"]}]
    rows = await deliveries(await resent(client, first, recipients=chosen))
    assert [row["email"] for row in rows] == ["there@example.com", "grace@example.com"]


async def test_what_cannot_be_sent_again_says_why(client: Client, storage: Storage) -> None:
    first, [grace, alan] = await invoice_to(client, "Grace", "Alan")
    link = (await client.change(SEND_PASSWORD_LINK, input={"contactId": grace["id"]}))["communication"]
    await disable(CommunicationKind.TASK)
    about = {"kind": "TASK", "customerId": first["customer"]["id"]}
    suppressed = (await client.change(SEND_COMMUNICATION, input=about))["communication"]
    stranger = await factories.recipient(client)
    one = {"contactId": grace["id"]}
    for sent, code, field in (
        ({"id": link["id"]}, "INVALID", ["id"]),
        ({"id": suppressed["id"]}, "WRONG_STATUS", ["id"]),
        ({"id": new_id("com")}, "NOT_FOUND", ["id"]),
        ({"id": grace["id"]}, "INVALID", ["id"]),
        ({"id": first["id"], "expectedRevision": 2}, "CONFLICT", ["expectedRevision"]),
        ({"id": first["id"], "recipients": [one], "statuses": ["SENT"]}, "INVALID", ["statuses"]),
        ({"id": first["id"], "recipients": []}, "INVALID", ["recipients"]),
        ({"id": first["id"], "statuses": []}, "INVALID", ["statuses"]),
        (
            {"id": first["id"], "recipients": [{"contactId": stranger["id"]}]},
            "INVALID",
            ["recipients", "0", "contactId"],
        ),
        (
            {"id": first["id"], "recipients": [one, {"contactId": alan["id"], "field": "CC"}]},
            "INVALID",
            ["recipients", "1", "field"],
        ),
    ):
        async with nothing_recorded():
            fault = await client.fault(RESEND_COMMUNICATION, input=sent)
        assert (fault["code"], fault["field"]) == (code, ["input", *field]), sent
    await client.change(UPDATE_CONTACT, input={"id": grace["id"], "methods": []})
    fault = await client.fault(RESEND_COMMUNICATION, input={"id": first["id"]})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "recipients"])
    assert "<grace@example.com> has no email address any more" in fault["message"]
    await client.change(DELETE_CONTACT, input={"id": alan["id"]})
    chosen = {"id": first["id"], "recipients": [{"contactId": alan["id"]}]}
    assert (await client.fault(RESEND_COMMUNICATION, input=chosen))["code"] == "NOT_FOUND"
    await storage.delete(content_path(first["attachments"][1]["sha256"]))
    async with nothing_recorded():
        fault = await client.fault(RESEND_COMMUNICATION, input={"id": first["id"]})
    assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "id"])


async def test_nobody_is_reminded_again_of_what_is_paid_or_void(client: Client) -> None:
    grace = await factories.recipient(client)
    customer_id = grace["customer"]["id"]
    paid, void = [await factories.posted_invoice(client, customer_id) for _ in range(2)]
    sent = {}
    for kind, invoice in (("REMINDER", paid), ("INVOICE", paid), ("REMINDER", void), ("INVOICE", void)):
        about = {"kind": kind, "customerId": customer_id, "salesDocumentId": invoice["id"]}
        sent[kind, invoice["id"]] = (await client.change(SEND_COMMUNICATION, input=about))["communication"]
    await resent(client, sent["REMINDER", paid["id"]])
    await client.change(RECORD_PAYMENT, input={"salesDocumentId": paid["id"], "amount": "500", "method": "CASH"})
    await client.change(VOID, input={"id": void["id"]})
    for key, is_sent in zip(sent, (False, True, False, False), strict=True):
        if is_sent:
            await resent(client, sent[key])
            continue
        async with nothing_recorded():
            fault = await client.fault(RESEND_COMMUNICATION, input={"id": sent[key]["id"]})
        assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "id"]), key


async def test_emails_about_sales_documents_are_for_who_may_read_those(client: Client, client_with: ClientWith) -> None:
    first, _ = await invoice_to(client, "Grace")
    plain = await factories.communication(client)
    sender = await client_with([Permission.COMMUNICATIONS_SEND, Permission.CUSTOMERS_READ])
    count = len(await waiting())
    blind = await client_with([Permission.COMMUNICATIONS_SEND, Permission.SALES_DOCUMENTS_READ])
    await blind.run(BARE, input={"id": plain["id"]})
    assert blind.codes == ["FORBIDDEN"]
    assert "CUSTOMERS_READ" in blind.errors[0]["message"]
    await sender.run(BARE, input={"id": first["id"]})
    assert sender.codes == ["FORBIDDEN"]
    assert "SALES_DOCUMENTS_READ" in sender.errors[0]["message"]
    assert len(await waiting()) == count
    await sender.run(BARE, input={"id": plain["id"]})
    assert (sender.errors, len(await waiting())) == ([], count + 1)
