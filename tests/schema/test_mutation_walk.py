"""Nothing changes without leaving its stub: every mutation of the schema, called once with success.

A new mutation needs an example in examples.py. One that rightly leaves no event stands in LEAVES_NONE with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import models
from audit.drift import drift
from models.engine import WriteTransaction
from tests.client import Client
from tests.schema.documents import MUTATION, leaves, object_type
from tests.schema.examples import EXAMPLES

pytestmark = pytest.mark.anyio

LEAVES_NONE: dict[str, str] = {}

# Transactions that write and leave no event, by the only tables that they write.
SILENT = {
    frozenset({"throttle"}): "an attempt is counted before it is known whether it fails",
}


def document(name: str) -> str:
    """The mutation with its events, its errors, and all that it changed."""
    field = MUTATION.fields[name]
    kind = object_type(str(field.type))
    changed = " ".join(
        part if part in leaves(kind) else f"{part} {{ __typename }}" for part in kind.fields if part != "errors"
    )
    stub = "events { id requestId }"
    selection = changed.replace("events { __typename }", stub) + " errors { code field message }"
    given = f"($input: {field.args['input'].type})" if field.args else ""
    return f"mutation {given} {{ {name}{'(input: $input)' if given else ''} {{ {selection} }} }}"


def written(statements: list[str]) -> set[str]:
    """The tables that the statements write."""
    pattern = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
    return {match[1] for statement in statements if (match := pattern.match(statement))}


def silently_written(statements: list[str]) -> set[str]:
    """The tables that a transaction writes without leaving an event and without a reason in SILENT."""
    tables = written(statements)
    return set() if "event" in tables or frozenset(tables) in SILENT else tables


@contextmanager
def transactions(database: models.Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The statements inside the block: from the beginning of each write transaction to that of the next."""
    parts: list[list[str]] = [[]]
    write = database.write

    def marked(*, recorder: bool = False) -> WriteTransaction:
        parts.append([])
        return write(recorder=recorder)

    def keep(sql: str) -> None:
        parts[-1].append(sql)

    database.statements.append(keep)
    with monkeypatch.context() as patch:
        patch.setattr(database, "write", marked)
        yield parts
    database.statements.remove(keep)


def test_every_mutation_has_an_example_and_every_example_a_mutation() -> None:
    assert sorted(EXAMPLES) == sorted(MUTATION.fields)


def test_every_reason_is_about_a_mutation_that_exists() -> None:
    assert set(LEAVES_NONE) <= set(MUTATION.fields)
    assert all(LEAVES_NONE.values())


def test_a_write_in_silence_is_found() -> None:
    assert silently_written(['UPDATE "contact" SET x = ?', "INSERT INTO event (seq) VALUES (?)"]) == set()
    assert silently_written(['SELECT 1 FROM "contact"', 'UPDATE "contact" SET x = ?']) == {"contact"}
    assert silently_written(["DELETE FROM session WHERE id = ?"]) == {"session"}
    assert silently_written(["INSERT INTO throttle (key) VALUES (?)"]) == set()


async def test_every_mutation_leaves_its_stub_in_its_own_transaction(
    client: Client, database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = set()
    for name, make in EXAMPLES.items():
        actor, sent = await make(client)
        with transactions(database, monkeypatch) as parts:
            payload = await actor.change(document(name), **({} if sent is None else {"input": sent}))
        events = payload["events"]
        if not events:
            silent.add(name)
        assert {event["requestId"] for event in events} <= {actor.response.headers["x-request-id"]}, name
        for event in await read_again(client, events):
            assert_readable(event, name)
        assert [tables for part in parts if (tables := silently_written(part))] == [], name
        assert any("event" in written(part) for part in parts) is bool(events), name
    assert silent == set(LEAVES_NONE)
    assert await drift(database) == []


async def read_again(client: Client, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events as an administrator sees them."""
    told = "sentence actor { name } subject { label }"
    text = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on HistoryEvent {{ {told} }} }} }}"
    found = (await client.run(text, ids=[event["id"] for event in events]))["nodes"]
    assert isinstance(found, list)
    return found


def assert_readable(event: dict[str, Any], name: str) -> None:
    sentence = event["sentence"]
    assert "(erased)" not in sentence, f"{name}: {sentence}"
    assert not re.search(r"\b[a-z]{3}_[0-9a-z]{26}\b", sentence), f"{name}: {sentence}"
    assert sentence[0].isupper(), f"{name}: {sentence}"
    assert sentence.endswith("."), f"{name}: {sentence}"
    assert event["actor"]["name"], name
    assert event["subject"]["label"], name
