"""Nothing changes without leaving its stub: every mutation of the schema, called once with success.

A new mutation needs an example here. One that rightly leaves no event stands in LEAVES_NONE with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import models
from audit.drift import drift
from models.engine import WriteTransaction
from tests import factories
from tests.client import PASSWORD, Client, client_with, new_session, set_password
from tests.schema.documents import MUTATION, leaves, object_type

pytestmark = pytest.mark.anyio

Sent = dict[str, Any]
# Somebody who may call the mutation, and its input; None for one that has none.
Example = Callable[[Client], Awaitable[tuple[Client, Sent | None]]]

LEAVES_NONE: dict[str, str] = {}

# Transactions that write and leave no event, by the only tables that they write.
SILENT = {
    frozenset({"throttle"}): "an attempt is counted before it is known whether it fails",
}

EXAMPLES: dict[str, Example] = {}


def example(make: Example) -> Example:
    """Register the example of the mutation that the function is named after."""
    words = make.__name__.split("_")
    EXAMPLES[words[0] + "".join(word.capitalize() for word in words[1:])] = make
    return make


async def with_password() -> Client:
    somebody = await client_with()
    assert somebody.user is not None
    await set_password(somebody.user["id"])
    return Client(await new_session(somebody.user["id"]), somebody.user)


@example
async def sign_in(admin: Client) -> tuple[Client, Sent | None]:
    somebody = await with_password()
    assert somebody.user is not None
    return Client(), {"email": somebody.user["email"], "password": PASSWORD}


@example
async def sign_out(admin: Client) -> tuple[Client, Sent | None]:
    return await client_with(), None


@example
async def change_password(admin: Client) -> tuple[Client, Sent | None]:
    return await with_password(), {"currentPassword": PASSWORD, "password": "seven purple wheelbarrows sing"}


@example
async def create_api_key(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Nightly export", "permissions": ["CUSTOMERS_READ"]}


@example
async def revoke_api_key(admin: Client) -> tuple[Client, Sent | None]:
    key, _ = await factories.machine(admin, models.Permission.CUSTOMERS_READ)
    return admin, {"id": key["id"]}


@example
async def create_customer(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Lakeside Bakery", "email": "office@lakeside.example.com"}


@example
async def update_customer(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.customer(admin))["id"], "website": "https://lakeside.example.com"}


@example
async def convert_to_contact(admin: Client) -> tuple[Client, Sent | None]:
    customer = await factories.customer(admin, email="eva@lakeside.example.com")
    return admin, {"customerId": customer["id"], "methodIds": [customer["methods"][0]["id"]], "firstName": "Eva"}


@example
async def create_location(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"customerId": (await factories.customer(admin))["id"], "name": "Warehouse"}


@example
async def update_location(admin: Client) -> tuple[Client, Sent | None]:
    customer = await factories.customer(admin)
    return admin, {"id": (await factories.location(admin, customer["id"]))["id"], "name": "Warehouse 2"}


@example
async def delete_location(admin: Client) -> tuple[Client, Sent | None]:
    customer = await factories.customer(admin)
    return admin, {"id": (await factories.location(admin, customer["id"]))["id"]}


@example
async def create_contact(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"customerId": (await factories.customer(admin))["id"], "firstName": "Eva"}


@example
async def update_contact(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin)
    role = await factories.contact_role(admin)
    return admin, {"id": contact["id"], "title": "CFO", "roleId": role["id"]}


@example
async def delete_contact(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin)
    successor = await factories.contact(admin, contact["customer"]["id"])
    await factories.note(admin, contact["id"])
    return admin, {"id": contact["id"], "successorId": successor["id"]}


@example
async def set_contact_roles(admin: Client) -> tuple[Client, Sent | None]:
    role = await factories.contact_role(admin)
    contacts = [{"id": (await factories.contact(admin))["id"]} for _ in range(2)]
    return admin, {"contacts": contacts, "roleId": role["id"]}


@example
async def create_contact_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Dunning", "communication": True}


@example
async def update_contact_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.contact_role(admin))["id"], "invoicePresentment": True}


@example
async def delete_contact_role(admin: Client) -> tuple[Client, Sent | None]:
    role, other = await factories.contact_role(admin), await factories.contact_role(admin)
    await factories.contact(admin, roleId=role["id"])
    return admin, {"id": role["id"], "replacementId": other["id"]}


@example
async def create_note(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"subjectId": (await factories.customer(admin))["id"], "body": "Will pay on Monday."}


@example
async def update_note(admin: Client) -> tuple[Client, Sent | None]:
    note = await factories.note(admin, (await factories.contact(admin))["id"])
    return admin, {"id": note["id"], "body": "Has paid.", "pinned": True}


@example
async def delete_note(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.note(admin, (await factories.customer(admin))["id"]))["id"]}


@example
async def create_user(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Nora New", "email": "nora@example.com"}


@example
async def update_user(admin: Client) -> tuple[Client, Sent | None]:
    role = await factories.user_role(admin, models.Permission.NOTES_READ)
    return admin, {"id": (await factories.user(admin))["id"], "roleId": role["id"], "active": False}


@example
async def end_sessions(admin: Client) -> tuple[Client, Sent | None]:
    somebody = await client_with()
    assert somebody.user is not None
    return admin, {"userId": somebody.user["id"]}


@example
async def create_user_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Reader", "permissions": ["CUSTOMERS_READ", "NOTES_READ"]}


@example
async def update_user_role(admin: Client) -> tuple[Client, Sent | None]:
    role = await factories.user_role(admin, models.Permission.NOTES_READ)
    return admin, {"id": role["id"], "permissions": ["NOTES_READ", "NOTES_WRITE"]}


@example
async def delete_user_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.user_role(admin, models.Permission.NOTES_READ))["id"]}


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
