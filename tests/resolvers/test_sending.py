"""Sending by hand: whom the rules preselect, whoever is chosen instead, and what stands in the email."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import models
from audit import Change
from models import CommunicationKind, Permission, clock
from models.identifier import new_id
from services.communications import attaching, making
from services.documents import Storage
from services.documents.storage import content_path
from services.pdf import compiling
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.communications import deliveries, disable, waiting
from tests.resolvers.documents import (
    CREATE_CUSTOMER,
    DELETE_SALES_DOCUMENT,
    MERGE_CUSTOMERS,
    PREVIEW_COMMUNICATION,
    RECORD_PAYMENT,
    SEND_COMMUNICATION,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
    UPDATE_SETTINGS,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded

pytestmark = pytest.mark.anyio

BARE = "mutation ($input: SendCommunicationInput!) { sendCommunication(input: $input) { errors { code } } }"
BARE_PREVIEW = "query ($input: SendCommunicationInput!) { previewCommunication(input: $input) { errors { code } } }"
OFF = {"notifications": [{"kind": "INVOICE", "enabled": False}]}


def methods(*addresses: str) -> dict[str, Any]:
    return {"methods": [{"kind": "EMAIL", "value": address} for address in addresses]}


async def looked_ahead(client: Client, **sent: Any) -> dict[str, Any]:
    preview = (await client.run(PREVIEW_COMMUNICATION, input=sent))["previewCommunication"]
    assert client.errors == []
    assert isinstance(preview, dict)
    return preview


async def refusal(client: Client, **sent: Any) -> dict[str, Any]:
    """The error of sending, which changes nothing and which the preview tells, too."""
    async with nothing_recorded():
        fault = await client.fault(SEND_COMMUNICATION, input=sent)
        preview = await looked_ahead(client, **sent)
    assert preview["errors"] == [fault]
    assert (preview["deliveries"], preview["attachments"], await waiting()) == ([], [], [])
    return fault


def text_to(customer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What sends a text of one's own to the customer."""
    return {"kind": "TASK", "customerId": customer["id"], "subject": "Roof", "text": "It is done.", **more}


async def test_an_invoice_goes_to_whom_the_rules_include(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    grace = await factories.recipient(client, customer["id"], firstName="Grace", **methods("grace@example.com"))
    alan = await factories.recipient(client, customer["id"], firstName="Alan", **methods("alan@example.com"))
    await factories.recipient(client, customer["id"], **OFF)
    await factories.contact(client, customer["id"], **methods("nobody@example.com"))
    invoice = await factories.posted_invoice(client, customer["id"], number="1007")
    sent = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"]}
    preview = await looked_ahead(client, **sent)
    payload = await client.change(SEND_COMMUNICATION, input=sent)
    communication = payload["communication"]
    assert communication["templateName"] == preview["templateName"] == "Invoice"
    assert (communication["suppressed"], communication["separate"]) == (None, True)
    assert (preview["errors"], preview["warnings"], preview["suppressed"]) == ([], [], None)
    rows = await deliveries(communication)
    assert [(row["contact_id"], row["email"], row["status"], row["chosen"]) for row in rows] == [
        (grace["id"], "grace@example.com", "QUEUED", "RULE"),
        (alan["id"], "alan@example.com", "QUEUED", "RULE"),
    ]
    assert "Dear Grace" in rows[0]["text"]
    assert "1007" in rows[0]["subject_line"]
    assert await waiting() == sorted(row["message_id"] for row in rows)
    told = ("name", "email", "role", "field", "chosen", "reasons", "text", "html")
    assert [tuple(one[name] for name in told) for one in preview["deliveries"]] == [
        tuple(row[name] for name in told) for row in rows
    ]
    assert [one["subject"] for one in preview["deliveries"]] == [row["subject_line"] for row in rows]
    assert [one["contact"]["id"] for one in preview["deliveries"]] == [grace["id"], alan["id"]]
    made, first, second = payload["events"]
    assert actions([made, first, second]) == ["COMMUNICATION_CREATED", "DELIVERY_CREATED", "DELIVERY_CREATED"]
    assert made["sentence"] == f"Ada Admin sent the invoice email “{communication['subject']}” to Krume."
    label = f"{rows[0]['name']} <grace@example.com>"
    assert first["sentence"] == f"Ada Admin queued an email to {label} at Krume."
    assert changes(first)["reasons"] == (None, ["DESIGNATED", "SWITCHED_ON"])


async def test_whoever_is_chosen_gets_it_even_with_the_switch_off(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    grace = await factories.recipient(client, customer["id"], firstName="Grace", lastName="Hopper", **OFF)
    invoice = await factories.posted_invoice(client, customer["id"])
    sent = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"]}
    fault = await refusal(client, **sent)
    assert (fault["code"], fault["field"]) == ("NO_RECIPIENT", ["input", "recipients"])
    assert "Grace Hopper" in fault["message"]
    assert "switched off" in fault["message"]
    chosen = [{"contactId": grace["id"]}]
    preview = await looked_ahead(client, **sent, recipients=chosen)
    assert preview["warnings"] == ["By the rules Grace Hopper would not get it: switched off."]
    payload = await client.change(SEND_COMMUNICATION, input={**sent, "recipients": chosen})
    [row] = await deliveries(payload["communication"])
    assert (row["chosen"], row["reasons"]) == ("MANUAL", ["DESIGNATED", "SWITCHED_OFF"])
    assert payload["events"][1]["sentence"].endswith("at Krume, chosen by hand.")


async def test_a_bounced_address_is_written_to_by_hand_only(client: Client) -> None:
    grace = await factories.recipient(client, **methods("grace@example.com", "hopper@example.com"))
    problem = {"address": "grace@example.com", "at": "2026-01-31T09:00:00+00:00", "reply": "550", "delivery_id": None}

    async def bounced(change: Change) -> None:
        await change.update(models.Contact, await change.get(models.Contact, grace["id"]), {"email_problem": problem})

    await factories.by_quickbooks(bounced)
    sent = text_to(grace["customer"])
    assert (await refusal(client, **sent))["code"] == "NO_RECIPIENT"
    told = "The last email to grace@example.com did not arrive."
    for email, warned in (("grace@example.com", True), (" Hopper@example.com ", False)):
        chosen = [{"contactId": grace["id"], "email": email}]
        preview = await looked_ahead(client, **sent, recipients=chosen)
        assert (told in preview["warnings"]) is warned
        communication = (await client.change(SEND_COMMUNICATION, input={**sent, "recipients": chosen}))["communication"]
        [row] = await deliveries(communication)
        assert (row["email"], row["chosen"]) == (email.strip().lower(), "MANUAL")
        assert "EMAIL_PROBLEM" in row["reasons"]


async def test_a_preview_says_that_an_address_gets_it_twice(client: Client) -> None:
    customer = await factories.customer(client)
    named = {"lastName": "Hopper"}
    for first, address in (("Grace", "office@example.com"), ("Ada", "ada@example.com"), ("Alan", "Office@example.com")):
        await factories.recipient(client, customer["id"], firstName=first, **named, **methods(address))
    told = "office@example.com would get it 2 times, as the address of "
    [warned] = (await looked_ahead(client, **text_to(customer)))["warnings"]
    assert warned.casefold().startswith(told)
    assert {"Grace Hopper", "Alan Hopper"} == set(warned[len(told) : -1].split(", "))
    communication = (await client.change(SEND_COMMUNICATION, input=text_to(customer)))["communication"]
    assert len(await deliveries(communication)) == 3


async def test_one_message_for_all_has_a_cc(client: Client) -> None:
    customer = await factories.customer(client)
    people = [await factories.recipient(client, customer["id"]) for _ in range(2)]
    chosen = [{"contactId": people[0]["id"]}, {"contactId": people[1]["id"], "field": "CC"}]
    sent = text_to(customer, recipients=chosen)
    payload = await client.change(SEND_COMMUNICATION, input=sent)
    rows = await deliveries(payload["communication"])
    assert ([row["field"] for row in rows], payload["communication"]["separate"]) == (["TO", "CC"], False)
    assert await waiting() == [rows[0]["message_id"]] == [rows[1]["message_id"]]
    fault = await client.fault(SEND_COMMUNICATION, input={**sent, "separate": True})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "recipients", "1", "field"])
    fault = await client.fault(SEND_COMMUNICATION, input={**sent, "recipients": chosen[1:]})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "recipients", "0", "field"])
    await client.change(UPDATE_SETTINGS, input={"separateMessages": False})
    invoice = await factories.posted_invoice(client, customer["id"])
    about = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"]}
    shared = (await client.change(SEND_COMMUNICATION, input=about))["communication"]
    assert shared["separate"] is False
    # Nobody is named in what all read.
    assert len({row["text"] for row in await deliveries(shared)}) == 1
    apart = (await client.change(SEND_COMMUNICATION, input={**about, "separate": True}))["communication"]
    separate = {row["contact_id"]: row["text"] for row in await deliveries(apart)}
    assert len(set(separate.values())) == 2
    # Who is the only one is named.
    alone = {**about, "recipients": [{"contactId": people[0]["id"]}]}
    [read] = await deliveries((await client.change(SEND_COMMUNICATION, input=alone))["communication"])
    assert read["text"] == separate[people[0]["id"]]


async def test_a_disabled_template_sends_nothing_and_the_log_says_so(client: Client) -> None:
    grace = await factories.recipient(client)
    invoice = await factories.posted_invoice(client, grace["customer"]["id"])
    await disable(CommunicationKind.INVOICE)
    sent = {"kind": "INVOICE", "customerId": grace["customer"]["id"], "salesDocumentId": invoice["id"]}
    preview = await looked_ahead(client, **sent)
    assert (preview["suppressed"], preview["errors"]) == ("TEMPLATE_DISABLED", [])
    assert preview["warnings"] == ["The template Invoice is disabled: nothing would be sent."]
    payload = await client.change(SEND_COMMUNICATION, input=sent)
    assert payload["communication"]["suppressed"] == "TEMPLATE_DISABLED"
    assert [row["status"] for row in await deliveries(payload["communication"])] == ["SUPPRESSED"]
    assert await waiting() == []
    assert payload["events"][0]["sentence"].endswith("its template is disabled.")
    # A text of one's own needs no template.
    own = {**sent, "subject": "Your invoice", "text": "Here it is."}
    assert (await client.change(SEND_COMMUNICATION, input=own))["communication"]["suppressed"] is None


async def test_own_text_is_sent_as_it_is(client: Client) -> None:
    grace = await factories.recipient(client)
    html = "<p>Hello {{ ''.__class__ }}<br/>a &amp; b</p>"
    sent = text_to(grace["customer"], subject="  {{ 7 * 7 }}  Roof ", text="Dear {{ contact.name }}\r\n", html=html)
    communication = (await client.change(SEND_COMMUNICATION, input=sent))["communication"]
    [row] = await deliveries(communication)
    assert (row["subject_line"], row["text"]) == ("{{ 7 * 7 }} Roof", "Dear {{ contact.name }}")
    assert row["html"] == "<p>Hello {{ ''.__class__ }}<br>a &amp; b</p>"
    assert (communication["templateName"], communication["sentBy"]["name"]) == (None, "Ada Admin")


async def test_text_that_cannot_be_sent_is_refused(client: Client) -> None:
    customer = (await factories.recipient(client))["customer"]
    for changed, field in (
        ({"subject": None}, "subject"),
        ({"text": None}, "text"),
        ({"subject": None, "text": None, "html": "<p>Hello</p>"}, "subject"),
        ({"subject": "Roof\r\nBcc: everybody@example.com"}, "subject"),
        ({"subject": "Roof\u2028Bcc: everybody@example.com"}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"subject": " \u200b "}, "subject"),
        ({"text": " \n"}, "text"),
        ({"text": "x" * 100_001}, "text"),
        ({"html": "<script>alert(1)</script>"}, "html"),
        ({"html": "<p>" + "x" * 300_000}, "html"),
        ({"html": "<p>\u0007</p>"}, "html"),
        ({"templateId": new_id("tpl")}, "templateId"),
        ({"recipients": []}, "recipients"),
    ):
        fault = await refusal(client, **text_to(customer, **changed))
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", field]), changed
    # The sanitiser would repair what is not closed, and make a thousand times as much of it.
    for html, told in (
        ("<p><b title=i>x" * 2000, "Line 1: This tag cannot be read"),
        ('<p><b title="i">x' * 2000, "Line 1: <p> may not stand in <b>"),
        ("<p>Hello</p>\n<p onclick='x()'>", "Line 2: <p> may not have onclick"),
        ("<p>Hello</p>\n<img src='https://x.example/1.png'>", "Line 2: <img> may not stand in an email"),
        ("<p>\n\n<i>Hello</p>", "Line 3: "),
        ("&" * 299_999, "1 MiB"),
    ):
        fault = await refusal(client, **text_to(customer, html=html))
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "html"]), html[:50]
        assert told in fault["message"]
    await client.send(SEND_COMMUNICATION, {"input": text_to(customer, text="x" * 5 * 1024 * 1024)})
    assert client.response.status_code == 413


async def test_names_with_line_breaks_never_reach_a_header(client: Client) -> None:
    """They are refused where they are entered; what stands in the database anyhow becomes one line."""
    fault = await client.fault(CREATE_CUSTOMER, input={"name": "Krume\r\nBcc: everybody@example.com"})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "name"])
    grace = await factories.recipient(client)
    invoice = await factories.posted_invoice(client, grace["customer"]["id"])

    async def forced(change: Change) -> None:
        row = await change.get(models.SalesDocument, invoice["id"])
        await change.update(models.SalesDocument, row, {"number": "1\r\nBcc: everybody@example.com"})

    await factories.by_quickbooks(forced)
    sent = {"kind": "INVOICE", "customerId": grace["customer"]["id"], "salesDocumentId": invoice["id"]}
    communication = (await client.change(SEND_COMMUNICATION, input=sent))["communication"]
    [row] = await deliveries(communication)
    assert "Bcc" in row["subject_line"]
    assert not {"\r", "\n"} & set(row["subject_line"])


async def test_only_who_can_be_written_to_can_be_chosen(client: Client) -> None:
    customer = await factories.customer(client)
    grace = await factories.recipient(client, customer["id"])
    phone = await factories.contact(client, customer["id"], methods=[{"kind": "PHONE", "value": "+14155550101"}])
    gone = await factories.contact(client, customer["id"], **methods("gone@example.com"))
    await client.change(UPDATE_CONTACT, input={"id": gone["id"], "active": False})
    stranger = await factories.recipient(client)
    one = {"contactId": grace["id"]}
    for chosen, code, place in (
        ([one, {"contactId": stranger["id"]}], "INVALID", ["1", "contactId"]),
        ([{"contactId": new_id("con")}], "NOT_FOUND", ["0", "contactId"]),
        ([{"contactId": customer["id"]}], "INVALID", ["0", "contactId"]),
        ([{"contactId": phone["id"]}], "INVALID", ["0", "contactId"]),
        ([{"contactId": gone["id"]}], "INVALID", ["0", "contactId"]),
        ([{**one, "email": "somebody@example.com"}], "INVALID", ["0", "email"]),
        ([{**one, "email": "x\r\nBcc: everybody@example.com"}], "INVALID", ["0", "email"]),
        ([one, one], "INVALID", ["1", "contactId"]),
        ([one] * 101, "LIMIT_REACHED", []),
    ):
        fault = await refusal(client, **text_to(customer, recipients=chosen))
        assert (fault["code"], fault["field"]) == (code, ["input", "recipients", *place]), chosen


async def test_what_an_email_is_about_suits_it(client: Client) -> None:
    customer = await factories.customer(client)
    await factories.recipient(client, customer["id"])
    draft, quote = [await factories.sales_document(client, customer["id"], kind=kind) for kind in ("INVOICE", "QUOTE")]
    posted = await factories.posted_invoice(client, customer["id"])
    paid = await factories.posted_invoice(client, customer["id"])
    await client.change(RECORD_PAYMENT, input={"salesDocumentId": paid["id"], "amount": "500", "method": "CASH"})
    foreign = await factories.posted_invoice(client)
    merged = await factories.customer(client)
    await client.change(MERGE_CUSTOMERS, input={"id": customer["id"], "mergedId": merged["id"]})
    here = {"customerId": customer["id"]}
    for sent, code, field in (
        ({**here, "kind": "WELCOME"}, "INVALID", "kind"),
        ({**here, "kind": "WORKFLOW_REMINDER"}, "INVALID", "kind"),
        ({**here, "kind": "INVOICE"}, "INVALID", "salesDocumentId"),
        ({**here, "kind": "INVOICE", "salesDocumentId": draft["id"]}, "WRONG_STATUS", "salesDocumentId"),
        ({**here, "kind": "INVOICE", "salesDocumentId": quote["id"]}, "INVALID", "salesDocumentId"),
        ({**here, "kind": "INVOICE", "salesDocumentId": foreign["id"]}, "INVALID", "salesDocumentId"),
        ({**here, "kind": "INVOICE", "salesDocumentId": new_id("sdo")}, "NOT_FOUND", "salesDocumentId"),
        ({**here, "kind": "INVOICE", "salesDocumentId": customer["id"]}, "INVALID", "salesDocumentId"),
        ({**here, "kind": "REMINDER", "salesDocumentId": paid["id"]}, "WRONG_STATUS", "salesDocumentId"),
        ({**here, "kind": "STATEMENT", "salesDocumentId": posted["id"]}, "INVALID", "salesDocumentId"),
        ({**here, "kind": "TICKET", "attachInvoice": True}, "INVALID", "salesDocumentId"),
        ({**here, "kind": "TICKET", "statementMonth": "2026-01"}, "INVALID", "statementMonth"),
        ({**here, "kind": "STATEMENT", "statementMonth": "January"}, "INVALID", "statementMonth"),
        ({**here, "kind": "STATEMENT", "statementMonth": "2999-01"}, "INVALID", "statementMonth"),
        ({**here, "kind": "TICKET", "templateId": new_id("tpl")}, "NOT_FOUND", "templateId"),
        ({"customerId": merged["id"], "kind": "TICKET"}, "READ_ONLY", "customerId"),
        ({"customerId": new_id("cus"), "kind": "TICKET"}, "NOT_FOUND", "customerId"),
        ({"customerId": "nonsense", "kind": "TICKET"}, "INVALID", "customerId"),
    ):
        fault = await refusal(client, **sent)
        assert (fault["code"], fault["field"]) == (code, ["input", field]), sent
    for kind, about in (("ESTIMATE", quote), ("REMINDER", posted), ("INVOICE", paid), ("CREDIT_NOTE", None)):
        sent = {**here, "kind": kind, "salesDocumentId": about and about["id"]}
        assert (await client.change(SEND_COMMUNICATION, input=sent))["communication"]["kind"] == kind


async def test_documents_and_pdfs_are_attached_as_they_are(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client, name="Krume")
    await factories.recipient(client, customer["id"])
    invoice = await factories.posted_invoice(client, customer["id"], number="1007")
    document = await factories.document(client, customer["id"], content=b"Both parties agree.", name="Contract.txt")
    sent = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"]}
    sent |= {"attachInvoice": True, "attachStatement": True, "documentIds": [document["id"]]}
    preview = await looked_ahead(client, **sent)
    communication = (await client.change(SEND_COMMUNICATION, input=sent))["communication"]
    today = clock.now().date().isoformat()
    names = ["Invoice 1007.pdf", f"Statement {today}.pdf", "Contract.txt"]
    assert [one["name"] for one in communication["attachments"]] == names
    told = ("name", "mediaType", "size", "sha256", "document")
    assert preview["attachments"] == [{name: one[name] for name in told} for one in communication["attachments"]]
    assert [one["document"] for one in communication["attachments"]] == [None, None, {"id": document["id"]}]
    for one in communication["attachments"]:
        found = await storage.find(content_path(one["sha256"]))
        assert found is not None
        assert found.size == one["size"]
        response = await Client().http.get(one["downloadUrl"])
        assert (response.status_code, len(response.content)) == (200, one["size"])
        assert response.content.startswith(b"%PDF" if one["document"] is None else b"Both parties")


async def test_what_cannot_be_attached_is_refused(
    client: Client, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = (await factories.recipient(client))["customer"]
    document = await factories.document(client, customer["id"])
    foreign = await factories.document(client)
    lost = await factories.document(client, customer["id"])
    await storage.delete(content_path(lost["sha256"]))
    for ids, code, place in (
        ([document["id"], foreign["id"]], "INVALID", ["1"]),
        ([new_id("doc")], "NOT_FOUND", ["0"]),
        (["nonsense"], "INVALID", ["0"]),
        ([document["id"], document["id"]], "INVALID", ["1"]),
        ([document["id"], lost["id"]], "NOT_FOUND", ["1"]),
        ([new_id("doc") for _ in range(21)], "LIMIT_REACHED", []),
    ):
        fault = await refusal(client, **text_to(customer, documentIds=ids))
        assert (fault["code"], fault["field"]) == (code, ["input", "documentIds", *place]), ids
    monkeypatch.setattr(attaching, "MOST_BYTES", 5)
    fault = await refusal(client, **text_to(customer, documentIds=[document["id"]]))
    assert (fault["code"], fault["field"]) == ("LIMIT_REACHED", ["input", "documentIds"])


async def test_an_invoice_that_changed_while_its_pdf_was_made_is_a_conflict(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = (await factories.recipient(client))["customer"]
    invoice = await factories.posted_invoice(client, customer["id"])
    paid = {"salesDocumentId": invoice["id"], "amount": "20.00", "method": "CASH"}
    pdfs = making.pdfs

    async def meanwhile(*args: Any) -> Any:
        made = await pdfs(*args)
        await Client(client.token).change(RECORD_PAYMENT, input=paid)
        return made

    sent = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"], "attachInvoice": True}
    with monkeypatch.context() as patch:
        patch.setattr(making, "pdfs", meanwhile)
        fault = await client.fault(SEND_COMMUNICATION, input=sent)
        assert (fault["code"], fault["field"]) == ("CONFLICT", ["input", "attachInvoice"])
        assert fault["currentRevision"] == invoice["revision"] + 1
        statement = {"kind": "STATEMENT", "customerId": customer["id"], "attachStatement": True}
        fault = await client.fault(SEND_COMMUNICATION, input=statement)
        assert (fault["code"], fault["field"]) == ("CONFLICT", ["input", "attachStatement"])
    assert await waiting() == []
    await client.change(SEND_COMMUNICATION, input=sent)


async def test_what_is_recorded_is_what_is_sent_whatever_changes_meanwhile(client: Client) -> None:
    """Two send at once, while somebody changes the address: each email went to one of both, whole."""
    customer = await factories.customer(client)
    role = await factories.contact_role(client, invoicePresentment=True, communication=True)
    old, new = "old@example.com", "new@example.com"
    grace = await factories.contact(client, customer["id"], firstName="Old", roleId=role["id"], **methods(old))
    sent = {"kind": "TASK", "customerId": customer["id"]}
    changed = {"id": grace["id"], "firstName": "New", **methods(new)}
    somebody = [Client(client.token, client.user) for _ in range(3)]
    payloads = await asyncio.gather(
        somebody[0].change(SEND_COMMUNICATION, input=sent),
        somebody[1].change(SEND_COMMUNICATION, input=sent),
        somebody[2].change(UPDATE_CONTACT, input=changed),
    )
    rows = [row for payload in payloads[:2] for row in await deliveries(payload["communication"])]
    assert len(rows) == len(await waiting()) == 2
    for row in rows:
        assert (row["email"], row["name"].split()[0]) in {(old, "Old"), (new, "New")}
        assert f"Dear {row['name'].split()[0]}" in row["text"]
    third = (await client.change(SEND_COMMUNICATION, input=sent))["communication"]
    assert [row["email"] for row in await deliveries(third)] == [new]


async def test_a_repeat_with_the_same_key_sends_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    grace = await factories.recipient(client)
    document = await factories.document(client, grace["customer"]["id"])
    sent = {"input": text_to(grace["customer"], documentIds=[document["id"]], attachStatement=True)}
    pdfs, made = making.pdfs, []

    async def counted(*args: Any) -> Any:
        made.append(args)
        return await pdfs(*args)

    monkeypatch.setattr(making, "pdfs", counted)
    first = await client.send(SEND_COMMUNICATION, sent, {"Idempotency-Key": "k"})
    # Who repeats it does not send, so it matters no more whether it could be sent.
    await client.change(UPDATE_CONTACT, input={"id": grace["id"], "methods": []})
    async with nothing_recorded():
        again = await client.send(SEND_COMMUNICATION, sent, {"Idempotency-Key": "k"})
    one, other = (answer["sendCommunication"]["communication"] for answer in (first, again))
    assert one["id"] == other["id"]
    assert len(await waiting()) == len(made) == 1
    sent["input"]["subject"] = "Something else"
    await client.send(SEND_COMMUNICATION, sent, {"Idempotency-Key": "k"})
    [fault] = client.response.json()["data"]["sendCommunication"]["errors"]
    assert (fault["code"], len(made)) == ("IDEMPOTENCY_MISMATCH", 1)


async def test_sending_has_its_own_permissions(client: Client, client_with: ClientWith) -> None:
    grace = await factories.recipient(client)
    customer = grace["customer"]
    invoice = await factories.posted_invoice(client, customer["id"])
    document = await factories.document(client, customer["id"])
    about = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"]}
    reader = await client_with([Permission.COMMUNICATIONS_READ, Permission.SALES_DOCUMENTS_READ])
    await reader.run(SEND_COMMUNICATION, input=about)
    assert reader.codes == ["FORBIDDEN"]
    assert "COMMUNICATIONS_SEND" in reader.errors[0]["message"]
    granted = [Permission.COMMUNICATIONS_SEND, Permission.COMMUNICATIONS_READ, Permission.CUSTOMERS_READ]
    sender = await client_with(granted)
    statement = {"kind": "STATEMENT", "customerId": customer["id"]}
    for sent, permission in (
        (about, "SALES_DOCUMENTS_READ"),
        (statement, "SALES_DOCUMENTS_READ"),
        (text_to(customer, attachStatement=True), "SALES_DOCUMENTS_READ"),
        (text_to(customer, documentIds=[document["id"]]), "DOCUMENTS_READ"),
    ):
        for text in (BARE, BARE_PREVIEW):
            await sender.run(text, input=sent)
            assert sender.codes == ["FORBIDDEN"], sent
            assert permission in sender.errors[0]["message"]
    blind = await client_with(granted[:2])
    for text in (BARE, BARE_PREVIEW):
        await blind.run(text, input=text_to(customer))
        assert blind.codes == ["FORBIDDEN"]
        assert "CUSTOMERS_READ" in blind.errors[0]["message"]
    assert await waiting() == []
    await sender.run(BARE, input=text_to(customer))
    assert (sender.errors, len(await waiting())) == ([], 1)


async def test_a_draft_that_was_emailed_is_not_deleted(client: Client) -> None:
    grace = await factories.recipient(client)
    quote = await factories.sales_document(client, grace["customer"]["id"], kind="QUOTE")
    sent = {"kind": "ESTIMATE", "customerId": grace["customer"]["id"], "salesDocumentId": quote["id"]}
    await client.change(SEND_COMMUNICATION, input=sent)
    async with nothing_recorded():
        fault = await client.fault(DELETE_SALES_DOCUMENT, input={"id": quote["id"]})
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "id"])


async def test_an_inactive_customer_is_written_to_by_hand_only(client: Client) -> None:
    grace = await factories.recipient(client)
    await client.change(UPDATE_CUSTOMER, input={"id": grace["customer"]["id"], "active": False})
    sent = text_to(grace["customer"])
    assert (await refusal(client, **sent))["code"] == "NO_RECIPIENT"
    chosen = {**sent, "recipients": [{"contactId": grace["id"]}]}
    await client.change(SEND_COMMUNICATION, input=chosen)
    assert len(await waiting()) == 1


async def test_when_too_many_pdfs_are_made_nothing_is_sent(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = await factories.posted_invoice(client)
    customer = invoice["customer"]
    await factories.recipient(client, customer["id"])
    about = {"kind": "INVOICE", "customerId": customer["id"], "salesDocumentId": invoice["id"], "attachInvoice": True}
    with monkeypatch.context() as patch:
        patch.setattr(compiling, "_places", threading.BoundedSemaphore(0))
        async with nothing_recorded():
            for operation in (BARE, BARE_PREVIEW):
                await client.run(operation, input=about)
                [error] = client.errors
                assert error["extensions"]["code"] == "BUSY"
                assert error["message"].startswith("Too many PDFs")
    await client.change(SEND_COMMUNICATION, input=about)
