"""What benchmarks measure beside the product does the same work: same answers, same statements, same history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

import models
from bench import seed
from bench.floor.app import floor
from bench.plain.app import plain
from bench.readers import AiosqliteReader, BlockingSqliteReader, PostgresReader
from bench.scenarios import document
from models.engine.postgres import numbered
from tests.client import Client, new_session, observed

pytestmark = pytest.mark.anyio


@pytest.fixture
async def token(database: models.Database) -> str:
    """The token of a session on a database seeded as for a benchmark, only smaller."""
    await seed.fill(4, lambda _: None)
    await seed.lengthen(120, lambda _: None)
    [user] = await database.fetch('SELECT id FROM "user" WHERE email_key = ?', seed.ADMINISTRATOR)
    return await new_session(user["id"])


@asynccontextmanager
async def talking_to(app: Starlette, token: str) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://bench.test", headers=headers) as client:
            yield client


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the plain drivers run from now on."""
    seen: list[str] = []
    for reader in (AiosqliteReader, BlockingSqliteReader, PostgresReader):

        async def fetch(self: Any, sql: str, *args: Any, original: Any = reader.fetch) -> Any:
            seen.append(sql)
            return await original(self, sql, *args)

        monkeypatch.setattr(reader, "fetch", fetch)
    return seen


async def page_after(client: Client) -> str:
    found = await client.run(document("CustomerList"), first=1)
    return str(found["customers"]["pageInfo"]["endCursor"])


@pytest.mark.parametrize("operation", ["list", "one", "first", "history", "history-view"])
async def test_reads_are_answered_alike_by_the_same_statements(
    operation: str, token: str, database: models.Database, database_url: str, statements: list[str]
) -> None:
    client = Client(token)
    [customer] = await database.fetch("SELECT id FROM customer ORDER BY id LIMIT 1")
    requests: dict[str, tuple[str, dict[str, Any]]] = {
        "list": ("CustomerList", {"first": 3, "after": await page_after(client)}),
        "one": ("CustomerList", {"first": 1, "after": await page_after(client)}),
        "first": ("CustomerList", {"first": 3, "after": None}),
        "history": ("AuditTrail", {"first": 20}),
        "history-view": ("HistoryView", {"id": customer["id"], "first": 5}),
    }
    name, variables = requests[operation]
    with observed(database) as ours:
        expected = await client.run(document(name), **variables)
    assert client.errors == []
    same = sorted(map(numbered, ours) if database.dialect == "postgres" else ours)
    async with talking_to(floor(database_url), token) as by_hand:
        answer = await by_hand.post(f"/{name}", json=variables)
        assert answer.json() == {"data": expected}
        assert sorted(statements) == same
    for cached in (False, True):
        statements.clear()
        async with talking_to(plain(database_url, cached=cached), token) as other:
            body = {"query": document(name), "operationName": name, "variables": variables}
            answer = await other.post("/graphql", json=body)
            assert answer.json() == {"data": expected}
            assert sorted(statements) == same


@pytest.mark.parametrize("place", [0, 1, 3])
async def test_a_profile_by_hand_is_the_same(
    place: int, token: str, database: models.Database, database_url: str, statements: list[str]
) -> None:
    customers = await database.fetch("SELECT id FROM customer ORDER BY name_key")
    variables = {"id": customers[place]["id"]}
    client = Client(token)
    with observed(database) as ours:
        expected = await client.run(document("Profile"), **variables)
    assert client.errors == []
    assert all(expected["customer"][tab]["edges"] for tab in ("contacts", "notes", "documents", "salesDocuments"))
    async with talking_to(floor(database_url), token) as by_hand:
        answer = await by_hand.post("/Profile", json=variables)
    assert answer.json() == {"data": expected}
    # On PostgreSQL a loader may be asked twice, because two tabs that name contacts do not come in at the same time.
    assert set(statements) == set(map(numbered, ours) if database.dialect == "postgres" else ours)


@pytest.mark.parametrize("searched", ["contact1.2@example.com", "ADA", "eva lind", "nobody"])
async def test_a_search_by_hand_is_the_same(
    searched: str, token: str, database: models.Database, database_url: str, statements: list[str]
) -> None:
    client = Client(token)
    variables = {"search": searched, "first": 2}
    with observed(database) as ours:
        expected = await client.run(document("ContactSearch"), **variables)
    assert client.errors == []
    async with talking_to(floor(database_url), token) as by_hand:
        answer = await by_hand.post("/ContactSearch", json=variables)
    assert answer.json() == {"data": expected}
    assert sorted(statements) == sorted(map(numbered, ours) if database.dialect == "postgres" else ours)


async def test_writes_by_hand_leave_a_history_that_can_be_verified(
    token: str, database: models.Database, database_url: str
) -> None:
    [customer] = await database.fetch("SELECT id FROM customer ORDER BY id LIMIT 1")
    [role] = await database.fetch("SELECT id FROM contact_role ORDER BY id LIMIT 1")
    given = {
        "customerId": customer["id"],
        "roleId": role["id"],
        "firstName": "Eva",
        "lastName": "Quist",
        "methods": [{"kind": "EMAIL", "value": "eva@example.com"}, {"kind": "PHONE", "value": "+1 415 555 0101"}],
    }
    async with talking_to(floor(database_url), token) as by_hand:
        created = (await by_hand.post("/CreateContact", json={"input": given})).json()["data"]["createContact"]
        contact_id = created["contact"]["id"]
        body = {"id": contact_id, "title": "Controller"}
        updated = (await by_hand.post("/UpdateContact", json=body)).json()["data"]["updateContact"]
    assert [payload["contact"]["revision"] for payload in (created, updated)] == [1, 2]
    found = await Client(token).run(
        "query ($id: ID!) { contact(id: $id) { title history { totalCount } } }", id=contact_id
    )
    assert found["contact"] == {"title": "Controller", "history": {"totalCount": 2}}
    # The fixture verifies the rest: leaves, disclosures, and fold(history) = live tables.
