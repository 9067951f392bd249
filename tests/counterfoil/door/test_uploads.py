"""Requests with a file: what is no such request is refused with a clear answer, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import Message

import models
from counterfoil.app import create_app
from counterfoil.settings import read_settings
from models import Permission
from schema.context import Loaders
from services import documents
from services.documents import Storage
from tests import factories, storages
from tests.client import Client, ClientWith
from tests.counterfoil.door.socket import PATIENCE
from tests.counterfoil.log_lines import told
from tests.resolvers.documents import UPLOAD_DOCUMENT
from tests.resolvers.stubs import nothing_recorded

pytestmark = pytest.mark.anyio

EVERYWHERE = pytest.mark.parametrize("storage", ["folder", "s3"], indirect=True)
FORM = {"content-type": "multipart/form-data; boundary=limit", "counterfoil-upload": "1"}
MAP = b'{"0": ["variables.input.file"]}'
MIB = 1024 * 1024


def operations(customer_id: str = "cus_00000000000000000000000000", **more: Any) -> bytes:
    variables = {"input": {"customerId": customer_id, "file": None}, **more}
    return json.dumps({"query": UPLOAD_DOCUMENT, "variables": variables}).encode()


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    return f'--limit\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"


END = b"--limit--\r\n"
FILE = part("0", b"text", "Letter.txt")


def form(sent: bytes, mapped: bytes = MAP, file: bytes = FILE, end: bytes = END) -> bytes:
    return part("operations", sent) + part("map", mapped) + file + end


def pieces_of(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


async def in_pieces(body: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for piece in pieces_of(body, size):
        yield piece


SENT = operations()
BAD_FORMS: dict[str, bytes] = {
    "nothing": b"",
    "no form": b"hello",
    "another boundary": b"--other\r\n\r\n\r\n--other--\r\n",
    "no parts": END,
    "no operations": part("map", MAP) + FILE + END,
    "no map": part("operations", SENT) + FILE + END,
    "map before operations": part("map", MAP) + part("operations", SENT) + FILE + END,
    "the file first": FILE + part("operations", SENT) + part("map", MAP) + END,
    "no file": form(SENT, file=b""),
    "another file": form(SENT, file=part("1", b"text", "Letter.txt")),
    "text in place of the file": form(SENT, file=part("0", b"text")),
    "two files": form(SENT, file=FILE + part("1", b"more", "More.txt")),
    "the file twice": form(SENT, file=FILE + FILE),
    "a thousand more parts": form(SENT, file=FILE + part("x", b"") * 1000),
    "no end": form(SENT, end=b""),
    "broken off inside the file": form(SENT)[:-20],
    "broken off inside operations": part("operations", SENT)[:-20],
    "operations that are no JSON": form(b"{"),
    "operations that are a list": form(b"[" + SENT + b"]"),
    "operations that are a number": form(b"5"),
    "operations that are null": form(b"null"),
    "operations of bad UTF-8": form(b'{"query": "\xff"}'),
    "deep operations": form(b"[" * 15_000),
    "null characters": form(SENT.replace(b"customerId", b"customer\\u0000")),
    "a map that is no JSON": form(SENT, b"{"),
    "a map that is a list": form(SENT, b"[]"),
    "an empty map": form(SENT, b"{}"),
    "a map to nowhere": form(SENT, b'{"0": []}'),
    "a map to two places": form(SENT, b'{"0": ["variables.input.file", "variables.input.file"]}'),
    "a map of two files": form(SENT, b'{"0": ["variables.input.file"], "1": ["variables.input.name"]}'),
    "a map to a number": form(SENT, b'{"0": [5]}'),
    "a map to an unknown place": form(SENT, b'{"0": ["variables.input.document"]}'),
    "a map through nothing": form(SENT, b'{"0": ["variables.nothing.file"]}'),
    "a map through a text": form(SENT, b'{"0": ["variables.input.customerId.file"]}'),
    "a map into a text": form(SENT, b'{"0": ["variables.input.customerId"]}'),
    "a map into the query": form(SENT, b'{"0": ["query"]}'),
    "a map into a list": form(operations(list=[None]), b'{"0": ["variables.list.x"]}'),
    "a map behind a list": form(operations(list=[None]), b'{"0": ["variables.list.1"]}'),
    **{
        f"a map to the place {index!r} of a list": form(
            operations(list=[None]), json.dumps({"0": [f"variables.list.{index}"]}).encode()
        )
        for index in ("-1", " 0", "0 ", "+0", "0_0", "\uff10", "\u0660", "", "9" * 5000)
    },
    "a map through a place of a list": form(operations(list=[{"a": None}]), b'{"0": ["variables.list.-1.a"]}'),
    "an empty map path": form(SENT, b'{"0": [""]}'),
    "a part without a name": form(SENT).replace(b'; name="0"', b""),
    "a name that is no UTF-8": form(SENT).replace(b"Letter.txt", b"\xff.txt"),
    "large headers": form(SENT).replace(b"; filename", b"; x=" + b"y" * 100_000 + b"; filename"),
    "large operations": form(SENT + b" " * (MIB + 1)),
    "a large map": form(SENT, MAP + b" " * (MIB + 1)),
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_is_no_form_with_a_file_is_refused(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    for body in BAD_FORMS.values():
        body = body.replace(b"cus_00000000000000000000000000", customer["id"].encode())
        with told() as entries:
            async with nothing_recorded():
                for content in (body, in_pieces(body)):
                    response = await client.http.post("/graphql", content=content, headers=FORM)
                    assert response.status_code == 400, response.text
                    [error] = response.json()["errors"]
                    assert error["extensions"]["code"] == "BAD_REQUEST", body
                    assert error["message"], body
        assert [entry for entry in entries if entry["log_level"] == "error"] == [], body
        assert await storages.objects(storage) == [], body


ROLE = 'createContactRole(input: {name: "Foreman"}) { contactRole { id } }'
FILE_FIELD = "uploadDocument(input: $input) { document { id } }"
SEVERAL = {
    "side by side": f"mutation ($input: UploadDocumentInput!) {{ a: {ROLE} b: {FILE_FIELD} }}",
    "in fragments": (
        f"mutation ($input: UploadDocumentInput!) {{ ...A ... on Mutation {{ {FILE_FIELD} }} }}"
        f" fragment A on Mutation {{ {ROLE} }}"
    ),
}


@pytest.mark.parametrize("text", SEVERAL.values(), ids=SEVERAL)
async def test_an_operation_with_a_file_has_one_field(client: Client, storage: Storage, text: str) -> None:
    customer = await factories.customer(client)
    sent = json.loads(operations(customer["id"]))
    bodies = [form(json.dumps({**sent, "query": text}).encode(), end=end) for end in (END, b"")]
    async with nothing_recorded():
        for body in bodies:
            response = await client.http.post("/graphql", content=body, headers=FORM)
            assert response.status_code == 400
            [error] = response.json()["errors"]
            assert (error["extensions"]["code"], "one field" in error["message"]) == ("BAD_REQUEST", True)
    assert await storages.objects(storage) == []
    alone = (
        f"mutation ($input: UploadDocumentInput!) {{ __typename ...A ...A }} fragment A on Mutation {{ {FILE_FIELD} }}"
    )
    body = form(json.dumps({**sent, "query": alone}).encode())
    response = await client.http.post("/graphql", content=body, headers=FORM)
    assert response.json()["data"]["uploadDocument"]["document"]["id"]


async def test_a_form_with_a_file_is_taken_in_pieces_of_any_size(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    body = form(operations(customer["id"]))
    for size in (1, 7, 64, 10_000):
        response = await client.http.post("/graphql", content=in_pieces(body, size), headers=FORM)
        payload = response.json()["data"]["uploadDocument"]
        assert payload["errors"] == []
        assert (payload["document"]["name"], payload["document"]["size"]) == ("Letter.txt", 4)
    assert len(await storages.objects(storage)) == 1


async def test_content_types_that_name_no_boundary_are_refused(client: Client) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300):
        headers = {**FORM, "content-type": kind}
        response = await client.http.post("/graphql", content=form(SENT), headers=headers)
        assert response.status_code == 400, kind


async def test_a_form_without_the_header_is_refused(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    body = form(operations(customer["id"]))
    bare = {"content-type": FORM["content-type"]}
    response = await client.http.post("/graphql", content=body, headers=bare)
    assert (response.status_code, "Counterfoil-Upload" in response.text) == (400, True)
    assert await storages.objects(storage) == []
    for name in ("Counterfoil-Upload", "Apollo-Require-Preflight", "X-Requested-With"):
        response = await client.http.post("/graphql", content=body, headers={**bare, name: "1"})
        assert response.json()["data"]["uploadDocument"]["errors"] == [], name


async def endless(read: list[int]) -> AsyncIterator[bytes]:
    yield form(SENT, file=FILE[:-2], end=b"")
    while True:
        read.append(MIB)
        yield b"x" * MIB


async def test_of_somebody_unknown_no_body_is_read(database: models.Database, storage: Storage) -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    for token, said in ((None, b"Sign in first."), ("cfs_unknown", b"not valid any more")):
        sent: list[Message] = []
        headers = [(name.encode(), value.encode()) for name, value in FORM.items()]
        if token is not None:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
        await create_app(read_settings())(scope, receive, send)
        assert sent[0]["status"] == 401
        assert b'"UNAUTHENTICATED"' in sent[1]["body"]
        assert said in sent[1]["body"]


async def test_of_somebody_without_the_permission_the_file_is_not_read(
    client: Client, client_with: ClientWith, storage: Storage
) -> None:
    actor = await client_with([Permission.DOCUMENTS_READ, Permission.CUSTOMERS_READ, Permission.HISTORY_READ])
    read: list[int] = []
    response = await actor.http.post("/graphql", content=endless(read), headers=FORM)
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["FORBIDDEN"]
    assert read == []


@EVERYWHERE
async def test_a_body_without_end_is_read_as_far_as_is_allowed(client: Client, storage: Storage) -> None:
    customer = await factories.customer(client)
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        async for piece in endless(read):
            yield piece.replace(b"cus_00000000000000000000000000", customer["id"].encode())

    async with nothing_recorded():
        response = await client.http.post("/graphql", content=body(), headers=FORM)
    [error] = response.json()["data"]["uploadDocument"]["errors"]
    assert (error["code"], error["field"]) == ("LIMIT_REACHED", ["input", "file"])
    assert sum(read) <= storage.max_upload + 2 * MIB
    assert await storages.objects(storage) == []


async def test_a_length_that_is_too_large_is_refused_at_once(client: Client, storage: Storage) -> None:
    app = create_app(read_settings(max_upload=MIB, max_body=MIB))
    somebody = Client(client.token, client.user, app=app)
    read: list[int] = []
    headers = {**FORM, "content-length": str(2 * MIB + 1)}
    response = await somebody.http.post("/graphql", content=endless(read), headers=headers)
    assert response.status_code == 413
    assert response.json()["errors"][0]["message"] == "The request's body is limited to 2,097,152 bytes."
    assert read == []
    # JSON keeps its own limit.
    response = await somebody.http.post(
        "/graphql", content=b" " * (MIB + 1), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_only_reading_a_file_may_take_longer_than_other_operations(
    client: Client, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await factories.customer(client)
    patient = Client(client.token, app=create_app(read_settings(execution_timeout=1, upload_timeout=600)))

    async def slow() -> AsyncIterator[bytes]:
        yield form(operations(customer["id"]), file=FILE[:-2], end=b"")
        await asyncio.sleep(1.2)
        yield b"\r\n" + END

    response = await patient.http.post("/graphql", content=slow(), headers=FORM)
    assert response.json()["data"]["uploadDocument"]["errors"] == []

    async def endless(*_: object) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(Loaders, "load", endless)
    query = json.dumps({"query": '{ contact(id: "con_00000000000000000000000000") { id } }', "variables": {"f": None}})
    async with asyncio.timeout(PATIENCE):
        response = await patient.http.post(
            "/graphql", content=form(query.encode(), b'{"0": ["variables.f"]}'), headers=FORM
        )
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (503, "EXECUTION_TIMEOUT")
    assert "within 1 seconds" in error["message"]


@EVERYWHERE
async def test_an_upload_that_breaks_off_leaves_nothing(
    client: Client, storage: Storage, request: pytest.FixtureRequest
) -> None:
    customer = await factories.customer(client)
    head = form(operations(customer["id"]), file=FILE[:-2], end=b"")
    messages: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": head, "more_body": True},
            *({"type": "http.request", "body": b"x" * 10_000, "more_body": True} for _ in range(50)),
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in FORM.items()]
    headers.append((b"authorization", f"Bearer {client.token}".encode()))
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    with told() as entries:
        async with nothing_recorded():
            await create_app(read_settings())(scope, receive, send)
    assert sent == []
    [line] = [entry for entry in entries if entry["event"] == "request"]
    assert line["status"] == 499
    assert [entry for entry in entries if entry["log_level"] == "error"] == []
    assert await storages.objects(storage) == []
    if storage.folder is None:
        server: storages.S3 = request.getfixturevalue("s3")
        assert server.unfinished(storage.url) == 0


async def test_a_storage_that_is_away_is_a_bug_of_the_installation_and_leaves_no_row(
    client: Client, tmp_path: Any
) -> None:
    customer = await factories.customer(client)
    blocked = tmp_path / "blocked"
    blocked.write_text("no folder")
    documents.bind(Storage(blocked.as_uri(), max_upload=MIB, quota=MIB))
    async with nothing_recorded():
        response = await client.http.post("/graphql", content=form(operations(customer["id"])), headers=FORM)
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["INTERNAL_ERROR"]
    assert str(blocked) not in response.text


async def test_pages_of_allowed_origins_may_upload(database: models.Database) -> None:
    app = create_app(read_settings(cors_origins="https://desk.example.com"))
    transport = httpx.ASGITransport(app=app)
    asked = "authorization,content-type,counterfoil-upload,idempotency-key"
    headers = {
        "Origin": "https://desk.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    async with httpx.AsyncClient(transport=transport, base_url="http://counterfoil.test") as http:
        assert (await http.options("/graphql", headers=headers)).status_code == 200
