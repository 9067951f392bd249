"""PDFs to download: made when they are asked for, for whoever asked for the address and may read sales documents."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from models import Permission, clock, pdf_link
from models.pdf_link import PdfLink
from services.documents import Storage
from services.pdf import compiling
from tests import factories, storages
from tests.client import Client, ClientWith
from tests.resolvers.documents import UPDATE_USER
from tests.resolvers.stubs import nothing_recorded, recorded
from tests.services.pdf.pages import opened

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
READ = [Permission.CUSTOMERS_READ, Permission.SALES_DOCUMENTS_READ]
DOCUMENT = "query ($id: ID!) { salesDocument(id: $id) { pdfUrl } }"
STATEMENT = "query ($id: ID!, $month: String) { customer(id: $id) { statement(month: $month) { pdfUrl } } }"


async def get(url: str, method: str = "GET") -> httpx.Response:
    """What somebody gets who sends no token."""
    return await Client().http.request(method, url)


async def url_of(client: Client, identifier: str) -> str:
    return str((await client.run(DOCUMENT, id=identifier))["salesDocument"]["pdfUrl"])


async def test_a_sales_document_as_it_is_now(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client, name="Lakeside Bakery", billingAddress=factories.PARIS)
    location = await factories.location(client, customer["id"], name="Bakery North")
    invoice = await factories.posted_invoice(client, customer["id"], number="A/7 ü", locationId=location["id"])
    url = await url_of(client, invoice["id"])
    await factories.payment(client, invoice["id"], reference="4711")
    async with nothing_recorded():
        response = await get(url)
    assert response.status_code == 200
    headers = response.headers
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"].endswith(f"; filename*=UTF-8''{quote('Invoice A-7 ü.pdf')}")
    assert headers["content-security-policy"].startswith("sandbox")
    assert (headers["cache-control"], headers["referrer-policy"]) == ("private, no-store", "no-referrer")
    assert headers["x-content-type-options"] == "nosniff"
    page = opened(response.content)
    for expected in ("Invoice A/7 ü", "Lakeside Bakery 12 rue Cler", "Location Bakery North", "Balance due EUR 380.00"):
        assert expected in page.text
    assert await storages.objects(storage) == []

    quote_ = await factories.sales_document(client, customer["id"], kind="QUOTE")
    assert "Draft. This quote is not final" in opened((await get(await url_of(client, quote_["id"]))).content).text


async def test_a_statement_of_a_month(client: Client) -> None:
    with clock.set_to(lambda: NOW):
        customer = await factories.customer(client)
        await factories.posted_invoice(client, customer["id"], issuedOn="2026-05-02")
        for month, day in (("2026-05", "31 May 2026"), (None, "20 June 2026")):
            data = await client.run(STATEMENT, id=customer["id"], month=month)
            response = await get(data["customer"]["statement"]["pdfUrl"])
            assert response.status_code == 200
            page = opened(response.content)
            assert f"As of {day}" in page.text
            assert "Total 500.00" in page.text
            ended = page.created[2:10]
            assert f"Statement {ended[:4]}-{ended[4:6]}-{ended[6:]}.pdf" in response.headers["content-disposition"]


async def test_addresses_end_and_cannot_be_made_up(client: Client) -> None:
    invoice = await factories.sales_document(client)
    now = datetime.now(UTC)
    with clock.set_to(lambda: now):
        url = await url_of(client, invoice["id"])
    for seconds, status in ((0, 200), (299, 200), (302, 410)):
        with clock.set_to(lambda seconds=seconds: now + timedelta(seconds=seconds)):  # type: ignore[misc]
            assert (await get(url)).status_code == status, seconds
    payload, at, signature = url.split("/")[2].split(".")
    forged = pdf_link.address(PdfLink(invoice["id"], "ses_x"), "00" * 32)
    document = await factories.document(client)
    token = document["downloadUrl"].split("/")[2]
    for bad in (f"/pdf/{payload}.{at}.{signature[:-2]}", forged, "/pdf/x", "/pdf/" + "x" * 5000, f"/pdf/{token}"):
        assert (await get(bad)).status_code == 404, bad
    assert (await get(url, "POST")).status_code == 405


async def test_todays_permissions_govern_and_a_refusal_is_an_event(client: Client, client_with: ClientWith) -> None:
    invoice = await factories.sales_document(client)
    reader = await client_with(READ)
    assert reader.user is not None
    url = await url_of(reader, invoice["id"])
    role = await factories.user_role(client, Permission.CUSTOMERS_READ)
    await client.change(UPDATE_USER, input={"id": reader.user["id"], "roleId": role["id"]})
    response = await get(url)
    assert (response.status_code, "SALES_DOCUMENTS_READ" in response.text) == (403, True)
    [stub] = await recorded(client, actorId=reader.user["id"])
    assert (stub["action"], stub["requestId"]) == ("USER_PERMISSION_REFUSED", response.headers["x-request-id"])
    await client.change(UPDATE_USER, input={"id": reader.user["id"], "active": False})
    assert "not signed in" in (await get(url)).text


async def test_a_document_that_was_deleted_is_gone(client: Client) -> None:
    draft = await factories.sales_document(client)
    url = await url_of(client, draft["id"])
    delete = "mutation ($input: DeleteSalesDocumentInput!) { deleteSalesDocument(input: $input) { errors { code } } }"
    await client.change(delete, input={"id": draft["id"]})
    assert (await get(url)).status_code == 410


async def test_only_so_many_wait_and_the_next_are_told_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = await factories.sales_document(client)
    url = await url_of(client, invoice["id"])
    begun, go_on, made = threading.Event(), threading.Event(), []

    def slow(_: str, data: Mapping[str, Any], __: date) -> bytes:
        made.append(data)
        begun.set()
        go_on.wait()
        return b"%PDF-"

    monkeypatch.setattr(compiling, "compile_now", slow)
    monkeypatch.setattr(compiling, "_places", threading.BoundedSemaphore(2))
    try:
        first = asyncio.create_task(get(url))
        await asyncio.to_thread(begun.wait)
        second = asyncio.create_task(compiling.compiled("x", {}, date(2026, 1, 1)))
        await asyncio.sleep(0)
        refused = await get(url)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert refused.text == "Too many PDFs are being made right now: try again in a moment.\n"
        # Who does not wait any more makes room, and nothing is made for them.
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        third = asyncio.create_task(compiling.compiled("y", {"third": True}, date(2026, 1, 1)))
        await asyncio.sleep(0)
    finally:
        go_on.set()
    assert (await first).status_code == 200
    assert await third == b"%PDF-"
    assert len(made) == 2
    assert made[1] == {"third": True}
    assert (await get(url)).status_code == 200


async def test_asking_for_the_headers_makes_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = await factories.posted_invoice(client, issuedOn="2026-05-02")
    statement = (await client.run(STATEMENT, id=invoice["customer"]["id"], month="2026-05"))["customer"]["statement"]
    draft = await factories.sales_document(client)
    gone = await url_of(client, draft["id"])
    urls = [await url_of(client, invoice["id"]), statement["pdfUrl"]]
    whole = [await get(url) for url in urls]
    delete = "mutation ($input: DeleteSalesDocumentInput!) { deleteSalesDocument(input: $input) { errors { code } } }"
    await client.change(delete, input={"id": draft["id"]})
    monkeypatch.delattr(compiling, "compile_now")
    for url, same in zip(urls, whole, strict=True):
        head = await get(url, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-disposition", "cache-control"):
            assert head.headers[name] == same.headers[name]
        assert "content-length" not in head.headers
    assert (await get(gone, "HEAD")).status_code == 410
