"""Downloads: addresses that work for five minutes, for whoever asked for them and may still read documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import models
from counterfoil.downloads import Range, disposition, read_range
from models import Permission, clock, download, session, signing_key
from services.documents import Storage
from services.documents.storage import content_path
from tests import factories
from tests.client import Client, ClientWith, File
from tests.resolvers.documents import DELETE_DOCUMENT, RENAME_DOCUMENT, UPDATE_USER
from tests.resolvers.stubs import nothing_recorded, recorded
from tests.schema.documents import SCHEMA

pytestmark = pytest.mark.anyio

EVERYWHERE = pytest.mark.parametrize("storage", ["folder", "s3"], indirect=True)
READ = [Permission.CUSTOMERS_READ, Permission.DOCUMENTS_READ]
URL = "query ($id: ID!) { document(id: $id) { downloadUrl } }"
LETTERS = b"abcdefghijklmnopqrstuvwxyz"


async def url_for(client: Client, identifier: str) -> str:
    return str((await client.run(URL, id=identifier))["document"]["downloadUrl"])


async def get(url: str, method: str = "GET", **headers: str) -> httpx.Response:
    """What somebody gets who sends no token."""
    return await Client().http.request(method, url, headers={k.replace("_", "-"): v for k, v in headers.items()})


@EVERYWHERE
async def test_a_download_has_the_bytes_and_says_how_to_treat_them(client: Client, storage: Storage) -> None:
    content = LETTERS * 40_000
    document = await factories.document(
        client, content=content[: storage.max_upload], name='Übersicht "A".txt'.replace('"', "”")
    )
    response = await get(document["downloadUrl"])
    assert (response.status_code, response.content) == (200, content[: storage.max_upload])
    headers = response.headers
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == str(document["size"])
    assert headers["etag"] == f'"{document["sha256"]}"'
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert headers["content-disposition"].endswith(f"; filename*=UTF-8''{quote(document['name'])}")
    assert headers["content-security-policy"].startswith("sandbox")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"].startswith("private")
    assert headers["accept-ranges"] == "bytes"
    assert headers["referrer-policy"] == "no-referrer"
    head = await get(document["downloadUrl"], "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "x-request-id": ""} == {**headers, "x-request-id": ""}


PARTS = [
    ("bytes=0-0", 0, 1),
    ("bytes=5-9", 5, 10),
    ("bytes=20-", 20, 26),
    ("bytes=-3", 23, 26),
    ("bytes=20-99", 20, 26),
]


@EVERYWHERE
async def test_a_part_of_it(client: Client, storage: Storage) -> None:
    url = (await factories.document(client, content=LETTERS))["downloadUrl"]
    for wanted, start, stop in PARTS:
        response = await get(url, Range=wanted)
        assert (response.status_code, response.content) == (206, LETTERS[start:stop]), wanted
        assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/26", wanted
        assert response.headers["content-length"] == str(stop - start), wanted


async def test_a_part_that_lies_outside_is_refused(client: Client) -> None:
    url = (await factories.document(client, content=LETTERS))["downloadUrl"]
    for wanted in ("bytes=26-", "bytes=100-200", "bytes=-0"):
        response = await get(url, Range=wanted)
        assert (response.status_code, response.headers["content-range"]) == (416, "bytes */26"), wanted
        assert response.content == b""


async def test_what_need_not_be_understood_gets_the_whole(client: Client) -> None:
    url = (await factories.document(client, content=LETTERS))["downloadUrl"]
    for wanted in (
        "bytes=0-1,3-4",
        "lines=1-2",
        "bytes=",
        "bytes=-",
        "bytes=9-5",
        "bytes=a-b",
        "bytes=-" + "9" * 30,
        "0-1",
    ):
        response = await get(url, Range=wanted)
        assert (response.status_code, response.content) == (200, LETTERS), wanted
    assert (await get(url, "HEAD", Range="bytes=0-1")).headers["content-length"] == "26"


async def test_a_broken_off_download_goes_on_where_it_was(client: Client) -> None:
    document = await factories.document(client, content=LETTERS)
    url, etag = document["downloadUrl"], f'"{document["sha256"]}"'
    for condition, status in (
        (etag, 206),
        ('"other"', 200),
        (f"W/{etag}", 200),
        ("Sat, 31 Jan 2026 09:30:00 GMT", 200),
    ):
        response = await get(url, Range="bytes=5-", If_Range=condition)
        assert response.status_code == status, condition
        assert response.content == (LETTERS[5:] if status == 206 else LETTERS)


async def test_what_the_client_has_is_not_sent_again(client: Client) -> None:
    document = await factories.document(client, content=LETTERS)
    url, etag = document["downloadUrl"], f'"{document["sha256"]}"'
    for sent, status in (
        ({"If_None_Match": etag}, 304),
        ({"If_None_Match": f'"x", W/{etag}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 200),
        ({"If_Match": etag}, 200),
        ({"If_Match": '"x"'}, 412),
    ):
        response = await get(url, **sent)
        assert response.status_code == status, sent
        assert response.content == (LETTERS if status == 200 else b"")


async def test_an_address_works_for_five_minutes(client: Client) -> None:
    document = await factories.document(client)
    now = datetime.now(UTC)
    with clock.set_to(lambda: now):
        url = await url_for(client, document["id"])
    for seconds, status in ((0, 200), (299, 200), (302, 410)):
        at = now + timedelta(seconds=seconds)
        with clock.set_to(lambda at=at: at):  # type: ignore[misc]
            assert (await get(url)).status_code == status, seconds
            assert (await get(url.rpartition("/")[0] + "/other name")).status_code == status


async def test_clocks_of_two_processes_may_differ_by_seconds(client: Client) -> None:
    document = await factories.document(client)
    now = datetime.now(UTC)
    with clock.set_to(lambda: now):
        url = await url_for(client, document["id"])
    for seconds, status in ((-2, 200), (-29, 200), (-32, 410)):
        at = now + timedelta(seconds=seconds)
        with clock.set_to(lambda at=at: at):  # type: ignore[misc]
            assert (await get(url)).status_code == status, seconds


async def test_a_forged_address_leads_nowhere(client: Client) -> None:
    document = await factories.document(client)
    other = await factories.document(client)
    url = document["downloadUrl"]
    _, path, token, name = url.split("/")
    payload, at, signature = token.split(".")
    elsewhere = other["downloadUrl"].split("/")[2].split(".")[0]
    forged = download.address({"id": document["id"], "name": "x"}, "ses_x", "00" * 32).split("/")[2]
    for bad in (
        f"{elsewhere}.{at}.{signature}",
        f"{payload}.{at}.{signature[:-2]}",
        f"{payload}.{at}",
        payload,
        f"{payload}.zzzzzz.{signature}",
        forged,
        "x",
        "…",
        "x" * 5000,
        ".".join("x" * 3),
    ):
        assert (await get(f"/{path}/{bad}/{name}")).status_code == 404, bad
    for way in (f"/{path}/{token}", f"/{path}", f"/{path}/{token}/a/b"):
        assert (await get(way)).status_code == 404
    assert (await get(url, "POST")).status_code == 405
    assert (await get(url)).status_code == 200


async def no_session(client: Client, reader: Client) -> None:
    await reader.run("mutation { signOut { errors { code } } }")


async def disabled(client: Client, reader: Client) -> None:
    assert reader.user is not None
    await client.change(UPDATE_USER, input={"id": reader.user["id"], "active": False})


@pytest.mark.parametrize("end", [no_session, disabled])
async def test_who_is_not_signed_in_any_more_gets_nothing(
    client: Client, client_with: ClientWith, end: Callable[[Client, Client], Awaitable[None]]
) -> None:
    document = await factories.document(client)
    reader = await client_with(READ)
    url = await url_for(reader, document["id"])
    assert (await get(url)).status_code == 200
    await end(client, reader)
    response = await get(url)
    assert (response.status_code, document["name"] in response.text) == (403, False)


async def test_todays_permissions_govern_and_a_refusal_is_an_event(client: Client, client_with: ClientWith) -> None:
    document = await factories.document(client)
    reader = await client_with(READ)
    assert reader.user is not None
    url = await url_for(reader, document["id"])
    role = await factories.user_role(client, Permission.CUSTOMERS_READ)
    await client.change(UPDATE_USER, input={"id": reader.user["id"], "roleId": role["id"]})
    response = await get(url)
    assert response.status_code == 403
    assert "DOCUMENTS_READ" in response.text
    [stub] = await recorded(client, actorId=reader.user["id"])
    assert (stub["action"], stub["requestId"]) == ("USER_PERMISSION_REFUSED", response.headers["x-request-id"])
    assert stub["reason"] == "Downloading needs the permission DOCUMENTS_READ."


async def test_an_api_key_gives_addresses_until_it_is_revoked(client: Client) -> None:
    document = await factories.document(client)
    key, machine = await factories.machine(client, *READ)
    url = await url_for(machine, document["id"])
    assert (await get(url)).status_code == 200
    revoke = "mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { errors { code } } }"
    await client.change(revoke, input={"id": key["id"]})
    assert (await get(url)).status_code == 403


async def test_a_download_is_no_use_of_the_session_and_leaves_no_event(client: Client) -> None:
    document = await factories.document(client)
    ids = await models.current().fetch("SELECT id, last_used_at FROM session")
    async with nothing_recorded():
        later = datetime.now(UTC) + timedelta(minutes=4)
        with clock.set_to(lambda: later):
            assert (await get(document["downloadUrl"])).status_code == 200
    assert await models.current().fetch("SELECT id, last_used_at FROM session") == ids
    [row] = ids
    assert (await session.by_id(row["id"]) or {})["last_used_at"] == row["last_used_at"]


async def test_a_renamed_document_is_saved_under_its_new_name_and_a_deleted_one_is_gone(client: Client) -> None:
    document = await factories.document(client, name="Old.txt")
    url = document["downloadUrl"]
    await client.change(RENAME_DOCUMENT, input={"id": document["id"], "name": "New.txt"})
    assert "New.txt" in (await get(url)).headers["content-disposition"]
    await client.change(DELETE_DOCUMENT, input={"id": document["id"]})
    assert (await get(url)).status_code == 410


async def test_bytes_that_are_gone_are_a_bug_and_no_empty_file(client: Client, storage: Storage) -> None:
    document = await factories.document(client)
    await storage.delete(content_path(document["sha256"]))
    response = await get(document["downloadUrl"])
    assert response.status_code == 500
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"


async def test_a_lost_key_is_made_again_and_old_addresses_end(client: Client) -> None:
    document = await factories.document(client)
    async with models.current().write() as transaction:
        await transaction.fetch("DELETE FROM signing_key")
    assert (await get(document["downloadUrl"])).status_code == 404
    assert (await get(await url_for(client, document["id"]))).status_code == 200
    made = await signing_key.by_names([signing_key.DOWNLOADS])
    assert await signing_key.by_names([signing_key.DOWNLOADS]) == made
    assert len(bytes.fromhex(made[0])) == 32


async def test_neither_token_nor_name_reach_the_log(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    document = await factories.document(client, file=File("Secret.txt", b"text"))
    capsys.readouterr()
    await get(document["downloadUrl"])
    await get("/documents/forged/Secret.txt")
    await get("/pdf/Secret")
    logged = capsys.readouterr().out
    assert (logged.count("/documents/…"), logged.count("/pdf/…")) == (2, 1)
    assert "Secret" not in logged
    assert document["downloadUrl"].split("/")[2] not in logged


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-", Range(0, 10)),
        ("bytes= 2-3 ", Range(2, 4)),
        ("BYTES=2-3", Range(2, 4)),
        ("bytes=-20", Range(0, 10)),
        ("bytes=٣-٤", None),
        ("bytes=3-2", None),
        ("bytes=10-", Range(10, 10)),
    ],
)
def test_ranges(header: str | None, wanted: Range | None) -> None:
    assert read_range(header, 10) == wanted


def test_names_in_headers_hold_nothing_that_ends_them() -> None:
    told = disposition("a\"; b'ü%\r\n.txt")
    assert told == "attachment; filename=\"a__ b_____.txt\"; filename*=UTF-8''a%22%3B%20b%27%C3%BC%25%0D%0A.txt"


def test_the_field_says_that_addresses_expire() -> None:
    kind: Any = SCHEMA.type_map["Document"]
    assert "five minutes" in kind.fields["downloadUrl"].description
