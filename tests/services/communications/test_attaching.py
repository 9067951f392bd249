"""What communications attach: its bytes stay, whatever becomes of the document, and can be downloaded from the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from models import Busy, Permission, clock, download, signing_key
from models.identifier import new_id
from services.communications import Attachment, attaching
from services.communications.attachment_storage import keep
from services.documents import Storage
from services.documents.checking import problems
from services.documents.storage import content_path
from services.documents.sweeping import Swept, sweep
from tests import factories
from tests.audit.rows import by_ada
from tests.client import Client, ClientWith
from tests.resolvers.documents import DELETE_DOCUMENT, SEND_COMMUNICATION, UPDATE_USER
from tests.resolvers.stubs import actions, last_seq, recorded

pytestmark = pytest.mark.anyio

EVERYWHERE = pytest.mark.parametrize("storage", ["folder", "s3"], indirect=True)
SENT = "{ id attachments { name downloadUrl document { id } } }"
RESEND = "mutation ($input: ResendCommunicationInput!) { resendCommunication(input: $input) { errors { code } } }"
READ = f"query ($id: ID!) {{ node(id: $id) {{ ... on Communication {SENT} }} }}"


@contextmanager
def hours_later(hours: float) -> Iterator[None]:
    at = datetime.now(UTC) + timedelta(hours=hours)
    with clock.set_to(lambda: at):
        yield


async def with_letter(client: Client, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document, and an email with it."""
    customer_id = (await factories.recipient(client))["customer"]["id"]
    document = await factories.document(client, customer_id, content=b"Both agree.", name="Letter.txt")
    return document, await factories.communication(client, customer_id, documentIds=[document["id"]], **more)


async def get(url: str) -> httpx.Response:
    """What somebody gets who sends no token."""
    return await Client().http.get(url)


async def url_for(client: Client, identifier: str) -> str:
    found = (await client.run(READ.replace("document { id }", ""), id=identifier))["node"]
    return str(found["attachments"][0]["downloadUrl"])


@EVERYWHERE
async def test_a_document_that_was_sent_keeps_its_bytes(client: Client, storage: Storage) -> None:
    document, communication = await with_letter(client)
    unsent = await factories.document(client, document["customer"]["id"], content=b"Never sent")
    for one in (document, unsent):
        await client.change(DELETE_DOCUMENT, input={"id": one["id"]})
    with hours_later(2):
        assert await sweep(storage) == Swept(contents=1, bytes=len(b"Never sent"))
    assert [problem async for problem in problems(storage, hashed=True)] == [None]
    [attachment] = (await client.run(READ, id=communication["id"]))["node"]["attachments"]
    assert (attachment["name"], attachment["document"]) == ("Letter.txt", None)
    response = await get(attachment["downloadUrl"])
    assert (response.status_code, response.content) == (200, b"Both agree.")
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    await storage.delete(content_path(document["sha256"]))
    assert [problem async for problem in problems(storage)] == [f"{document['sha256']}: the bytes are missing"]


@EVERYWHERE
async def test_a_pdf_stays_that_no_document_ever_named(client: Client, storage: Storage) -> None:
    invoice = await factories.posted_invoice(client)
    await factories.recipient(client, invoice["customer"]["id"])
    about = {"kind": "INVOICE", "customerId": invoice["customer"]["id"], "salesDocumentId": invoice["id"]}
    sent = await client.change(SEND_COMMUNICATION, input={**about, "attachInvoice": True})
    with hours_later(2):
        assert await sweep(storage) == Swept()
    response = await get(sent["communication"]["attachments"][0]["downloadUrl"])
    assert response.content.startswith(b"%PDF")


async def test_a_file_that_the_sweep_took_before_it_was_named_is_not_attached(client: Client, storage: Storage) -> None:
    made = await keep(storage, "Invoice.pdf", "application/pdf", b"%PDF-1.7")
    await by_ada(lambda change: attaching.hold(change, storage, [made]))
    with hours_later(2):
        assert await sweep(storage) == Swept(contents=1, bytes=8)
    for attachment in (made, Attachment(made.name, made.media_type, 9, made.sha256)):
        with pytest.raises(Busy):
            await by_ada(partial(attaching.hold, storage=storage, attachments=[attachment]))


async def on_invoice(client: Client) -> dict[str, Any]:
    """An email about an invoice with a document."""
    invoice = await factories.posted_invoice(client)
    customer_id = invoice["customer"]["id"]
    await factories.recipient(client, customer_id)
    document = await factories.document(client, customer_id)
    return await factories.communication(
        client, customer_id, kind="INVOICE", salesDocumentId=invoice["id"], documentIds=[document["id"]]
    )


async def test_attachments_are_downloaded_by_who_may_read_the_log(client: Client, client_with: ClientWith) -> None:
    _, plain = await with_letter(client)
    about = await on_invoice(client)
    reader = await client_with([Permission.COMMUNICATIONS_READ])
    sees = [Permission.COMMUNICATIONS_READ, Permission.SALES_DOCUMENTS_READ, Permission.DOCUMENTS_READ]
    seer = await client_with(sees)
    assert (await get(await url_for(reader, plain["id"]))).status_code == 403
    assert (await get(await url_for(seer, plain["id"]))).status_code == 200
    sender = await client_with([Permission.COMMUNICATIONS_SEND, Permission.CUSTOMERS_READ])
    await sender.run(RESEND, input={"id": plain["id"]})
    assert sender.codes == ["FORBIDDEN"]
    assert "DOCUMENTS_READ" in sender.errors[0]["message"]
    assert (await client.run(READ, id=plain["id"]))["node"]["attachments"][0]["document"] is not None
    assert await reader.run(READ.replace("document { id }", ""), id=about["id"]) == {"node": None}
    url = await url_for(seer, about["id"])
    assert (await get(url)).status_code == 200
    assert seer.user is not None
    before = await last_seq()
    for permissions, needed in (
        ([Permission.COMMUNICATIONS_READ], "SALES_DOCUMENTS_READ"),
        (sees[:2], "DOCUMENTS_READ"),
        ([Permission.SALES_DOCUMENTS_READ, Permission.DOCUMENTS_READ], "COMMUNICATIONS_READ"),
    ):
        role = await factories.user_role(client, *permissions)
        await client.change(UPDATE_USER, input={"id": seer.user["id"], "roleId": role["id"]})
        response = await get(url)
        assert (response.status_code, response.text) == (403, f"This needs the permission {needed}.\n")
    assert actions(await recorded(client, after=before)).count("USER_PERMISSION_REFUSED") == 3


async def test_a_statement_is_for_who_may_see_sales_documents(client: Client, client_with: ClientWith) -> None:
    grace = await factories.recipient(client)
    less = [Permission.COMMUNICATIONS_READ, Permission.COMMUNICATIONS_SEND, Permission.CUSTOMERS_READ]
    seer, role = await client_with([*less, Permission.SALES_DOCUMENTS_READ]), await factories.user_role(client, *less)
    told = [
        await factories.communication(client, grace["customer"]["id"], kind=kind, attachStatement=True)
        for kind in ("STATEMENT", "TASK")
    ]
    urls = [await url_for(seer, one["id"]) for one in told]
    assert [(await get(url)).status_code for url in urls] == [200, 200]
    assert seer.user is not None
    await client.change(UPDATE_USER, input={"id": seer.user["id"], "roleId": role["id"]})
    for one, url in zip(told, urls, strict=True):
        assert (await get(url)).status_code == 403
        assert await seer.run(READ.replace("document { id }", ""), id=one["id"]) == {"node": None}
        await seer.run(RESEND, input={"id": one["id"]})
        assert seer.codes == ["FORBIDDEN"]
        assert "SALES_DOCUMENTS_READ" in seer.errors[0]["message"]


async def test_addresses_of_attachments_expire_and_name_nothing_else(client: Client) -> None:
    document, communication = await with_letter(client)
    url = await url_for(client, communication["id"])
    with hours_later(0.1):
        assert (await get(url)).status_code == 410
    [secret] = await signing_key.by_names([signing_key.DOWNLOADS])
    granted = download.read(url.split("/")[2], secret)
    assert granted is not None
    for named in (
        {"communication_id": new_id("com"), "position": 0},
        {"communication_id": document["id"], "position": 0},
    ):
        elsewhere = download.attachment_address({**named, "name": "x"}, granted.grantee_id, secret)
        assert (await get(elsewhere)).status_code == 410
    forged = download.attachment_address(
        {"communication_id": communication["id"], "position": 0, "name": "x"}, granted.grantee_id, "00" * 32
    )
    assert (await get(forged)).status_code == 404
