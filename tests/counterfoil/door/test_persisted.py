"""Documents that requests name: trusted ones from a folder, and those that clients register with their hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from counterfoil.app import create_app
from counterfoil.door import persisted
from counterfoil.settings import BadSettings, read_settings
from tests.client import Client, ClientWith, File, form
from tests.counterfoil.door.socket import connected

pytestmark = pytest.mark.anyio

NAME = "{ __typename }"
WHO = "query Who { viewer { actor { name } } }\n"
TWO = "query A { __typename } query B { viewer { permissions } }"
CREATE = 'mutation { createCustomer(input: { name: "Lakeside" }) { errors { code } } }'
ADA = {"viewer": {"actor": {"name": "Ada Admin"}}}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def automatic(text: str, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha(text)}}, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Trusted documents: WHO in a file, TWO and CREATE in a manifest, CREATE under a name of its own."""
    trusted = tmp_path / "trusted"
    (trusted / "desk").mkdir(parents=True)
    (trusted / "desk" / "who.graphql").write_text(WHO)
    (trusted / "manifest.json").write_text(json.dumps({f"sha256:{sha(TWO)}": TWO, "create-customer": CREATE}))
    return trusted


async def ask(client: Client, body: dict[str, Any]) -> Any:
    """The data, or else the code of the only error."""
    answer = (await client.http.post("/graphql", json=body)).json()
    return answer["data"] if "data" in answer else answer["errors"][0]["extensions"]["code"]


async def test_a_trusted_document_is_named_by_its_hash(client: Client, folder: Path) -> None:
    app = create_app(read_settings(trusted_documents=folder))
    known = Client(client.token, app=app)
    # With and without the white space around it: build tools differ.
    for text in (WHO, WHO.strip()):
        assert await ask(known, {"documentId": f"sha256:{sha(text)}"}) == ADA
        assert await ask(known, automatic(text)) == ADA
    response = await known.http.get("/graphql", params={"documentId": f"sha256:{sha(WHO)}", "operationName": "Who"})
    assert response.json() == {"data": ADA}
    assert await ask(known, {"documentId": f"sha256:{sha(TWO)}", "operationName": "A"}) == {"__typename": "Query"}
    assert await ask(known, {"documentId": "create-customer"}) == {"createCustomer": {"errors": []}}
    # The client graphql-ws sends no message without a `query`: an empty one counts as none.
    assert await ask(known, {"documentId": f"sha256:{sha(WHO)}", "query": ""}) == ADA
    assert await ask(known, automatic(WHO, query="")) == ADA
    assert await ask(known, {"documentId": "sha256:create-customer"}) == "DOCUMENT_NOT_FOUND"
    response = await known.http.get("/graphql", params={"documentId": "create-customer"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    # Others still may be sent.
    assert await ask(known, {"query": NAME}) == {"__typename": "Query"}


NO_NAMES: list[tuple[dict[str, Any], int, str]] = [
    ({"documentId": f"sha256:{'0' * 64}"}, 422, "DOCUMENT_NOT_FOUND"),
    ({"documentId": ""}, 422, "DOCUMENT_NOT_FOUND"),
    ({"documentId": "sha256:"}, 422, "DOCUMENT_NOT_FOUND"),
    ({"documentId": sha(NAME), "query": NAME}, 422, "BAD_REQUEST"),
    ({"extensions": {"persistedQuery": None}}, 422, "BAD_REQUEST"),
    ({"extensions": {"persistedQuery": 5}}, 422, "BAD_REQUEST"),
    ({"extensions": {"persistedQuery": {"version": 2, "sha256Hash": sha(NAME)}}}, 422, "BAD_REQUEST"),
    ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha(NAME).upper()}}}, 422, "BAD_REQUEST"),
    ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}}, 422, "BAD_REQUEST"),
    (automatic(WHO, query=NAME), 400, "PERSISTED_QUERY_HASH_MISMATCH"),
]


async def test_a_name_that_is_none_is_told(client: Client) -> None:
    for body, status, code in NO_NAMES:
        response = await client.http.post("/graphql", json=body)
        assert response.status_code == status, body
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == code, body
        assert "data" not in response.json()


async def test_who_is_signed_in_registers_a_document(client: Client, client_with: ClientWith) -> None:
    """Apollo's protocol: ask with the hash, learn that it is unknown, send both, and from then on only the hash."""
    app = create_app(read_settings())
    known, stranger = Client(client.token, app=app), Client(app=app)
    response = await known.http.post("/graphql", json=automatic(NAME))
    assert response.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    # A stranger's document runs, and is forgotten.
    assert await ask(stranger, automatic(NAME, query=NAME)) == {"__typename": "Query"}
    assert await ask(known, automatic(NAME)) == "PERSISTED_QUERY_NOT_FOUND"
    assert await ask(known, automatic(NAME, query=NAME)) == {"__typename": "Query"}
    assert await ask(known, automatic(NAME)) == {"__typename": "Query"}
    extensions = json.dumps(automatic(NAME)["extensions"])
    assert (await known.http.get("/graphql", params={"extensions": extensions})).json()["data"]
    # A page that asks so gets its answer, and not GraphiQL.
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    response = await known.http.get("/graphql", params={"extensions": extensions}, headers=browser)
    assert response.json() == {"data": {"__typename": "Query"}}
    # It is no right to anything: a stranger who names it is asked to sign in like everybody.
    assert await ask(known, automatic(WHO, query=WHO)) == ADA
    assert await ask(stranger, automatic(WHO)) == "UNAUTHENTICATED"
    # What cannot be run, or by somebody else only, is not worth a place.
    nobody = Client((await client_with()).token, app=app)
    secret = "{ customers { totalCount } }"
    for somebody, text in ((known, "{ nothing"), (known, "{ nothing }"), (nobody, secret)):
        assert await ask(somebody, automatic(text, query=text)) in ("BAD_REQUEST", "FORBIDDEN"), text
        assert await ask(known, automatic(text)) == "PERSISTED_QUERY_NOT_FOUND", text
    # Streams register, too.
    body = automatic(secret, query=secret)
    await known.http.post("/graphql", json=body, headers={"accept": "text/event-stream"})
    assert await ask(known, automatic(secret)) == {"customers": {"totalCount": 0}}


async def test_only_so_many_documents_are_registered(
    client: Client, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persisted, "REGISTERED", 2)
    app = create_app(read_settings(max_document=20_000))
    known, other = Client(client.token, app=app), Client((await client_with()).token, app=app)
    texts = [f"{{ __typename }} # {number}" for number in range(3)]
    for text in texts[:2]:
        await ask(known, automatic(text, query=text))
    # The one that was asked for last stays.
    assert await ask(known, automatic(texts[0])) == {"__typename": "Query"}
    await ask(known, automatic(texts[2], query=texts[2]))
    found = [await ask(known, automatic(text)) for text in texts]
    assert found == [{"__typename": "Query"}, "PERSISTED_QUERY_NOT_FOUND", {"__typename": "Query"}]
    # Somebody else has a share; then the own ones make place.
    monkeypatch.setattr(persisted, "SHARE", 1)
    others = [f"{{ __typename }} # other {number}" for number in range(5)]
    for text in others:
        await ask(other, automatic(text, query=text))
    found = [await ask(known, automatic(text)) for text in (texts[0], texts[2], others[3], others[4])]
    assert [isinstance(answer, dict) for answer in found] == [False, True, False, True]
    long = NAME + " " * 16 * 1024
    assert await ask(known, automatic(long, query=long)) == {"__typename": "Query"}
    assert await ask(known, automatic(long)) == "PERSISTED_QUERY_NOT_FOUND"


async def test_only_trusted_documents_are_taken_when_it_is_said_so(client: Client, folder: Path) -> None:
    app = create_app(read_settings(trusted_documents=folder, only_trusted_documents=True))
    known = Client(client.token, app=app)
    assert await ask(known, {"documentId": f"sha256:{sha(WHO)}"}) == ADA
    assert await ask(known, {"query": WHO}) == ADA
    for body in ({"query": NAME}, automatic(NAME, query=NAME), {"query": WHO + " "}):
        response = await known.http.post("/graphql", json=body)
        assert response.status_code == 403
        assert response.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert await ask(known, automatic(NAME)) == "PERSISTED_QUERY_NOT_FOUND"
    assert (await known.http.get("/graphql", headers={"accept": "text/html"})).status_code == 406


async def test_no_way_leads_around_the_trusted_documents(client: Client, folder: Path) -> None:
    app = create_app(read_settings(trusted_documents=folder, only_trusted_documents=True))
    known = Client(client.token, app=app)
    extensions = json.dumps(automatic(NAME)["extensions"])
    upload = form({"query": NAME, "variables": {"input": {}}}, File("a.txt", b"a"))
    refused: list[tuple[dict[str, Any], int, str]] = [
        ({"method": "GET", "params": {"query": NAME}}, 403, "DOCUMENT_NOT_TRUSTED"),
        ({"method": "GET", "params": {"query": NAME, "extensions": extensions}}, 403, "DOCUMENT_NOT_TRUSTED"),
        ({"method": "GET", "params": {"extensions": extensions}}, 422, "PERSISTED_QUERY_NOT_FOUND"),
        ({"method": "POST", "headers": {"Counterfoil-Upload": "1"}, **upload}, 403, "DOCUMENT_NOT_TRUSTED"),
    ]
    for sent, status, code in refused:
        response = await known.http.request(url="/graphql", **sent)
        assert response.status_code == status, sent
        assert response.json()["errors"][0]["extensions"]["code"] == code, sent
    stream = {"accept": "text/event-stream"}
    streamed: list[dict[str, Any]] = [
        {"method": "GET", "params": {"query": NAME}},
        {"method": "POST", "json": {"query": NAME}},
    ]
    for sent in streamed:
        response = await known.http.request(url="/graphql", headers=stream, **sent)
        assert '"DOCUMENT_NOT_TRUSTED"' in response.text, sent
        assert '"data":' not in response.text, sent
    response = await known.http.get("/graphql", headers=stream, params={"documentId": f"sha256:{sha(WHO)}"})
    assert '"Ada Admin"' in response.text
    async with connected(app=app) as socket:
        await socket.init(client.token)
        answer = await socket.run("a", NAME)
        assert answer["type"] == "error"
        assert [error["extensions"]["code"] for error in answer["payload"]] == ["DOCUMENT_NOT_TRUSTED"]
        assert (await socket.run("b", WHO))["payload"] == {"data": ADA}


BAD_FOLDERS: list[tuple[str, bytes, str]] = [
    ("a.graphql", b"{ nothing }", "a.graphql: .*Cannot query field 'nothing'"),
    ("a.graphql", b"{", "a.graphql: .*Syntax Error"),
    ("a.graphql", b"", "a.graphql: .*Syntax Error"),
    ("a.graphql", b"\xff", "a.graphql: this is not UTF-8"),
    ("a.graphql", b"{" + b"a: __typename " * 16 + b"}", "a.graphql: .*16 aliases"),
    ("a.graphql", b"{ __schema { types { name } } }", "a.graphql: .*introspection"),
    ("a.json", b"{", "a.json: this is not JSON"),
    ("a.json", b"[]", "a.json: this must be an object"),
    ("a.json", b'{"a": 5}', "a.json: this must be an object"),
    ("a.json", b'{"sha256:0": "{ __typename }"}', "sha256:0 is not the hash"),
    ("a.json", json.dumps({"0" * 64: NAME}).encode(), "is not the hash"),
    ("a.json", b'{"a": 5, "a": "{ __typename }"}', "a.json: this must be an object"),
    (
        "a.json",
        b'{"a": "{ __typename }", "a": "{ b: __typename }"}',
        "a.json: a names another document, too, in a.json",
    ),
    ("z.json", b'{"mine": "{ b: __typename }"}', "z.json: mine names another document, too, in m.json"),
]


async def test_a_document_that_cannot_be_trusted_ends_the_start(tmp_path: Path) -> None:
    settings = read_settings(trusted_documents=tmp_path, introspection=False)
    (tmp_path / "m.json").write_text(json.dumps({"mine": NAME, sha(NAME): NAME, f"sha256:{sha(NAME)}": NAME}))
    (tmp_path / "n.json").write_text(json.dumps({"mine": NAME}))
    for name, content, told in BAD_FOLDERS:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadSettings, match=f"COUNTERFOIL_TRUSTED_DOCUMENTS: .*{told}"):
            create_app(settings)
        (tmp_path / name).unlink()
    create_app(settings)
    with pytest.raises(BadSettings, match="is not a folder"):
        create_app(read_settings(trusted_documents=tmp_path / "nowhere"))
