"""GraphQL over HTTP: what is no request is refused with a clear answer, and bugs are masked and logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

import models
from counterfoil.app import create_app
from counterfoil.graphiql import BUILT
from counterfoil.settings import read_settings
from tests.client import Client, observed
from tests.counterfoil.log_lines import told

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
VIEWER = "{ viewer { actor { name } } }"
ASKING = json.dumps({"query": VIEWER}).encode()
DEEP = b"[" * 15_000 + b"]" * 15_000


def with_variable(value: bytes) -> bytes:
    return b'{"query": "query ($n: Int) { customers(first: $n) { totalCount } }", "variables": {"n": %s}}' % value


# Bodies that are JSON in UTF-8, and no requests.
MALFORMED: Mapping[str, bytes] = {
    "a number": b"5",
    "null": b"null",
    "a string": b'"{ viewer { permissions } }"',
    "true": b"true",
    "a list": b"[]",
    "a batch": b"[" + ASKING + b"]",
    "two batches": b"[[" + ASKING + b"]]",
    "an empty object": b"{}",
    "a query of null": b'{"query": null}',
    "a query that is a number": b'{"query": 5}',
    "a query that is a list": b'{"query": ["{ viewer }"]}',
    "variables that are a list": b'{"query": "{ viewer { permissions } }", "variables": []}',
    "variables that are text": b'{"query": "{ viewer { permissions } }", "variables": "{}"}',
    "extensions that are a list": b'{"query": "{ viewer { permissions } }", "extensions": []}',
    "only a fragment": b'{"query": "fragment F on Query { viewer { permissions } }"}',
    "an operation name that is a number": b'{"query": "{ viewer { permissions } }", "operationName": 1}',
    "an operation that is not there": b'{"query": "query a { viewer { permissions } }", "operationName": "b"}',
    "a document id that is a number": b'{"documentId": 5}',
    "a document id and a document": b'{"documentId": "x", "query": "{ viewer { permissions } }"}',
}

# Bodies that cannot be read, and documents that cannot be parsed.
UNREADABLE_BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "an empty query": b'{"query": ""}',
    "invalid UTF-8": b'{"query": "{ viewer { permissions } } # \xff"}',
    "a byte order mark": b"\xef\xbb\xbf" + ASKING,
    "UTF-16": json.dumps({"query": VIEWER}).encode("utf-16"),
    "a lone surrogate": with_variable(b'"\\ud800"'),
    "a lone surrogate as bytes": with_variable(b'"\xed\xa0\x80"'),
    "a lone surrogate in the query": b'{"query": "{ viewer { permissions } } # \\udfff"}',
    "a null character": with_variable(b'"\\u0000"'),
    "a null character in a name": b'{"query": "{ viewer { permissions } }", "variables": {"\\u0000": 1}}',
    "a null character far below": with_variable(b"[" * 900 + b'{"a": "x\\u0000"}' + b"]" * 900),
    "a null character in the query": b'{"query": "{ viewer { permissions } } # \\u0000"}',
    "a null character as a byte": b'{"query": "{ viewer { permissions } } # \x00"}',
    "an integer of 5,000 digits": with_variable(b"9" * 5000),
    "a number beyond all numbers": with_variable(b"1e400"),
    "not a number": with_variable(b"NaN"),
    "variables nested 15,000 deep": with_variable(DEEP),
    "a body nested 15,000 deep": DEEP,
    "objects nested 15,000 deep": b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
}


def app_with(**settings: Any) -> Starlette:
    return create_app(read_settings(**settings))


def assert_refused(response: httpx.Response, status: int = 400, code: str = "BAD_REQUEST") -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    answer = response.json()
    assert "data" not in answer
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert answer["errors"][0]["message"]


async def test_what_is_no_request_is_refused(client: Client, database: models.Database) -> None:
    with observed(database) as seen:
        for status, bodies in ((400, UNREADABLE_BODIES), (422, MALFORMED)):
            for name, body in bodies.items():
                response = await client.http.post("/graphql", content=body, headers=JSON)
                assert response.status_code == status, name
                assert_refused(response, status)
    assert [sql for sql in seen if "FROM session" not in sql] == []


async def test_an_integer_that_does_not_fit_is_told(client: Client) -> None:
    text = "query ($n: Int) { contacts(filter: { priority: $n }) { totalCount } }"
    for number in (2**31, -(2**31) - 1, 2**63, 2**64, 10**20, 1.5):
        assert await client.run(text, n=number) == {}
        assert client.codes == ["BAD_REQUEST"], number
        assert "Int cannot represent" in client.errors[0]["message"], number


UNREADABLE = [
    "{ customers(first: " + "9" * 5000 + ") { totalCount } }",
    "{ customers(first: 3000000000) { totalCount } }",
    "{ history(filter: { from: " + "9" * 5000 + " }) { totalCount } }",
    '{ history(filter: { from: "0001-01-01T00:00:00+23:59" }) { totalCount } }',
    '{ history(filter: { from: "9999-12-31T23:59:59-23:59" }) { totalCount } }',
    '{ history(filter: { from: "2026-01-31" }) { totalCount } }',
    '{ history(filter: { from: "2026-01-31T09:30:00" }) { totalCount } }',
    "{ history(filter: { from: 5 }) { totalCount } }",
    "{ contacts(orderBy: { field: SHOE_SIZE, direction: ASC }) { totalCount } }",
    '{ customers(search: "\\uD800") { totalCount } }',
    '{ customers(search: "\\u{110000}") { totalCount } }',
    '{ customers(search: "\\u0000") { totalCount } }',
    '{ customers(search: "\\u{0}") { totalCount } }',
    '{ contacts(filter: { customerId: "a\\u0000" }) { totalCount } }',
    'mutation { signIn(input: { email: "a\\u0000@example.com", password: "x" }) { errors { code } } }',
]


async def test_a_literal_that_cannot_be_read_is_told_and_is_no_bug(client: Client, database: models.Database) -> None:
    with told() as entries, observed(database) as seen:
        for text in UNREADABLE:
            assert await client.run(text) == {}, text
            assert set(client.codes) == {"BAD_REQUEST"}, text
    assert [entry["event"] for entry in entries if entry["log_level"] == "error"] == []
    assert [sql for sql in seen if "FROM session" not in sql] == []


BAD_TIMES: list[Any] = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-01-31",
    "x",
    "",
    5,
    [],
    {},
    True,
]


async def test_a_variable_that_cannot_be_read_is_told_and_is_no_bug(client: Client) -> None:
    text = "query ($at: DateTime) { history(filter: { from: $at }) { totalCount } }"
    for sent in BAD_TIMES:
        await client.run(text, at=sent)
        assert client.codes == ["BAD_REQUEST"], sent
        assert "2026-01-31T09:30:00Z" in client.errors[0]["message"], sent
    text = "query ($id: ID!) { customer(id: $id) { id } }"
    wrong: list[Any] = [None, True, 1.5, [], {}]
    for sent in wrong:
        await client.run(text, id=sent)
        assert client.codes == ["BAD_REQUEST"], sent


async def test_a_null_character_cannot_come_by_get_either(client: Client) -> None:
    for search in ('"\\u0000"', '"""\0"""'):
        response = await client.http.get(
            "/graphql", params={"query": f"{{ customers(search: {search}) {{ totalCount }} }}"}
        )
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_text_of_all_the_world_passes(client: Client) -> None:
    for text in ("Zürich 東京", "😀", "\u202e", "a\\u0000b"):
        await client.run("query ($s: String) { customers(search: $s) { totalCount } }", s=text)
        assert client.errors == []
    await client.run('{ customers(search: "\\uD83D\\uDE00") { totalCount } }')
    assert client.errors == []


async def test_only_json_is_taken(client: Client) -> None:
    form = "application/x-www-form-urlencoded"
    for content_type in ("text/plain", form, "application/graphql", "text/json", "", "application/xml"):
        response = await client.http.post("/graphql", content=ASKING, headers={"content-type": content_type})
        assert_refused(response, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_multipart_is_not_taken_without_its_header(client: Client) -> None:
    form = {"operations": (None, ASKING), "map": (None, b"{}"), "0": ("a.txt", b"x")}
    assert_refused(await client.http.post("/graphql", files=form))


async def test_the_type_of_the_body_may_say_its_charset(client: Client) -> None:
    response = await client.http.post(
        "/graphql", content=ASKING, headers={"content-type": "application/json; charset=utf-8"}
    )
    assert response.json() == {"data": {"viewer": {"actor": {"name": "Ada Admin"}}}}


async def test_queries_may_come_by_get(client: Client) -> None:
    text = "query a($n: Int) { contactRoles(first: $n) { edges { node { name } } } }"
    params = {"query": text, "variables": '{"n": 1}', "operationName": "a"}
    response = await client.http.get("/graphql", params=params)
    assert len(response.json()["data"]["contactRoles"]["edges"]) == 1


NO_QUERIES: list[tuple[Any, int]] = [
    ({"variables": "{}"}, 422),
    ({"query": VIEWER, "variables": "{"}, 400),
    ({"query": VIEWER, "variables": "[1]"}, 422),
    ({"query": VIEWER, "variables": '{"a": "\\u0000"}'}, 400),
    ({"query": VIEWER, "extensions": "5"}, 422),
    ({"query": VIEWER, "variables": "[" * 5000}, 400),
    ({"query": [VIEWER, "{ __typename }"]}, 422),
    ({"query": VIEWER, "documentId": "x"}, 422),
    ("query=%7B__typename%7D%20%23%ff", 400),
    ("query=%7B__typename%7D%20%23%00", 400),
    ("&".join(f"a{number}=1" for number in range(51)), 400),
]


async def test_a_get_that_is_no_request_is_refused(client: Client) -> None:
    for params, status in NO_QUERIES:
        query = params if isinstance(params, str) else urlencode(params, doseq=True)
        response = await client.http.get(f"/graphql?{query}", headers={"accept": "application/json"})
        assert response.status_code == status, query
        assert_refused(response, status)


async def test_mutations_do_not_come_by_get(client: Client, database: models.Database) -> None:
    text = 'mutation { createCustomer(input: { name: "By link" }) { customer { id } } }'
    with observed(database) as seen:
        response = await client.http.get("/graphql", params={"query": text})
        assert_refused(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "POST"
    assert [sql for sql in seen if "FROM session" not in sql] == []


async def test_other_methods_are_told_which_there_are(client: Client) -> None:
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "QUERY"):
        response = await client.http.request(method, "/graphql", content=ASKING, headers=JSON)
        assert_refused(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST", method
    response = await client.http.options("/graphql")
    assert (response.status_code, response.headers["allow"], response.content) == (204, "GET, HEAD, OPTIONS, POST", b"")
    response = await client.http.head("/graphql", params={"query": VIEWER})
    assert response.status_code == 200


async def test_a_subscription_is_refused_as_long_as_there_are_none(client: Client) -> None:
    await client.run("subscription { history { seq } }")
    assert client.codes == ["BAD_REQUEST"]


async def test_a_browser_gets_graphiql(client: Client) -> None:
    response = await client.http.get("/graphql", headers={"accept": "text/html,application/xhtml+xml"})
    # Without a network it is not built, and the page says how to build it.
    assert response.status_code == (200 if (BUILT / "index.html").is_file() else 503)
    assert response.headers["content-type"].startswith("text/html")
    assert "GraphiQL" in response.text


async def test_graphiql_can_be_turned_off(client: Client) -> None:
    quiet = Client(client.token, app=app_with(graphiql=False))
    response = await quiet.http.get("/graphql", headers={"accept": "text/html"})
    assert_refused(response, 406, "NOT_ACCEPTABLE")
    assert await quiet.run(VIEWER)


INTROSPECTING = ["{ __schema { types { name } } }", '{ __type(name: "Customer") { name } }']
MISSPELT = [
    "{ custommers { totalCount } }",
    "{ customers(frist: 1) { totalCount } }",
    "{ customers { edges { node { nmae } } } }",
    "{ viewer { ...F } } fragment F on Viewr { permissions }",
    "query ($o: ContactOrdr) { contacts(orderBy: $o) { totalCount } }",
    "{ contacts(orderBy: { field: NAM, direction: ASC }) { totalCount } }",
    "{ contacts(orderBy: { feild: NAME, direction: ASC }) { totalCount } }",
    "{ viewer @skp(if: true) { permissions } }",
    "{ viewer @skip(fi: true) { permissions } }",
    "{ viewer { permissions { name } } }",
]
NAME_ORDER = "query ($o: ContactOrder) { contacts(orderBy: $o) { totalCount } }"


async def test_the_schema_can_be_asked_for(client: Client) -> None:
    for text in INTROSPECTING:
        assert await client.run(text)
    # As the tools ask for it, before anybody has signed in.
    assert await Client().run(INTROSPECTING[0])


async def test_only_input_objects_say_whether_they_are_one_of_several(client: Client) -> None:
    text = """{ __type(name: "Mutation") { isOneOf fields { type { isOneOf }
      args { type { isOneOf kind ofType { isOneOf kind ofType { isOneOf kind } } } } } }
      __schema { types { kind isOneOf } } }"""
    with told() as entries:
        data = await client.run(text)
    assert client.errors == []
    assert [entry["event"] for entry in entries] == ["request"]
    found = [data["__type"], *data["__schema"]["types"]]
    for field in data["__type"]["fields"]:
        found += [field["type"], *(argument["type"] for argument in field["args"])]
    found += [inner for kind in found if (inner := kind.get("ofType"))]
    assert {(kind.get("kind") == "INPUT_OBJECT", kind["isOneOf"]) for kind in found} == {(True, False), (False, None)}


async def test_without_introspection_nothing_tells_what_there_is(client: Client) -> None:
    quiet = Client(client.token, app=app_with(introspection=False))
    for text in INTROSPECTING:
        assert await quiet.run(text) == {}
        assert set(quiet.codes) == {"BAD_REQUEST"}
    assert (await quiet.run("{ __typename viewer { __typename } }"))["__typename"] == "Query"
    suggested = 0
    for text, variables in (
        *((text, {}) for text in MISSPELT),
        (NAME_ORDER, {"o": {"field": "NAM", "direction": "ASC"}}),
        (NAME_ORDER, {"o": {"feild": "NAME", "direction": "ASC"}}),
    ):
        await client.run(text, **variables)
        suggested += "Did you mean" in client.response.text
        await quiet.run(text, **variables)
        assert set(quiet.codes) == {"BAD_REQUEST"}, text
        assert "Did you mean" not in quiet.response.text, text
    # The test would not notice if nothing were suggested in the first place.
    assert suggested > 8
