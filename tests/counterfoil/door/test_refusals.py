"""What refusals cost: counted in words, comparisons and introspections, not in time; strangers get less of each."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import graphql
import httpx
import orjson
import pytest
from graphql.validation.rules import fields_on_correct_type, known_type_names

from counterfoil.app import create_app
from counterfoil.door import decoding, documents, introspection, parsing
from counterfoil.door.pace import Pace
from counterfoil.settings import read_settings
from schema.limits import Limits
from tests.client import Client, File, form
from tests.counterfoil.door.test_bounds import FOLDED, JSON, NAME, code

# What a document costs does not depend on the database.
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

WHOLE = graphql.get_introspection_query(
    specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
)


def fresh(client: Client | None = None, **settings: Any) -> Client:
    """The client, or a stranger, at an application of its own, which has seen nothing yet."""
    return Client(client.token if client is not None else None, app=create_app(read_settings(**settings)))


def never(*_: object, **__: object) -> Any:
    raise AssertionError("it has come so far")


async def test_of_strangers_only_short_documents_are_parsed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    strangers = Limits().of_strangers
    long = {
        "tokens": NAME + "#\n" * (strangers.tokens - 2),
        "length": NAME + " " * strangers.length,
        "repeats": "{" + "viewer { permissions } " * 20 + "}",
    }
    for name, text in long.items():
        # Whoever is known may send it.
        response = await client.http.post("/graphql", json={"query": text})
        assert response.status_code == 200, name
    ended = Client("cfs_ended", app=create_app(read_settings()))
    monkeypatch.setattr(documents, "parse", never)
    for name, text in long.items():
        for stranger, told in ((Client(), "Sign in first."), (ended, "sign in again")):
            response = await stranger.http.post("/graphql", json={"query": text})
            assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED"), name
            assert response.headers["www-authenticate"].startswith("Bearer ")
            assert told in response.text
    for name, text in FOLDED.items():
        response = await Client().http.post("/graphql", json={"query": text})
        assert (response.status_code, code(response)[-6:]) == (422, "_LIMIT"), name


@pytest.mark.usefixtures("client")
async def test_strangers_may_introspect_and_sign_in() -> None:
    stranger = fresh()
    data = await stranger.run(WHOLE)
    assert graphql.build_client_schema(data).query_type is not None  # type: ignore[arg-type]
    payload = await stranger.run("SignIn", email="nobody@example.com", password="x")
    assert payload["signIn"]["errors"][0]["code"] == "BAD_CREDENTIALS"


async def test_only_the_first_error_suggests_something(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    for module in (fields_on_correct_type, known_type_names):

        def counted(*given: Any, original: Any = module.suggestion_list) -> Any:
            nonlocal compared
            compared += 1
            return original(*given)

        monkeypatch.setattr(module, "suggestion_list", counted)
    fields = " ".join(f"cusomer{number}" for number in range(50))
    for text in (f"{{ {fields} }}", "{" + "... on Custommer { id } " * 20 + "}"):
        compared = 0
        await fresh(client).run(text)
        assert compared == 1
    known = fresh(client)
    await known.run(f"{{ {fields} }}")
    suggesting = ["Did you mean" in error["message"] for error in known.errors]
    assert suggesting == [True, False, False, False, False, False]
    assert "limit reached" in known.errors[-1]["message"]
    await known.run("{ custommers { totalCount } }")
    assert "Did you mean 'customers'" in known.errors[0]["message"]
    compared = 0
    stranger = fresh()
    await stranger.run("{ custommers { totalCount } }")
    assert (stranger.codes, compared) == (["BAD_REQUEST"], 0)


async def test_an_introspection_runs_once_and_beside_the_event_loop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str | None] = []

    def counted(*given: Any, **named: Any) -> Any:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        ran.append(named["operation_name"])
        return graphql.execute_sync(*given, **named)

    monkeypatch.setattr(introspection, "execute_sync", counted)
    known = fresh(client)
    asked = "query a($b: Boolean!) { __schema { types { name @include(if: $b) kind fields { name } } } }"
    text = f"{asked} query c {{ __typename }}"
    found = []
    for wanted in (True, False, True):
        body = {"query": text, "operationName": "a", "variables": {"b": wanted}}
        responses = await asyncio.gather(*(known.http.post("/graphql", json=body) for _ in range(3)))
        [answer] = {response.text for response in responses}
        found.append({*json.loads(answer)["data"]["__schema"]["types"][0]})
    assert found == [{"name", "kind", "fields"}, {"kind", "fields"}, {"name", "kind", "fields"}]
    assert ran == ["a", "a"]
    # What is wrong with variables is told as before, and what asks for more than the schema runs as before.
    await known.run(text.partition(" query c")[0])
    assert known.codes == ["BAD_REQUEST"]
    assert (await known.run('{ viewer { permissions } __type(name: "Query") { name } }'))["__type"] == {"name": "Query"}
    assert ran == ["a"] * 3


# What tools ask a server for before anything else; the audit of graphql-http sends the first of them.
SMALL = (
    "query Type($name: String!) { __type(name: $name) { name } }",
    "{ __schema { queryType { name } mutationType { name } subscriptionType { name } } }",
    "query Type($name: String!) { __type(name: $name) { name kind description fields { name type { name kind } } } }",
)


async def test_small_introspections_by_strangers_are_answered_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = fresh()
    assert await stranger.run(WHOLE)
    monkeypatch.setattr(introspection.Introspections, "answer", never)
    for number in range(3):
        for text in SMALL:
            for name in ("Contact", "Query"):
                assert await stranger.run(f"{text} # {number}", name=name), text
                assert stranger.errors == []


def other(number: int) -> str:
    """A whole introspection that has not been asked for before."""
    return WHOLE.replace("queryType {", f"q{number}: queryType {{", 1)


async def test_kept_introspections_are_answered_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = fresh()
    assert await stranger.run(WHOLE)
    monkeypatch.setattr(introspection, "execute_sync", never)
    # However they are written.
    for text in (WHOLE, f"# Again.\n{WHOLE.replace(chr(10), ', ')}"):
        assert await stranger.run(text)
        assert await stranger.run(text, unknown=[1])
    # Not as often as somebody likes, who is not known.
    monkeypatch.setattr(Pace, "free", lambda *_: False)
    response = await stranger.http.post("/graphql", json={"query": WHOLE})
    assert (response.status_code, code(response)) == (429, "TOO_MANY_INTROSPECTIONS")
    assert await stranger.run('{ __type(name: "Query") { name } }')
    known = Client(client.token, app=stranger.http._transport.app)  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert await known.run(WHOLE)


async def test_strangers_introspect_anew_only_so_often(client: Client) -> None:
    app = create_app(read_settings(trusted_proxies="127.0.0.1"))
    known = Client(client.token, app=app)

    async def ask(text: str, address: str) -> httpx.Response:
        return await Client(app=app).http.post("/graphql", json={"query": text}, headers={"X-Forwarded-For": address})

    assert (await ask(WHOLE, "192.0.2.1")).status_code == 200
    response = await ask(other(0), "192.0.2.1")
    assert (response.status_code, code(response)) == (429, "TOO_MANY_INTROSPECTIONS")
    assert response.headers["retry-after"] == f"{introspection.PAUSE:.0f}"
    # That holds for one address, of which IPv6 has many for each client; and the same again costs nothing.
    assert (await ask(other(0), "2001:db8::1")).status_code == 200
    assert (await ask(other(1), "2001:db8::2")).status_code == 429
    assert (await ask(other(0), "192.0.2.1")).status_code == 200
    # Whoever is known need not wait, and pushes out no stranger's answer.
    for number in range(introspection.KEPT + 1):
        assert await known.run(other(number))
    assert (await ask(WHOLE, "192.0.2.1")).status_code == 200


async def test_whoever_asks_for_much_of_the_schema_asks_for_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = WHOLE[WHOLE.index("__schema") : WHOLE.index("fragment")].rstrip().removesuffix("}")
    fragments = WHOLE[WHOLE.index("fragment") :]
    await client.run(f"{{ viewer {{ permissions }} ... {{ {schema} }} }} {fragments}")
    assert client.codes == ["COST_LIMIT"]
    asked = 0

    async def counted(*given: Any, original: Any = introspection.Introspections.answer) -> Any:
        nonlocal asked
        asked += 1
        return await original(*given)

    monkeypatch.setattr(introspection.Introspections, "answer", counted)
    for text in (f"{{ ... {{ {schema} }} }}", f"{{ ...A }} fragment A on Query {{ {schema} }}"):
        assert await client.run(f"{text} {fragments}"), text
    assert asked == 2


async def test_introspection_goes_with_any_variables(client: Client) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    text = WHOLE.replace("query IntrospectionQuery", "query IntrospectionQuery($a: Boolean = true)", 1)
    text = text.replace("queryType {", "queryType @include(if: $a) {", 1)
    for variables in ({"a": False}, {"unknown": deep}, {"unknown": 1e300}):
        for asks in (client, Client()):
            response = await asks.http.post("/graphql", json={"query": text, "variables": variables})
            assert response.status_code in (200, 429), variables
    body = {"query": text, "variables": {"input": {}}}
    upload = {"Counterfoil-Upload": "1"}
    response = await client.http.post("/graphql", headers=upload, **form(body, File("a.txt", b"a")))
    assert response.status_code < 500


async def test_refusals_over_streams_and_by_get_wait_for_their_turn_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []

    async def kept(_: Pace, address: str | None, read: int) -> float:
        assert address == "127.0.0.1"
        waited.append(read)
        return 0.0

    monkeypatch.setattr(Pace, "kept", kept)
    text = "{ unknown }" + " " * 1000
    sse = {"accept": "text/event-stream"}
    packed = gzip.compress(json.dumps({"query": text}).encode())
    for response in (
        await client.http.post("/graphql", json={"query": text}, headers=sse),
        await client.http.get("/graphql", params={"query": text}, headers=sse),
        await client.http.get("/graphql", params={"query": text}),
        await client.http.post("/graphql", content=packed, headers={**JSON, "content-encoding": "gzip"}),
    ):
        assert "FIELD" in response.text or "unknown" in response.text
    assert len(waited) == 4
    assert min(waited) >= 1000


async def test_documents_are_kept_up_to_so_many_tokens_together(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(text: str, most: int, original: Any = parsing.parse) -> Any:
        read.append(text)
        return original(text, most)

    monkeypatch.setattr(documents, "parse", counted)
    monkeypatch.setattr(documents, "CACHED_TOKENS", 2000)
    first, second, third = (f'{{ nodes(ids: ["{name}" {"1 " * 900}]) {{ id }} }}' for name in "abc")
    small = NAME
    known = fresh(client)
    for text in (first, second, first, second, small, third, small, second, first):
        await known.run(text)
        assert known.codes in (["BAD_PAGE"], [])
    assert read == [first, second, small, third, first]


async def test_a_few_documents_of_strangers_are_kept_apart(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = fresh()
    known = Client(client.token, app=stranger.http._transport.app)  # type: ignore[attr-defined]
    await known.run(NAME)
    await stranger.run(NAME)
    texts = [f"{NAME} # {number}" for number in range(documents.CACHED_OF_STRANGERS)]
    for text in texts:
        await stranger.run(text)
    monkeypatch.setattr(documents, "parse", never)
    # Theirs have pushed out the first of theirs, and nobody else's.
    for text in texts:
        assert await stranger.run(text)
    assert await known.run(NAME)
    response = await stranger.http.post("/graphql", json={"query": NAME})
    assert response.status_code == 500


async def test_documents_hold_on_to_no_tokens_and_know_their_places(client: Client) -> None:
    text = "# Only one.\n{ viewer {\n permissions } }"
    [definition] = parsing.parse(text, 1000).definitions
    assert isinstance(definition, graphql.OperationDefinitionNode)
    [selected] = definition.selection_set.selections
    for node, written in ((definition, text[12:]), (selected, text[14:-2])):
        assert node.loc is not None
        assert text[node.loc.start : node.loc.end] == written
        assert not any(hasattr(node.loc, name) for name in ("start_token", "end_token"))
    await client.run("{\n  customers(first: 101) { totalCount } }")
    assert client.errors[0]["locations"] == [{"line": 2, "column": 3}]
    await client.run("{\n  customers(first: ) { totalCount } }")
    assert client.errors[0]["locations"] == [{"line": 2, "column": 20}]


async def test_json_has_so_many_values_and_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    start, end = b'{"query": "{ __typename }", "variables": {"a": [0', b"]}}"
    # Four stand there already, and what is in texts is none.
    for values, status in ((decoding.MOST_VALUES - 4, 200), (decoding.MOST_VALUES - 3, 413)):
        text = b',"[{,\\",,"'
        response = await client.http.post("/graphql", content=start + text + b",0" * (values - 1) + end, headers=JSON)
        assert response.status_code == status
    text = start + b',"' + b"," * 2 * decoding.MOST_VALUES + b'"' + end
    assert (await client.http.post("/graphql", content=text, headers=JSON)).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(orjson, "loads", never)
        for flood in (b"[" * 500_000, b"[" + b"[]," * 300_000 + b"0]", b"[" + b"{}," * 300_000 + b"0]"):
            response = await client.http.post("/graphql", content=flood, headers=JSON)
            assert (response.status_code, code(response)) == (413, "VALUE_LIMIT")


async def test_null_characters_are_found_however_many_backslashes_stand_before_them(client: Client) -> None:
    for backslashes in range(1, 9):
        body = b'{"query": "{ __typename }", "variables": {"a": "' + b"\\" * backslashes + b'u0000"}}'
        response = await client.http.post("/graphql", content=body, headers=JSON)
        assert response.status_code == (400 if backslashes % 2 else 200), backslashes
