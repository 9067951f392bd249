"""The communication log: by customer, contact and sales document, filtered, with what became of each email."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

import models
from audit import Change
from models import CommunicationKind, Contact, DeliveryStatus, Permission, Suppression, clock
from models.identifier import new_id
from schema import communication
from services.communications import Attachment
from tests import factories
from tests.audit.rows import by_ada
from tests.client import Client, ClientWith
from tests.resolvers import stubs
from tests.resolvers.documents import CUSTOMER_HISTORY, DELETE_CONTACT, LOGGED, MERGE_CUSTOMERS, UPDATE_CONTACT
from tests.services.communications.drafts import addressee, draft, recorded, sent_to, settled

pytestmark = pytest.mark.anyio

P, S = Permission, DeliveryStatus
LOG = f"""query ($id: ID!, $filter: CommunicationFilter) {{ node(id: $id) {{
  ... on Customer {{ communications(filter: $filter) {{ totalCount edges {{ node {LOGGED} }} }} }}
  ... on Contact {{ communications(filter: $filter) {{ totalCount edges {{ node {LOGGED} }} }} }}
  ... on SalesDocument {{ communications(filter: $filter) {{ totalCount edges {{ node {LOGGED} }} }} }}
}} }}"""
SUBJECTS = """query ($filter: CommunicationFilter, $first: Int, $after: String) {
  communications(filter: $filter, first: $first, after: $after) {
    totalCount edges { node { subject } } pageInfo { endCursor hasNextPage }
  }
}"""
TIMELINE = """query ($id: ID!) { node(id: $id) { ... on Delivery {
  status statusAt reply timeline { at status reply event { seq action sentence } }
} } }"""
EMAILS = [{"kind": "EMAIL", "value": "Eva@Example.com"}]


async def log(client: Client, identifier: str, **filter: Any) -> list[dict[str, Any]]:
    """The communications of a customer, a contact or a sales document."""
    found = (await client.run(LOG, id=identifier, filter=filter))["node"]["communications"]
    assert client.errors == []
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def subjects(client: Client, **filter: Any) -> list[str]:
    """The subjects of the whole log, newest first."""
    found = (await client.run(SUBJECTS, filter=filter, first=100))["communications"]
    assert client.errors == []
    return [edge["node"]["subject"] for edge in found["edges"]]


async def eva(client: Client, customer_id: str | None = None, **fields: Any) -> dict[str, Any]:
    return await factories.contact(client, customer_id, firstName="Eva", lastName="Quinn", methods=EMAILS, **fields)


async def test_the_log_says_what_was_sent_to_whom_and_why(client: Client) -> None:
    person = await eva(client)
    communication, delivery = await sent_to(person["id"])
    [shown] = await log(client, person["customer"]["id"])
    [edge] = shown["deliveries"]["edges"]
    assert (shown["id"], shown["kind"], shown["subject"]) == (communication["id"], "STATEMENT", "Statement")
    assert shown["sentBy"]["name"] == "Ada Example"
    assert shown["statuses"] == [{"status": "QUEUED", "deliveries": 1}]
    assert edge["node"] == {
        "id": delivery["id"],
        "name": "Eva Quinn",
        "email": "Eva@example.com",
        "role": "Company Contact",
        "field": "TO",
        "chosen": "RULE",
        "reasons": ["DESIGNATED"],
        "subject": "Statement",
        "text": "Dear Eva",
        "html": "<p>Dear Eva</p>",
        "status": "QUEUED",
        "reply": None,
        "attempts": 0,
        "mayRepeat": False,
        "contact": {"id": person["id"]},
    }
    assert await log(client, person["id"]) == [shown]
    one = f"query ($id: ID!) {{ communication(id: $id) {LOGGED} delivery(id: $id) {{ id }} }}"
    assert (await client.run(one.replace("delivery(id: $id) { id }", ""), id=communication["id"])) == {
        "communication": shown
    }
    assert (await client.run("query ($id: ID!) { delivery(id: $id) { text } }", id=delivery["id"])) == {
        "delivery": {"text": "Dear Eva"}
    }


async def test_recipients_stay_as_they_were(client: Client) -> None:
    person = await eva(client)
    other = await factories.contact(client, person["customer"]["id"])
    await sent_to(person["id"])
    before = await log(client, person["customer"]["id"])
    renamed = {"lastName": "Quimby", "methods": [{"kind": "EMAIL", "value": "new@example.com"}]}
    await client.change(UPDATE_CONTACT, input={"id": person["id"], **renamed})
    assert await log(client, person["customer"]["id"]) == before
    await client.change(DELETE_CONTACT, input={"id": person["id"], "successorId": other["id"]})
    [shown] = await log(client, person["customer"]["id"])
    assert shown["deliveries"]["edges"][0]["node"]["contact"] is None
    assert await subjects(client, contactId=person["id"]) == ["Statement"]


async def test_bodies_are_only_read_when_they_are_asked_for(client: Client, database: models.Database) -> None:
    person = await eva(client)
    await sent_to(person["id"])
    seen: list[str] = []
    database.statements.append(seen.append)
    await client.run("{ communications { edges { node { subject deliveries { edges { node { status } } } } } } }")
    database.statements.remove(seen.append)
    assert [sql for sql in seen if "delivery" in sql]
    assert [sql for sql in seen if '"html"' in sql or "html" in sql] == []


async def test_filters(client: Client) -> None:
    person, other = await eva(client), await factories.contact(client)
    start = datetime.fromisoformat("2030-01-01T00:00:00+00:00")
    made: dict[str, Any] = {
        "Sent": (person, S.SENT, {}),
        "Bounced": (person, S.BOUNCED, {"kind": CommunicationKind.INVOICE}),
        "Failed": (other, S.FAILED, {}),
        "Disabled": (other, None, {"suppressed": Suppression.TEMPLATE_DISABLED}),
    }
    ids = {}
    for hours, (name, (contact, status, values)) in enumerate(made.items()):
        with clock.set_to(lambda at=start + timedelta(hours=hours): at):  # type: ignore[misc]
            communication, delivery = await sent_to(contact["id"], **{"subject_line": name, **values})
            ids[name] = communication["id"]
            if status is not None:
                await settled(delivery, status)
    assert await subjects(client) == ["Disabled", "Failed", "Bounced", "Sent"]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"kinds": ["INVOICE"]}, ["Bounced"]),
        ({"kinds": []}, []),
        ({"kinds": None, "statuses": ["SENT", "FAILED", "SENT"]}, ["Failed", "Sent"]),
        ({"statuses": []}, []),
        ({"statuses": ["SUPPRESSED"]}, ["Disabled"]),
        ({"hasProblem": True}, ["Failed", "Bounced"]),
        ({"hasProblem": False}, ["Disabled", "Sent"]),
        ({"suppressed": True}, ["Disabled"]),
        ({"suppressed": False, "hasProblem": False}, ["Sent"]),
        ({"contactId": other["id"]}, ["Disabled", "Failed"]),
        ({"customerId": person["customer"]["id"]}, ["Bounced", "Sent"]),
        ({"email": " EVA@example.COM "}, ["Bounced", "Sent"]),
        ({"email": "eva@example.co"}, []),
        ({"from": (start + timedelta(hours=1)).isoformat()}, ["Disabled", "Failed", "Bounced"]),
        ({"to": (start + timedelta(hours=1)).isoformat()}, ["Sent"]),
        ({"salesDocumentId": new_id("sdo")}, []),
    ]
    for filter, expected in cases:
        assert await subjects(client, **filter) == expected, filter
    assert [one["id"] for one in await log(client, other["id"], hasProblem=True)] == [ids["Failed"]]
    page = (await client.run(SUBJECTS, first=3))["communications"]
    assert page["totalCount"] == 4
    assert page["pageInfo"]["hasNextPage"]
    page = (await client.run(SUBJECTS, first=3, after=page["pageInfo"]["endCursor"]))["communications"]
    assert [edge["node"]["subject"] for edge in page["edges"]] == ["Sent"]
    for name in ("customerId", "salesDocumentId", "contactId"):
        assert await client.run(SUBJECTS, filter={name: "usr_1"}) == {}
        assert client.codes == ["BAD_ID"]
        assert client.errors[0]["message"].startswith(f"filter.{name}: ")


async def test_a_page_of_contacts_has_the_log_of_each(client: Client) -> None:
    first = await eva(client)
    second = await factories.contact(client, first["customer"]["id"], methods=EMAILS)

    async def both(change: Change) -> list[Any]:
        return [await change.read(Contact, contact["id"]) for contact in (first, second)]

    rows, _ = await by_ada(both)
    await recorded(draft(*(addressee(row) for row in rows), subject_line="Both"))
    await sent_to(first["id"], subject_line="First")
    text = """{ contacts { edges { node { id
      communications { totalCount edges { node { subject deliveries { totalCount } } } }
    } } } }"""
    edges = (await client.run(text))["contacts"]["edges"]
    found = {edge["node"]["id"]: edge["node"]["communications"] for edge in edges}
    told = {
        identifier: (part["totalCount"], [edge["node"]["subject"] for edge in part["edges"]])
        for identifier, part in found.items()
    }
    assert told == {first["id"]: (2, ["First", "Both"]), second["id"]: (1, ["Both"])}
    assert found[second["id"]]["edges"][0]["node"]["deliveries"]["totalCount"] == 2


async def test_a_survivors_log_has_those_of_the_merged_customer(client: Client) -> None:
    acme, person = await factories.customer(client, name="Acme"), await eva(client)
    old = person["customer"]["id"]
    await sent_to(person["id"], subject_line="Before", statement_month="2026-10")
    ours = await factories.contact(client, acme["id"])
    await sent_to(ours["id"], subject_line="Ours", statement_month="2026-10")
    await client.change(MERGE_CUSTOMERS, input={"id": acme["id"], "mergedId": old})
    await sent_to(person["id"], subject_line="After")
    assert [one["subject"] for one in await log(client, acme["id"])] == ["After", "Ours", "Before"]
    assert [one["subject"] for one in await log(client, old)] == ["Before"]
    assert [one["subject"] for one in await log(client, person["id"])] == ["After", "Before"]
    assert await subjects(client, customerId=acme["id"]) == ["After", "Ours", "Before"]
    again = await factories.customer(client, name="Umbrella")
    await client.change(MERGE_CUSTOMERS, input={"id": again["id"], "mergedId": acme["id"]})
    assert [one["subject"] for one in await log(client, again["id"])] == ["After", "Ours", "Before"]


async def test_what_is_about_sales_documents_is_for_those_who_may_see_them(
    client: Client, client_with: ClientWith
) -> None:
    person = await eva(client)
    invoice = await factories.posted_invoice(client, person["customer"]["id"])
    about, delivery = await sent_to(person["id"], subject_line="Invoice", sales_document_id=invoice["id"])
    statement, part = await sent_to(person["id"], subject_line="Yours")
    file: dict[str, Any] = {"name": "x.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64}
    work: dict[str, Any] = {"kind": CommunicationKind.TASK}
    attached = (Attachment(**file, document_id=new_id("doc")), Attachment(**file))
    await sent_to(person["id"], subject_line="Balance", attachments=attached, **work)
    await sent_to(person["id"], subject_line="Again", resend_of_id=about["id"], attachments=attached[:1], **work)
    assert [one["subject"] for one in await log(client, invoice["id"])] == ["Invoice"]
    assert [one["subject"] for one in await log(client, person["customer"]["id"])] == [
        "Again",
        "Balance",
        "Yours",
        "Invoice",
    ]
    reader = await client_with([P.CUSTOMERS_READ, P.COMMUNICATIONS_READ])
    for identifier in (person["id"], person["customer"]["id"]):
        [shown] = await log(reader, identifier)
        assert (shown["subject"], shown["resendOf"]) == ("Again", None)
    assert await subjects(reader) == ["Again"]
    assert await subjects(reader, kinds=["STATEMENT", "INVOICE"]) == []
    for one in (about, delivery, statement, part):
        name = "communication" if one in (about, statement) else "delivery"
        text = f"query ($id: ID!) {{ node(id: $id) {{ id }} {name}(id: $id) {{ id }} }}"
        assert await reader.run(text, id=one["id"]) == {"node": None, name: None}
        assert (await client.run(text, id=one["id"]))["node"] == {"id": one["id"]}
    stranger = await client_with([P.CUSTOMERS_READ, P.SALES_DOCUMENTS_READ])
    await stranger.run(SUBJECTS)
    assert stranger.codes == ["FORBIDDEN"]


async def test_the_timeline_is_read_from_events(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    _, delivery = await sent_to((await eva(client))["id"])
    for status, reply in (
        (S.DEFERRED, "450 Later"),
        (S.DEFERRED, "450 Later"),
        (S.SENT, "250 OK"),
        (S.DELIVERED, None),
    ):
        await settled(delivery, status, reply)
    shown = (await client.run(TIMELINE, id=delivery["id"]))["node"]
    told = [(step["status"], step["reply"], step["event"]["action"]) for step in shown["timeline"]]
    assert told == [
        ("QUEUED", None, "DELIVERY_CREATED"),
        ("DEFERRED", "450 Later", "DELIVERY_UPDATED"),
        ("DEFERRED", "450 Later", "DELIVERY_UPDATED"),
        ("SENT", "250 OK", "DELIVERY_UPDATED"),
        ("DELIVERED", "250 OK", "DELIVERY_UPDATED"),
    ]
    assert shown["timeline"][-1]["at"] == shown["statusAt"]
    # Of a longer one the last steps are shown.
    monkeypatch.setattr(communication, "MOST_STEPS", 2)
    assert (await client.run(TIMELINE, id=delivery["id"]))["node"]["timeline"] == shown["timeline"][-2:]


async def test_the_history_view_tells_it_in_sentences(client: Client, client_with: ClientWith) -> None:
    customer = await factories.customer(client, name="Krume")
    person = await eva(client, customer["id"])
    before = len((await client.run(CUSTOMER_HISTORY, id=customer["id"]))["customer"]["history"]["edges"])
    _, delivery = await sent_to(person["id"])
    await settled(delivery, S.SENT, "250 OK")
    await settled(delivery, S.BOUNCED, "550 5.1.1 No such\r\n user", address_failed=True)

    async def sentences(reader: Client) -> list[str]:
        edges = (await reader.run(CUSTOMER_HISTORY, id=customer["id"]))["customer"]["history"]["edges"]
        assert reader.errors == []
        return [edge["node"]["sentence"] for edge in reversed(edges)][before:]

    assert await sentences(client) == [
        "Ada Example sent the statement email “Statement” to Krume.",
        "Ada Example queued an email to Eva Quinn <Eva@example.com> at Krume.",
        "The mail server took the email to Eva Quinn <Eva@example.com> at Krume: “250 OK”.",
        "The email to Eva Quinn <Eva@example.com> at Krume bounced: “550 5.1.1 No such user”.",
        "The email address Eva@example.com of Eva Quinn at Krume takes no mail: “550 5.1.1 No such user”.",
    ]
    reader = await client_with([P.CUSTOMERS_READ, P.HISTORY_READ])
    assert await sentences(reader) == [
        "Ada Example wrote an email to Krume.",
        "Somebody at Krume was among the recipients of an email.",
        "It became known what became of an email at Krume.",
        "It became known what became of an email at Krume.",
        "The email address Eva@example.com of Eva Quinn at Krume takes no mail: “550 5.1.1 No such user”.",
    ]


async def test_what_failed_for_good_may_have_arrived_all_the_same(client: Client) -> None:
    person = await factories.contact(client, methods=[{"kind": "EMAIL", "value": "eva@example.com"}])
    sentences = []
    for steps in ([S.DEFERRED, S.FAILED], [S.UNKNOWN, S.FAILED]):
        _, delivery = await sent_to(person["id"])
        for status in steps:
            await settled(delivery, status)
        sentences.append([stub["sentence"] for stub in await stubs.recorded(client, subjectId=delivery["id"])][-1])
    assert " failed" in sentences[0]
    assert " is not sent any more; it is unknown whether it arrived." in sentences[1]
