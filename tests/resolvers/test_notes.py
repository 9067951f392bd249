"""Notes on customers and contacts: written, edited with every earlier text kept, pinned, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from models.identifier import new_id
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import CREATE_NOTE, DELETE_NOTE, NOTE, UPDATE_NOTE, UPDATE_USER
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

_PAGE = f"notes(first: $first, after: $after) {{ totalCount edges {{ node {NOTE} }} pageInfo {{ endCursor }} }}"
NOTES = f"""query ($id: ID!, $first: Int, $after: String) {{
  node(id: $id) {{ ... on Customer {{ {_PAGE} }} ... on Contact {{ {_PAGE} }} }}
}}"""


async def bodies(client: Client, identifier: str, **page: Any) -> list[str]:
    data = await client.run(NOTES, id=identifier, **page)
    return [edge["node"]["body"] for edge in data["node"]["notes"]["edges"]]


async def test_a_note_is_written_with_its_author(client: Client) -> None:
    assert client.user is not None
    customer = await factories.customer(client, name="Krume")
    payload = await client.change(CREATE_NOTE, input={"subjectId": customer["id"], "body": " Hello\r\n\tworld \n"})
    note = payload["note"]
    assert (note["body"], note["pinned"], note["revision"]) == ("Hello\n\tworld", False, 1)
    assert note["author"] == {"kind": "USER", "id": client.user["id"], "name": "Ada Admin"}
    assert (note["customer"]["id"], note["contact"]) == (customer["id"], None)
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("NOTE_CREATED", "NOTE")
    assert (stub["customer"]["id"], stub["subject"]["label"]) == (customer["id"], "note")
    assert stub["sentence"] == "Ada Admin added a note on Krume."
    assert changes(stub)["body"] == (None, "Hello\n\tworld")


async def test_edits_keep_every_earlier_text_in_history(client: Client) -> None:
    note = await factories.note(client, (await factories.customer(client, name="Krume"))["id"], body="One")
    for revision, body in enumerate(("Two", "Three", "One"), start=2):
        payload = await client.change(UPDATE_NOTE, input={"id": note["id"], "body": body})
        assert (payload["note"]["body"], payload["note"]["revision"]) == (body, revision)
    await client.change(DELETE_NOTE, input={"id": note["id"], "expectedRevision": 4})
    stubs = await recorded(client, subjectId=note["id"])
    assert [changes(stub)["body"] for stub in stubs] == [
        (None, "One"),
        ("One", "Two"),
        ("Two", "Three"),
        ("Three", "One"),
        ("One", None),
    ]
    assert texts(stubs[1])["body"] == ("One", "Two")
    assert stubs[1]["sentence"] == "Ada Admin changed a note on Krume: body from “One” to “Two”."
    assert stubs[4]["sentence"] == "Ada Admin deleted a note on Krume."


async def test_an_edit_that_changes_nothing_leaves_no_event(client: Client) -> None:
    note = await factories.note(client, (await factories.customer(client))["id"], body="One")
    async with nothing_recorded():
        payload = await client.change(UPDATE_NOTE, input={"id": note["id"], "body": " One\n", "pinned": False})
    assert (payload["note"], payload["events"]) == (note, [])


async def test_pinned_notes_come_first_then_the_newest(client: Client) -> None:
    customer = await factories.customer(client)
    notes = [await factories.note(client, customer["id"], body=body) for body in ("a", "b", "c", "d")]
    await factories.note(client, customer["id"], body="e", pinned=True)
    payload = await client.change(UPDATE_NOTE, input={"id": notes[1]["id"], "pinned": True})
    assert texts(payload["events"][0]) == {"pinned": ("no", "yes")}
    assert await bodies(client, customer["id"]) == ["e", "b", "d", "c", "a"]
    await client.change(UPDATE_NOTE, input={"id": notes[1]["id"], "pinned": False})
    assert await bodies(client, customer["id"]) == ["e", "d", "c", "b", "a"]
    paged: list[str] = []
    after = None
    for _ in range(3):
        data = await client.run(NOTES, id=customer["id"], first=2, after=after)
        paged += [edge["node"]["body"] for edge in data["node"]["notes"]["edges"]]
        after = data["node"]["notes"]["pageInfo"]["endCursor"]
    assert paged == ["e", "d", "c", "b", "a"]


async def test_a_note_on_a_contact_stands_there_and_at_its_customer(client: Client) -> None:
    contact = await factories.contact(client)
    customer_id = contact["customer"]["id"]
    on_customer = await factories.note(client, customer_id, body="On the customer")
    on_contact = await factories.note(client, contact["id"], body="On the contact")
    await factories.note(client, (await factories.customer(client))["id"], body="Elsewhere")
    assert (on_contact["contact"], on_contact["customer"]) == ({"id": contact["id"]}, {"id": customer_id})
    assert await bodies(client, contact["id"]) == ["On the contact"]
    assert await bodies(client, customer_id) == ["On the contact", "On the customer"]
    stubs = await recorded(client, customerId=customer_id, categories=["NOTE"])
    assert [stub["subject"]["id"] for stub in stubs] == [on_customer["id"], on_contact["id"]]


async def test_an_author_keeps_the_name_they_had(client: Client) -> None:
    assert client.user is not None
    note = await factories.note(client, (await factories.customer(client))["id"])
    await client.change(UPDATE_USER, input={"id": client.user["id"], "name": "Ada Newname"})
    [stub] = await recorded(client, subjectId=note["id"])
    assert stub["actor"]["name"] == "Ada Admin"
    later = await factories.note(client, note["customer"]["id"])
    assert (note["author"]["name"], later["author"]["name"]) == ("Ada Admin", "Ada Newname")
    document = "query ($id: ID!) { note(id: $id) { author { name } } }"
    assert (await client.run(document, id=note["id"]))["note"]["author"]["name"] == "Ada Admin"


async def test_a_note_says_something_readable(client: Client) -> None:
    note = await factories.note(client, (await factories.customer(client))["id"])
    for body in ("", " \n\t ", "\u200b", "x" * 20_001, "bell\u0007", "\u202eabc"):
        async with nothing_recorded():
            fault = await client.fault(CREATE_NOTE, input={"subjectId": note["customer"]["id"], "body": body})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "body"])
            fault = await client.fault(UPDATE_NOTE, input={"id": note["id"], "body": body})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "body"])


async def test_a_long_note_is_kept_whole(client: Client) -> None:
    body = "ä" * 20_000
    note = await factories.note(client, (await factories.customer(client))["id"], body=body)
    assert note["body"] == body
    [stub] = await recorded(client, subjectId=note["id"])
    assert changes(stub)["body"] == (None, body)


@pytest.mark.parametrize("name", ["body", "pinned"])
async def test_nothing_of_a_note_can_be_cleared(client: Client, name: str) -> None:
    note = await factories.note(client, (await factories.customer(client))["id"])
    async with nothing_recorded():
        fault = await client.fault(UPDATE_NOTE, input={"id": note["id"], name: None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])


async def test_a_note_is_on_a_customer_or_a_contact_that_exists(client: Client) -> None:
    role = await factories.contact_role(client)
    wrong = "This is not the ID of a customer, a contact or a sales document: cus_…, con_… or sdo_…."
    for subject, code, message in (
        (new_id("cus"), "NOT_FOUND", "There is no customer with this ID."),
        (new_id("con"), "NOT_FOUND", "There is no contact with this ID."),
        (new_id("sdo"), "NOT_FOUND", "There is no sales document with this ID."),
        (role["id"], "INVALID", wrong),
        ("nonsense", "INVALID", wrong),
    ):
        async with nothing_recorded():
            fault = await client.fault(CREATE_NOTE, input={"subjectId": subject, "body": "Hello"})
        assert (fault["code"], fault["field"], fault["message"]) == (code, ["input", "subjectId"], message)


async def test_notes_are_written_and_read_with_their_own_permissions(client: Client, client_with: ClientWith) -> None:
    customer = await factories.customer(client)
    note = await factories.note(client, customer["id"])
    reader = await client_with([Permission.CUSTOMERS_READ, Permission.NOTES_READ])
    assert await bodies(reader, customer["id"]) == [note["body"]]
    for document, sent in (
        (CREATE_NOTE, {"subjectId": customer["id"], "body": "Hello"}),
        (UPDATE_NOTE, {"id": note["id"], "body": "Hello"}),
        (DELETE_NOTE, {"id": note["id"]}),
    ):
        await reader.run(document, input=sent)
        assert reader.codes == ["FORBIDDEN"]
        assert "NOTES_WRITE" in reader.errors[0]["message"]
    stranger = await client_with([Permission.CUSTOMERS_READ])
    await stranger.run(NOTES, id=customer["id"])
    assert stranger.codes == ["FORBIDDEN"]
    await stranger.run("query ($id: ID!) { node(id: $id) { id } }", id=note["id"])
    assert stranger.codes == ["FORBIDDEN"]


async def test_notes_on_sales_documents_are_for_who_may_read_those(client: Client, client_with: ClientWith) -> None:
    document = await factories.sales_document(client, number="1007")
    before = await last_seq()
    note = await factories.note(client, document["id"], body="Disputed")
    await client.change(UPDATE_NOTE, input={"id": note["id"], "body": "Disputed at court"})
    other = await factories.note(client, document["customer"]["id"], body="Friendly")
    granted = [Permission.CUSTOMERS_READ, Permission.NOTES_READ, Permission.NOTES_WRITE, Permission.HISTORY_READ]
    granted.append(Permission.AUDIT_READ)
    blind = await client_with(granted)
    seer = await client_with([*granted, Permission.SALES_DOCUMENTS_READ])
    one = "query ($id: ID!) { note(id: $id) { body } }"
    nodes = "query ($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id } }"
    past = """query ($filter: HistoryFilter) { history(filter: $filter, first: 100) { edges { node {
      seq sentence customerLabel subject { label node { id ... on Note { body } } }
      changes { before after beforeText afterText withheld } } } } }"""
    for reader, body in ((seer, "Disputed at court"), (blind, None)):
        assert await reader.run(one, id=note["id"]) == {"note": body and {"body": body}}
        found = body and {"id": note["id"]}
        data = await reader.run(nodes, id=note["id"], ids=[note["id"], other["id"]])
        assert data == {"node": found, "nodes": [found, {"id": other["id"]}]}
        data = await reader.run(past, filter={"subjectId": note["id"]})
        assert reader.errors == []
        events = [edge["node"] for edge in data["history"]["edges"] if edge["node"]["seq"] > before]
        assert len(events) == 2
        for event in events:
            assert event["subject"]["node"] == (found and {**found, "body": body})
            assert event["subject"]["label"] == ("note" if body else "(withheld)")
            assert {change["withheld"] for change in event["changes"]} == ({None} if body else {"PERMISSION"})
        assert ("Disputed" in str(data), "1007" in str(data)) == ((True, True) if body else (False, False))
    assert await blind.run(one, id=other["id"]) == {"note": {"body": "Friendly"}}
    after = await last_seq()
    for text, sent in (
        (CREATE_NOTE, {"subjectId": document["id"], "body": "Hello"}),
        (UPDATE_NOTE, {"id": note["id"], "body": "Hello", "expectedRevision": 1}),
        (DELETE_NOTE, {"id": note["id"], "expectedRevision": 1}),
    ):
        await blind.run(text, input=sent)
        assert blind.codes == ["FORBIDDEN"]
        assert "SALES_DOCUMENTS_READ" in blind.errors[0]["message"]
    assert set(actions(await recorded(client, after=after))) == {"USER_PERMISSION_REFUSED"}
    payload = await seer.change(UPDATE_NOTE, input={"id": note["id"], "pinned": True})
    assert payload["note"]["pinned"]
    await seer.change(DELETE_NOTE, input={"id": note["id"]})


async def test_a_note_of_an_api_key_names_the_key_as_its_author(client: Client) -> None:
    key, machine = await factories.machine(client, Permission.NOTES_WRITE, Permission.NOTES_READ, name="Importer")
    customer = await factories.customer(client)
    document = """mutation ($input: CreateNoteInput!) { createNote(input: $input) {
      note { author { kind id name } } errors { code } } }"""
    payload = await machine.change(document, input={"subjectId": customer["id"], "body": "Imported"})
    assert payload["note"]["author"] == {"kind": "SYSTEM", "id": key["id"], "name": "Importer"}
    assert actions(await recorded(client, actorId=key["id"])) == ["NOTE_CREATED"]
