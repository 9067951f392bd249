"""Bugs are masked for whoever asks and logged in full for whoever looks, without personal data on either side."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.door import admission, documents, errors, viewer
from models import Busy
from schema.context import Loaders
from tests import factories
from tests.client import Client, ClientWith
from tests.counterfoil.door.socket import connected
from tests.counterfoil.log_lines import told

pytestmark = pytest.mark.anyio

VIEWER = "{ viewer { actor { name } } }"

PERSON = "Zaphod Beeblebrox <zaphod@example.com>"


async def broken(*_: object) -> Any:
    """A loader with a bug: its exception quotes personal data."""
    raise ValueError(f"unexpected row: {PERSON}")


async def test_a_bug_is_masked_and_logged_in_full_without_personal_data(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = await factories.contact(client, lastName=PERSON)
    text = """query Find($id: ID!, $who: String) {
      node(id: $id) { id }
      contact(id: $id) { lastName }
      contacts(search: $who) { totalCount }
    }"""
    monkeypatch.setattr(Loaders, "load", broken)
    with told() as entries:
        data = await client.run(text, id=contact["id"], who=PERSON)
    # What does not need the loader is still there.
    assert data == {"node": {"id": contact["id"]}, "contact": None, "contacts": {"totalCount": 1}}
    [error] = client.errors
    identifier = client.response.headers["x-request-id"]
    assert error["message"] == errors.MASKED
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": identifier}
    assert error["path"] == ["contact"]
    bug, request = entries
    assert (bug["event"], bug["log_level"], bug["path"]) == ("bug", "error", "contact")
    assert bug["exception"]["type"] == "builtins.ValueError"
    assert bug["exception"]["stack"][-1].endswith(" broken")
    assert {entry["request_id"] for entry in entries} == {identifier}
    assert (request["event"], request["status"]) == ("request", 294)
    for word in ("Zaphod", "zaphod", str(client.token)):
        assert word not in repr(entries)
        assert word not in client.response.text


async def test_a_bug_in_a_mutation_leaves_nothing_behind(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stumble(*_: object) -> None:
        raise KeyError(PERSON)

    with monkeypatch.context() as patch, told() as entries:
        patch.setattr("audit.Change.insert", stumble)
        data = await client.run('mutation { createCustomer(input: { name: "Half" }) { errors { code } } }')
    assert data == {"createCustomer": None}
    assert client.codes == ["INTERNAL_ERROR"]
    assert [entry["event"] for entry in entries] == ["bug", "request"]
    assert "Zaphod" not in repr(entries) + client.response.text
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 0


async def test_a_bug_before_execution_is_masked_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise ValueError(PERSON)

    monkeypatch.setattr(documents, "plan", stumble)
    with told() as entries:
        # What others have asked for is planned already.
        assert await client.run("query Stumbles { viewer { actor { name } } }") == {}
    assert client.codes == ["INTERNAL_ERROR"]
    assert client.errors[0]["message"] == errors.MASKED
    assert [entry["event"] for entry in entries] == ["bug", "request"]
    assert "Zaphod" not in repr(entries) + client.response.text


async def test_only_the_first_bugs_of_a_request_are_logged_in_full(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = await factories.contact(client)
    monkeypatch.setattr(Loaders, "load", broken)
    fields = " ".join(f"a{number}: contact(id: $id) {{ id }}" for number in range(9))
    with told() as entries:
        await client.run(f"query ($id: ID!) {{ {fields} }}", id=contact["id"])
        assert len(client.errors) == 9
        await client.run("{ a b c d e }")
        assert len(client.errors) == 5
    assert [(entry["event"], entry["log_level"], entry.get("count")) for entry in entries] == [
        *[("bug", "error", None)] * 3,
        ("more bugs", "error", 6),
        ("request", "info", None),
        *[("refused", "info", None)] * 3,
        ("more refused", "info", 2),
        ("request", "info", None),
    ]


async def test_a_bug_outside_graphql_is_masked_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "find_viewer", broken)
    with told() as entries:
        response = await client.http.post("/graphql", json={"query": VIEWER})
    assert response.status_code == 500
    identifier = response.headers["x-request-id"]
    [error] = response.json()["errors"]
    assert error == {"message": errors.MASKED, "extensions": {"code": "INTERNAL_ERROR", "requestId": identifier}}
    bug, request = entries
    assert (bug["event"], bug["exception"]["type"]) == ("bug", "builtins.ValueError")
    assert bug["request_id"] == request["request_id"] == identifier
    assert request["status"] == 500
    assert "Zaphod" not in repr(entries) + response.text


async def test_who_comes_while_others_write_is_told_to_come_again_and_no_bug(
    client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of a refused permission cannot be written, wherever the operation comes from."""

    async def busy(*_: object) -> None:
        raise Busy

    somebody = await client_with()
    monkeypatch.setattr(admission, "record_refusal", busy)
    query, feed = "{ customers { totalCount } }", "subscription { historyFeed { cursor } }"
    expected = [{"message": Busy.message, "extensions": {"code": "BUSY"}}]
    with told() as entries:
        response = await somebody.http.post("/graphql", json={"query": query})
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json() == {"errors": expected}
        for text in (query, feed):
            stream = {"accept": "text/event-stream"}
            response = await somebody.http.post("/graphql", json={"query": text}, headers=stream)
            assert '"code":"BUSY"' in response.text, text
        async with connected() as socket:
            await socket.init(somebody.token)
            for text in (query, feed):
                assert await socket.run("1", text) == {"id": "1", "type": "error", "payload": expected}, text
    assert [entry["event"] for entry in entries if entry["log_level"] == "error"] == []


async def test_what_is_refused_is_logged_in_one_line_without_values(client: Client) -> None:
    contact = await factories.contact(client, lastName=PERSON)
    with told() as entries:
        await client.run(f'{{ contacts(search: "{PERSON}", first: 101) {{ totalCount }} }}')
        await client.run("{ Zaphod }")
        await client.fault("UpdateContact", id=contact["id"], title=PERSON * 10)
        await client.http.post("/graphql", json={"query": 5, "variables": {"name": PERSON}})
        await client.http.post("/graphql", content=PERSON)
    assert [(entry["event"], entry.get("code")) for entry in entries] == [
        ("refused", "BAD_PAGE"),
        ("request", None),
        ("refused", "BAD_REQUEST"),
        ("request", None),
        ("request", None),
        ("refused", "BAD_REQUEST"),
        ("request", None),
        ("refused", "UNSUPPORTED_MEDIA_TYPE"),
        ("request", None),
    ]
    assert "Zaphod" not in repr(entries)
