"""Documents on customers: uploaded, listed, renamed, deleted, with what history keeps of them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from models import Fault, Permission
from models.identifier import new_id
from schema.upload import IncomingFile
from services.documents import Storage
from services.documents.storage import content_path
from tests import factories, storages
from tests.client import Client, ClientWith, File
from tests.resolvers.documents import DELETE_DOCUMENT, DOCUMENT, RENAME_DOCUMENT, UPLOAD_DOCUMENT
from tests.resolvers.stubs import actions, changes, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

EVERYWHERE = pytest.mark.parametrize("storage", ["folder", "s3"], indirect=True)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n%%EOF\n"
LIST = f"""query ($id: ID!, $first: Int, $after: String, $orderBy: DocumentOrder) {{
  customer(id: $id) {{ documents(first: $first, after: $after, orderBy: $orderBy) {{
    totalCount edges {{ node {DOCUMENT} }} pageInfo {{ endCursor }}
  }} }}
}}"""


async def names(client: Client, customer_id: str, **page: Any) -> list[str]:
    found = (await client.run(LIST, id=customer_id, **page))["customer"]["documents"]
    return [edge["node"]["name"] for edge in found["edges"]]


async def nothing_left(client: Client, storage: Storage, customer_id: str) -> bool:
    return await storages.objects(storage) == [] and await names(client, customer_id) == []


@EVERYWHERE
async def test_an_uploaded_document_has_its_bytes_and_its_event(client: Client, storage: Storage) -> None:
    assert client.user is not None
    customer = await factories.customer(client, name="Krume")
    sent = {"customerId": customer["id"], "file": File("ignored.bin", PDF), "name": " Contract.pdf "}
    payload = await client.change(UPLOAD_DOCUMENT, input=sent)
    document, sha256 = payload["document"], hashlib.sha256(PDF).hexdigest()
    assert (document["name"], document["size"], document["sha256"]) == ("Contract.pdf", len(PDF), sha256)
    assert (document["mediaType"], document["revision"]) == ("application/pdf", 1)
    assert document["uploader"] == {"kind": "USER", "id": client.user["id"], "name": "Ada Admin"}
    assert document["customer"] == {"id": customer["id"]}
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("DOCUMENT_CREATED", "DOCUMENT")
    assert (stub["customer"]["id"], stub["subject"]["label"]) == (customer["id"], "Contract.pdf")
    assert stub["sentence"] == "Ada Admin added document Contract.pdf at Krume."
    told = changes(stub)
    assert [told[name] for name in ("name", "size", "sha256")] == [
        (None, "Contract.pdf"),
        (None, len(PDF)),
        (None, sha256),
    ]
    [stored] = await storages.objects(storage)
    assert (stored.path, stored.size) == (content_path(sha256), len(PDF))
    assert b"".join([block async for block in storage.read(stored.path, 0, stored.size)]) == PDF


async def test_without_a_name_it_is_called_what_its_sender_calls_it(client: Client) -> None:
    customer = await factories.customer(client)
    document = await factories.document(client, customer["id"], file=File("Öffnungszeiten 2026.txt", b"9 to 5"))
    assert document["name"] == "Öffnungszeiten 2026.txt"
    again = await factories.document(client, customer["id"], file=File("Hours.txt", b"9 to 5"), name=None)
    assert again["name"] == "Hours.txt"


async def test_documents_are_listed_by_name_or_the_newest_first(client: Client) -> None:
    customer = await factories.customer(client)
    for name in ("b.txt", "C.txt", "a.txt"):
        await factories.document(client, customer["id"], name=name)
    await factories.document(client)
    assert await names(client, customer["id"]) == ["a.txt", "b.txt", "C.txt"]
    newest = {"field": "CREATED_AT", "direction": "DESC"}
    assert await names(client, customer["id"], orderBy=newest) == ["a.txt", "C.txt", "b.txt"]
    page = (await client.run(LIST, id=customer["id"], first=2, orderBy=newest))["customer"]["documents"]
    assert page["totalCount"] == 3
    after = page["pageInfo"]["endCursor"]
    assert await names(client, customer["id"], first=2, after=after, orderBy=newest) == ["b.txt"]


async def test_a_document_is_found_by_its_id(client: Client) -> None:
    document = await factories.document(client)
    for query in ("document(id: $id) { name }", "node(id: $id) { ... on Document { name } }"):
        data = await client.run(f"query ($id: ID!) {{ found: {query} }}", id=document["id"])
        assert data == {"found": {"name": document["name"]}}
    data = await client.run("query ($id: ID!) { document(id: $id) { name } }", id=new_id("doc"))
    assert data == {"document": None}


async def test_a_renamed_document_keeps_its_bytes_and_its_earlier_name_in_history(
    client: Client, storage: Storage
) -> None:
    customer = await factories.customer(client, name="Krume")
    document = await factories.document(client, customer["id"], name="Draft.txt")
    before = await storages.objects(storage)
    sent = {"id": document["id"], "name": "Prices.csv", "expectedRevision": 1}
    payload = await client.change(RENAME_DOCUMENT, input=sent)
    assert (payload["document"]["name"], payload["document"]["revision"]) == ("Prices.csv", 2)
    # Only the name tells one kind of text from another.
    assert payload["document"]["mediaType"] == "text/csv"
    [stub] = payload["events"]
    assert changes(stub) == {"name": ("Draft.txt", "Prices.csv"), "mediaType": ("text/plain", "text/csv")}
    told = "Ada Admin changed document Prices.csv at Krume: name from “Draft.txt” to “Prices.csv”"
    assert stub["sentence"].startswith(told)
    async with nothing_recorded():
        assert (await client.change(RENAME_DOCUMENT, input={"id": document["id"], "name": "Prices.csv"}))[
            "events"
        ] == []
        fault = await client.fault(RENAME_DOCUMENT, input=sent)
        assert (fault["code"], fault["currentRevision"]) == ("CONFLICT", 2)
    assert await storages.objects(storage) == before


async def test_a_name_that_contradicts_the_content_is_refused(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    document = await factories.document(client, customer["id"], PDF, name="Contract.pdf")
    async with nothing_recorded():
        for name in ("Contract.exe", "Contract.pdf.docx", "Contract.txt"):
            fault = await client.fault(RENAME_DOCUMENT, input={"id": document["id"], "name": name})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "name"])
            assert "is a PDF: end it with .pdf" in fault["message"]
            sent = {"customerId": customer["id"], "file": File(name, PDF + b"more")}
            fault = await client.fault(UPLOAD_DOCUMENT, input=sent)
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "name"])
    assert [stored.size for stored in await storages.objects(storage)] == [len(PDF)]


async def test_what_is_deleted_stays_in_history_with_name_size_and_checksum(client: Client) -> None:
    customer = await factories.customer(client, name="Krume")
    document = await factories.document(client, customer["id"], PDF, name="Contract.pdf")
    payload = await client.change(DELETE_DOCUMENT, input={"id": document["id"], "expectedRevision": 1})
    assert payload["deletedId"] == document["id"]
    [stub] = payload["events"]
    assert stub["sentence"] == "Ada Admin deleted document Contract.pdf at Krume."
    told = changes(stub)
    assert [told[name][0] for name in ("name", "size", "sha256")] == ["Contract.pdf", len(PDF), document["sha256"]]
    assert await names(client, customer["id"]) == []
    assert actions(await recorded(client, customerId=customer["id"], categories=["DOCUMENT"])) == [
        "DOCUMENT_CREATED",
        "DOCUMENT_DELETED",
    ]
    async with nothing_recorded():
        assert (await client.fault(DELETE_DOCUMENT, input={"id": document["id"]}))["code"] == "NOT_FOUND"


async def test_the_same_bytes_are_kept_once(client: Client, storage: Storage) -> None:
    for _ in range(3):
        await factories.document(client, None, b"The same", name="Letter.txt")
    [stored] = await storages.objects(storage)
    assert stored.size == 8


BAD_NAMES = {
    "a folder": "folder/Letter.txt",
    "the folder above": "../../etc/passwd",
    "a folder of Windows": "C:\\Letter.txt",
    "a line break": "Letter\n.txt",
    "a null character further on": "Letter\u0001.txt",
    "an escape": "\x1b[31mLetter.txt",
    "a hidden file": ".htaccess",
    "nothing": "",
    "only spaces": "  \u200b ",
    "a dot at its end": "Letter.",
    "a device of Windows": "nul.txt",
    "another device": "COM1",
    "a question mark": "Letter?.txt",
    "text that runs backwards": "Letter\u202etxt.exe",
    "too many characters": "x" * 256,
    "too many bytes": "ä" * 126 + ".txt",
}


async def test_a_bad_name_is_refused_and_nothing_stays(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    document = await factories.document(client)
    for name in BAD_NAMES.values():
        async with nothing_recorded():
            sent = {"customerId": customer["id"], "file": File("x.txt", b"text"), "name": name}
            for fault in (
                await client.fault(UPLOAD_DOCUMENT, input=sent),
                await client.fault(RENAME_DOCUMENT, input={"id": document["id"], "name": name}),
            ):
                assert (fault["code"], fault["field"]) == ("INVALID", ["input", "name"]), name
                assert fault["message"].endswith((".", '"')), name
        assert len(await storages.objects(storage)) == 1, name


@EVERYWHERE
async def test_an_empty_file_is_refused_and_nothing_stays(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        sent = {"customerId": customer["id"], "file": File("Letter.txt", b"")}
        fault = await client.fault(UPLOAD_DOCUMENT, input=sent)
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "file"])
    assert "empty" in fault["message"]
    assert await nothing_left(client, storage, customer["id"])


@EVERYWHERE
async def test_a_type_that_is_not_accepted_is_told_and_nothing_stays(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        program = File("Invoice.pdf", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + b"\0" * 100)
        fault = await client.fault(UPLOAD_DOCUMENT, input={"customerId": customer["id"], "file": program})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "file"])
    assert fault["message"].startswith("This is a Windows program, which is not accepted. PDF, images,")
    assert await nothing_left(client, storage, customer["id"])


@EVERYWHERE
async def test_more_bytes_than_are_allowed_are_refused_and_nothing_stays(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    async with nothing_recorded():
        sent = {"customerId": customer["id"], "file": File("Long.txt", b"x" * (storage.max_upload + 1))}
        fault = await client.fault(UPLOAD_DOCUMENT, input=sent)
    assert (fault["code"], fault["field"]) == ("LIMIT_REACHED", ["input", "file"])
    assert fault["message"] == "Send a file of at most 1,048,576 bytes: this one is larger."
    assert await nothing_left(client, storage, customer["id"])
    await factories.document(client, customer["id"], b"x" * storage.max_upload)


async def test_a_customers_documents_have_a_quota_of_their_own(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    full = [await factories.document(client, customer["id"], bytes([65 + n]) * storage.max_upload) for n in range(2)]
    sent = {"customerId": customer["id"], "file": File("One.txt", b"1")}
    async with nothing_recorded():
        fault = await client.fault(UPLOAD_DOCUMENT, input=sent)
    assert (fault["code"], fault["field"]) == ("LIMIT_REACHED", ["input", "file"])
    assert fault["message"] == "A customer's documents may have 2,097,152 bytes in all: 0 are left. Delete others."
    await factories.document(client, (await factories.customer(client))["id"], b"another customer")
    await client.change(DELETE_DOCUMENT, input={"id": full[0]["id"]})
    await client.change(UPLOAD_DOCUMENT, input=sent)


async def test_a_document_belongs_to_a_customer_that_exists(client: Client, storage: Storage) -> None:
    contact = await factories.contact(client)
    for identifier, code in ((new_id("cus"), "NOT_FOUND"), (contact["id"], "INVALID"), ("nonsense", "INVALID")):
        async with nothing_recorded():
            sent = {"customerId": identifier, "file": File("Letter.txt", b"text")}
            fault = await client.fault(UPLOAD_DOCUMENT, input=sent)
        assert (fault["code"], fault["field"]) == (code, ["input", "customerId"])
    assert await storages.objects(storage) == []


async def test_documents_are_written_and_read_with_their_own_permissions(
    client: Client, client_with: ClientWith, storage: Storage
) -> None:
    document = await factories.document(client)
    customer_id = document["customer"]["id"]
    reader = await client_with([Permission.CUSTOMERS_READ, Permission.DOCUMENTS_READ])
    assert await names(reader, customer_id) == [document["name"]]
    for text, sent in (
        (UPLOAD_DOCUMENT, {"customerId": customer_id, "file": File("Letter.txt", b"text")}),
        (RENAME_DOCUMENT, {"id": document["id"], "name": "Letter.txt"}),
        (DELETE_DOCUMENT, {"id": document["id"]}),
    ):
        await reader.run(text, input=sent)
        assert reader.codes == ["FORBIDDEN"]
        assert "DOCUMENTS_WRITE" in reader.errors[0]["message"]
    stranger = await client_with([Permission.CUSTOMERS_READ])
    await stranger.run(LIST, id=customer_id)
    assert stranger.codes == ["FORBIDDEN"]
    await stranger.run("query ($id: ID!) { node(id: $id) { id } }", id=document["id"])
    assert stranger.codes == ["FORBIDDEN"]
    assert len(await storages.objects(storage)) == 1


async def test_a_file_that_is_no_part_of_the_request_is_refused(client: Client) -> None:
    customer = await factories.customer(client)
    files: list[Any] = ["text", 1, {}, None]
    for file in files:
        await client.run(UPLOAD_DOCUMENT, input={"customerId": customer["id"], "file": file})
        assert client.codes == ["BAD_REQUEST"]


async def test_a_file_is_used_once(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    twice = """mutation ($input: UploadDocumentInput!) {
      one: uploadDocument(input: $input) { document { name } errors { code field } }
      two: uploadDocument(input: $input) { document { name } errors { code field message } }
    }"""
    async with nothing_recorded():
        await client.run(twice, input={"customerId": customer["id"], "file": File("Letter.txt", b"text")})
    assert client.codes == ["BAD_REQUEST"]
    assert await storages.objects(storage) == []


async def test_the_bytes_of_a_file_pass_by_once() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"text"

    file = IncomingFile("Letter.txt", pieces())
    assert [block async for block in file.blocks(3)] == [b"tex", b"t"]
    with pytest.raises(Fault, match="used by another field"):
        _ = [block async for block in file.blocks(3)]


async def test_a_repeated_upload_reads_its_answer_again_and_another_file_is_refused(
    client: Client, storage: Storage
) -> None:
    customer = await factories.customer(client)
    sent = {"customerId": customer["id"], "file": File("Letter.txt", b"text")}
    key = {"Idempotency-Key": "once"}
    first = await client.send(UPLOAD_DOCUMENT, {"input": sent}, key)
    async with nothing_recorded():
        again = await client.send(UPLOAD_DOCUMENT, {"input": sent}, key)
        for other in ({**sent, "file": File("Letter.txt", b"more")}, {**sent, "name": "Other.txt"}):
            answer = await client.send(UPLOAD_DOCUMENT, {"input": other}, key)
            assert [error["code"] for error in answer["uploadDocument"]["errors"]] == ["IDEMPOTENCY_MISMATCH"]
    made = [answer["uploadDocument"]["document"]["id"] for answer in (first, again)]
    assert made[0] == made[1]
    assert first["uploadDocument"]["events"] == again["uploadDocument"]["events"]


async def test_the_bytes_are_there_when_the_row_is_recorded(
    client: Client, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await factories.customer(client)
    gone: list[str] = []
    publish = storage.copy

    async def swept(source: str, target: str) -> None:
        await publish(source, target)
        if not gone:
            # A sweep comes between: its clock is ahead, or the upload took very long.
            await storage.delete(target)
            gone.append(target)

    monkeypatch.setattr(storage, "copy", swept)
    document = await factories.document(client, customer["id"])
    assert gone == [content_path(document["sha256"])]
    assert [stored.path for stored in await storages.objects(storage)] == gone
