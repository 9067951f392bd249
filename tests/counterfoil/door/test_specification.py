"""GraphQL over HTTP, first edition (September 2026): each MUST and SHOULD that concerns a server, by its section."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.client import Client

pytestmark = pytest.mark.anyio

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
UTF_8 = "; charset=utf-8"
NAME = "{ __typename }"
WHO = "{ viewer { actor { name } } }"
PARTLY = "{ viewer { actor { name } } contacts(first: 101) { totalCount } }"
CREATE = 'mutation { createCustomer(input: { name: "Lakeside" }) { errors { code } } }'


class Rule(NamedTuple):
    """What the edition says, a request, and what it is answered."""

    section: str
    says: str
    request: dict[str, Any]
    status: int = 200
    media: str = GRAPHQL
    data: bool = True


def post(body: Any = None, *, accept: str | None = GRAPHQL, kind: str | None = JSON, **more: Any) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body or {"query": NAME}).encode()
    headers = {name: value for name, value in (("accept", accept), ("content-type", kind)) if value is not None}
    return {"method": "POST", "url": "/graphql", "content": content, "headers": headers, **more}


def get(*, accept: str = GRAPHQL, **params: str) -> dict[str, Any]:
    return {"method": "GET", "url": "/graphql", "params": params, "headers": {"accept": accept}}


def refused(section: str, says: str, request: dict[str, Any], status: int) -> Rule:
    return Rule(section, says, request, status, data=False)


TWO = f"query A {NAME} query B {NAME}"
RULES = [
    Rule("Serialization Format", "servers MUST support JSON", post()),
    Rule("Media Types", "without encoding information utf-8 MUST be assumed", post({"query": NAME + " # é"})),
    Rule("Request", "a server MUST accept POST requests", post()),
    Rule("Request", "and MAY accept other methods, such as GET", get(query=NAME)),
    Rule("Request Parameters", "operationName names the operation", post({"query": TWO, "operationName": "B"})),
    Rule("GET", "an empty parameter equals none", get(query=NAME, variables="", extensions="", operationName="")),
    Rule("GET", "operationName=null is the name null", get(query=f"query null {NAME} {TWO}", operationName="null")),
    Rule(
        "GET",
        "variables MUST be encoded as a JSON string",
        get(query="query ($yes: Boolean!) { __typename @include(if: $yes) }", variables='{"yes": true}'),
    ),
    refused("GET", "mutations MUST NOT be executed", get(query=CREATE), 405),
    refused("GET", "not of several operations either", get(query=f"{CREATE} {TWO}"), 422),
    Rule("POST", "a server MUST support application/json encoded with UTF-8", post(kind=JSON + UTF_8)),
    refused("POST", "without Content-Type the server SHOULD reject with 4xx", post(kind=None), 415),
    Rule("JSON Encoding", "additional properties MUST be ignored", post({"query": NAME, "id": 5, "batch": [1]})),
    Rule(
        "JSON Encoding",
        "null for optional parameters equals not specifying them",
        post({"query": NAME, "variables": None, "operationName": None, "extensions": None}),
    ),
    Rule("Body", "a server MUST support application/graphql-response+json", post(accept=GRAPHQL)),
    Rule("Body", "the server MUST respect Accept", post(accept=f"{JSON};q=0.9, {GRAPHQL}")),
    Rule("Body", "by priority", post(accept=f"{JSON}, {GRAPHQL};q=0.9"), media=JSON),
    Rule("Body", "a legacy client gets success as application/json", post(accept=JSON), media=JSON),
    refused("Body", "and all else as if it accepted the other type", post({"query": "{"}, accept=JSON), 400),
    refused("Body", "nor are there other codes for it", post({"query": "{ x }"}, accept=JSON), 422),
    Rule("Accept", "without Accept any content type may come", post(accept=None)),
    refused("Body", "no supported type in Accept SHOULD be 406", post(accept="text/plain"), 406),
    refused("Body", "no supported type in Accept SHOULD be 406", get(accept="image/png", query=NAME), 406),
    refused("Validation", "SHOULD apply all validation rules", post({"query": "{ __typename @skip }"}), 422),
    Rule("Status Codes", "data and no errors SHOULD be 200", post({"query": WHO})),
    Rule("Status Codes", "data that is not null MUST be 2xx, with errors SHOULD be 294", post({"query": PARTLY}), 294),
    Rule(
        "Partial success", "294 is only for the type that explains it", post({"query": PARTLY}, accept=JSON), 200, JSON
    ),
    refused("Status Codes", "an unsupported method SHOULD be 405", {**post(), "method": "PUT"}, 405),
    refused("Status Codes", "an unsupported Content-Type SHOULD be 415", post(kind="text/plain"), 415),
    refused("Status Codes", "also one that only begins like it", post(kind="application/jsonp"), 415),
    refused("Status Codes", "and one in another charset", post(kind=f"{JSON}; charset=utf-16"), 415),
    refused("Status Codes", "a URI too large SHOULD be 414", get(query=NAME + " " * 20_000), 414),
    refused(
        "Status Codes",
        "headers too large SHOULD be 431",
        {**post(), "headers": {"content-type": JSON, "x-much": "x" * 20_000}},
        431,
    ),
    refused("Status Codes", "a POST body too large SHOULD be 413", post(b" " * (2**20 + 1)), 413),
    refused("Status Codes", "JSON that cannot be parsed SHOULD be 400", post(b"NONSENSE"), 400),
    refused("Status Codes", "JSON that cannot be parsed SHOULD be 400", post(b'{"query":'), 400),
    refused("Status Codes", "no well-formed request SHOULD be 422", post({"qeury": NAME}), 422),
    refused("Status Codes", "no well-formed request SHOULD be 422", post({"query": NAME, "variables": [7]}), 422),
    refused("Status Codes", "a document that cannot be parsed SHOULD be 400", post({"query": "{"}), 400),
    refused("Status Codes", "nor can an empty one", post({"query": ""}), 400),
    refused("Status Codes", "failed validation SHOULD be 422", post({"query": "{ nothing }"}), 422),
    refused("Status Codes", "an ambiguous operation SHOULD be 422", post({"query": TWO}), 422),
    refused("Status Codes", "an unknown operation SHOULD be 422", post({"query": TWO, "operationName": "C"}), 422),
    refused(
        "Status Codes",
        "variables that cannot be coerced SHOULD be 422",
        post({"query": "query ($n: Int) { customers(first: $n) { totalCount } }", "variables": {"n": "x"}}),
        422,
    ),
]


async def test_what_the_edition_says(client: Client) -> None:
    for rule in RULES:
        request = client.http.build_request(**rule.request)
        if "accept" not in rule.request["headers"]:
            # httpx would accept everything.
            del request.headers["accept"]
        response = await client.http.send(request)
        told = (rule, response.text)
        assert response.status_code == rule.status, told
        # A server MUST indicate the media type and SHOULD indicate the encoding (Body).
        assert response.headers["content-type"] == rule.media + UTF_8, told
        answer = response.json()
        assert ("data" in answer) is rule.data, told
        assert set(answer) <= {"data", "errors", "extensions"}, told
        for error in answer.get("errors", []):
            assert error["message"], told
            assert error["extensions"]["code"], told
        if not rule.data:
            assert answer["errors"], told


async def test_no_mutation_has_run_by_get(client: Client) -> None:
    for text in (CREATE, f"{CREATE} {TWO}", f"{TWO} {CREATE}"):
        await client.http.get("/graphql", params={"query": text})
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 0


async def test_data_of_null_is_a_partial_success_too(client: Client) -> None:
    """Status Codes: both entries, even if data is null, SHOULD be 294."""
    text = "query { nodes(ids: []) { id } history(first: 101) { totalCount } }"
    response = await client.http.send(client.http.build_request(**post({"query": text})))
    assert (response.status_code, response.json()["data"]) == (294, None)


async def test_who_may_not_is_told_with_its_status(client: Client) -> None:
    """Status Codes: 401, 403 or similar when the client is not permitted to issue the request.

    RFC 6750, 3.1: a token that is no good SHOULD be told; who has sent none SHOULD NOT be told of an error.
    """
    realm = 'Bearer realm="Counterfoil"'
    stranger = Client()
    upload = {"content-type": "multipart/form-data; boundary=x", "counterfoil-upload": "1"}
    for sent, challenge in (
        (None, realm),
        ("Bearer", realm),
        ("Basic YTpi", realm),
        ("Bearer cfs_unknown", f'{realm}, error="invalid_token"'),
        ("bearer x", f'{realm}, error="invalid_token"'),
    ):
        headers = {"authorization": sent} if sent else {}
        for response in (
            await stranger.http.post("/graphql", json={"query": "{ customers { totalCount } }"}, headers=headers),
            await stranger.http.post("/graphql", content=b"--x--", headers={**upload, **headers}),
        ):
            assert (response.status_code, response.headers["www-authenticate"]) == (401, challenge), sent
            [error] = response.json()["errors"]
            assert error["extensions"]["code"] == "UNAUTHENTICATED"
            assert error["message"].startswith("Your session" if "error" in challenge else "Sign in"), sent


async def test_answers_depend_on_what_is_accepted(client: Client) -> None:
    """RFC 9110, 12.5.5: Vary names what an answer was chosen by; RFC 9111: nothing of it is kept."""
    for request in (post(), get(query=NAME), post({"query": "{ nothing }"})):
        headers = (await client.http.send(client.http.build_request(**request))).headers
        assert headers["vary"].startswith("Accept, Accept-Encoding")
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_head_is_answered_like_a_get(client: Client) -> None:
    """RFC 9110, 9.3.2."""
    for query, accept, status in (
        (NAME, GRAPHQL, 200),
        (NAME, "text/event-stream", 200),
        (NAME, "text/event-stream, */*;q=0.1", 200),
        (NAME, "text/html", 406),
        ("{ nothing }", JSON, 422),
        ("{ nothing }", "text/event-stream", 200),
        (CREATE, GRAPHQL, 405),
        ("", "text/event-stream", 422),
    ):
        sent: dict[str, Any] = {"params": {"query": query}, "headers": {"accept": accept}}
        head = await client.http.head("/graphql", **sent)
        got = await client.http.get("/graphql", **sent)
        assert (head.status_code, got.status_code) == (status, status), (query, accept)
        changing = ("x-request-id",)
        assert [(name, value) for name, value in head.headers.items() if name not in changing] == [
            (name, value) for name, value in got.headers.items() if name not in changing
        ], (query, accept)


async def test_the_lines_of_a_header_are_one_list(client: Client) -> None:
    """RFC 9110, 5.3."""
    long = "{ __schema { types { name description } } }"
    for lines, media in (
        (("text/html", JSON), JSON + UTF_8),
        ((f"{JSON};q=0.5", GRAPHQL), GRAPHQL + UTF_8),
        (("", ""), GRAPHQL + UTF_8),
        (("image/png", "text/event-stream"), "text/event-stream"),
    ):
        headers = [("accept", line) for line in lines]
        response = await client.http.get("/graphql", params={"query": NAME}, headers=headers)
        assert (response.status_code, response.headers["content-type"]) == (200, media), lines
    coded = [("accept-encoding", "br"), ("accept-encoding", "gzip"), ("accept", JSON)]
    response = await client.http.get("/graphql", params={"query": long}, headers=coded)
    assert response.headers["content-encoding"] == "gzip"
