"""The live history as clients follow it: what each may see, from which cursor, and when it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

import models
from audit import SYSTEM, Request, transact
from audit.history import HISTORY as HISTORY_LIST
from models import Permission, clock, session
from models.listing import request_page
from services import present, user_roles, users
from services.viewer import find_grantee, find_grantees
from tests.client import Client, ClientWith, observed
from tests.counterfoil.door.socket import Closed, Socket, connected

pytestmark = pytest.mark.anyio

EVENT = "cursor event { seq action sentence customerLabel changes { field after withheld } subject { label } }"
FEED = (
    "subscription ($after: String, $filter: HistoryFilter) { historyFeed(after: $after, filter: $filter) "
    f"{{ {EVENT} }} }}"
)
UPDATE = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { errors { code } } }"
HISTORY = """query ($filter: HistoryFilter, $after: String) {
  history(first: 100, filter: $filter, after: $after) { edges { cursor node { seq action } } } }"""


class Feed:
    """A feed over a socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        """What it delivers next."""
        answer = await self.socket.receive()
        assert answer["type"] == "next", answer
        assert "errors" not in answer["payload"]
        delivered: dict[str, Any] = answer["payload"]["data"]["historyFeed"]
        return delivered

    async def event(self) -> dict[str, Any]:
        """The next event."""
        event: dict[str, Any] = (await self.next())["event"]
        return event


@asynccontextmanager
async def feed(client: Client, **variables: Any) -> AsyncIterator[Feed]:
    """What `client` follows. It has begun: it follows from the time that `filter.from`, or the cursor, says."""
    async with connected() as socket:
        assert client.token is not None
        assert (await socket.init(client.token))["type"] == "connection_ack"
        await socket.subscribe("feed", FEED, variables=variables)
        yield Feed(socket)


def since() -> dict[str, Any]:
    """A filter: from now on."""
    return {"from": clock.now().isoformat()}


async def customer(client: Client, name: str) -> str:
    create = (
        "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } errors { code } } }"
    )
    made = await client.change(create, input={"name": name})
    identifier: str = made["customer"]["id"]
    return identifier


async def test_the_cursors_are_those_of_history(client: Client) -> None:
    for number in range(3):
        await customer(client, f"Customer {number}")
    wanted = {"actions": ["CUSTOMER_CREATED"]}
    newest, middle, oldest = (await client.run(HISTORY, filter=wanted))["history"]["edges"]
    async with feed(client, after=oldest["cursor"], filter=wanted) as following:
        delivered = [await following.next() for _ in range(2)]
    assert [(told["cursor"], told["event"]["seq"]) for told in delivered] == [
        (edge["cursor"], edge["node"]["seq"]) for edge in (middle, newest)
    ]
    after = (await client.run(HISTORY, filter=wanted, after=delivered[0]["cursor"]))["history"]["edges"]
    assert [edge["cursor"] for edge in after] == [oldest["cursor"]]
    # As after the restore of a backup.
    beyond = request_page(HISTORY_LIST).cursor_of({"seq": newest["node"]["seq"] + 100})
    async with connected() as socket:
        await socket.init(client.token)
        for variables in (
            {"after": oldest["cursor"]},
            {"after": "", "filter": wanted},
            {"after": "x", "filter": {}},
            {"after": beyond},
        ):
            refused = await socket.run("a", FEED, variables=variables)
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_CURSOR")
        refused = await socket.run("a", FEED, variables={"after": beyond})
        assert "newest event" in refused["payload"][0]["message"]
        # The newest one itself is not beyond.
        at_the_end = request_page(HISTORY_LIST).cursor_of({"seq": newest["node"]["seq"]})
        await socket.subscribe("a", FEED, variables={"after": at_the_end})
        await customer(client, "Further")
        assert (await socket.receive())["type"] == "next"


async def test_who_reads_the_history_of_one_can_go_on_from_there(client: Client, client_with: ClientWith) -> None:
    clerk = await client_with([Permission.HISTORY_READ, Permission.CUSTOMERS_READ])
    identifier = await customer(client, "Lakeside")
    made = await client.change("CreateContact", input={"customerId": identifier, "firstName": "Carl", "lastName": "B"})
    contact = made["contact"]["id"]
    rename = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { errors { code } } }"
    for kind, name, whose, change, renamed in (
        ("customer", "customerId", identifier, UPDATE, "name"),
        ("contact", "subjectId", contact, rename, "title"),
    ):
        query = f"""query ($id: ID!, $filter: HistoryFilter) {{
          of: {kind}(id: $id) {{ history(first: 1, filter: $filter) {{ edges {{ cursor node {{ seq }} }} }} }} }}"""
        filters: tuple[dict[str, Any], ...] = ({}, {"actorKinds": ["USER"]}, {name: whose})
        for number, further in enumerate(filters):
            listed = await clerk.run(query, id=whose, filter=further)
            [newest] = listed["of"]["history"]["edges"]
            async with feed(clerk, after=newest["cursor"], filter={name: whose, **further}) as following:
                await client.change(change, input={"id": whose, renamed: f"Another {number}"})
                listed = await clerk.run(query, id=whose, filter=further)
                assert (await following.event())["seq"] == listed["of"]["history"]["edges"][0]["node"]["seq"]
            refused = {name: whose, "actions": ["CUSTOMER_CREATED"]}
            async with feed(clerk, after=newest["cursor"], filter=refused) as following:
                answer = await following.socket.receive()
                assert answer["payload"][0]["extensions"]["code"] == "BAD_CURSOR"


async def test_what_an_event_says_is_read_for_each_event_anew(client: Client) -> None:
    async with feed(client, filter=since()) as following:
        identifier = await customer(client, "Before")
        first = await following.event()
        assert first["sentence"] == "Ada Admin added customer Before."
        await client.change(UPDATE, input={"id": identifier, "name": "After"})
        second = await following.event()
        assert [change["after"] for change in second["changes"] if change["field"] == "name"] == ["After"]
        assert (first["customerLabel"], second["customerLabel"]) == ("Before", "After")


async def test_one_customers_view_can_be_followed_without_reading_everything(
    client: Client, client_with: ClientWith
) -> None:
    clerk = await client_with([Permission.HISTORY_READ, Permission.CUSTOMERS_READ])
    identifier = await customer(client, "Lakeside")
    async with feed(clerk, filter={"customerId": identifier, **since()}) as following:
        await customer(client, "Another")
        await client.change("CreateNote", customerId=identifier, body="A secret of theirs")
        await client.change(UPDATE, input={"id": identifier, "name": "Lakeside Bakery"})
        note, update = await following.event(), await following.event()
    assert note["action"] == "NOTE_CREATED"
    # As in history, values that they may not see are withheld.
    assert {change["withheld"] for change in note["changes"]} == {"PERMISSION"}
    assert "secret" not in str(note)
    assert [change["after"] for change in update["changes"]] == ["Lakeside Bakery"]


@pytest.mark.parametrize(
    ("permissions", "wanted"),
    [
        ([], {}),
        ([Permission.CUSTOMERS_READ], {"customerId": "cus_00000000000000000000000000"}),
        ([Permission.HISTORY_READ], {"customerId": "cus_00000000000000000000000000"}),
        ([Permission.HISTORY_READ, Permission.CUSTOMERS_READ], {}),
        ([Permission.HISTORY_READ, Permission.CUSTOMERS_READ], {"subjectId": "usr_00000000000000000000000000"}),
    ],
)
async def test_without_permission_nothing_can_be_followed(
    client: Client, client_with: ClientWith, permissions: list[Permission], wanted: dict[str, str]
) -> None:
    somebody = await client_with(permissions)
    async with connected() as socket:
        await socket.init(somebody.token)
        refused = await socket.run("a", FEED, variables={"filter": wanted})
        assert refused["type"] == "error"
        assert [error["extensions"]["code"] for error in refused["payload"]] == ["FORBIDDEN"]
    [newest, *_] = (await client.run(HISTORY))["history"]["edges"]
    assert newest["node"]["action"] == "USER_PERMISSION_REFUSED"


async def revoke_permission(somebody: Client, *left: Permission) -> None:
    """Take their role's permissions away, but for some."""
    assert somebody.user is not None
    role_id = somebody.user["role_id"]
    change = {"permissions": list(left) or [Permission.NOTES_READ]}
    await transact(SYSTEM, Request.new(), lambda opened: user_roles.update(opened, role_id, None, change))


async def disable(somebody: Client) -> None:
    """Disable the user."""
    assert somebody.user is not None
    user_id = somebody.user["id"]
    await transact(SYSTEM, Request.new(), lambda opened: users.update(opened, user_id, None, {"active": False}, None))


async def sign_out(somebody: Client) -> None:
    """Let them sign out."""
    await somebody.change("mutation { signOut { errors { code } } }")


@pytest.mark.parametrize("end", [disable, sign_out])
async def test_no_event_after_a_session_has_ended_is_delivered(
    client: Client, client_with: ClientWith, end: Callable[[Client], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The events of access tell, not the time.
    monkeypatch.setattr(present, "LOOK_EVERY", 3600.0)
    auditor = await client_with([Permission.AUDIT_READ])
    async with feed(auditor, filter=since()) as following:
        await customer(client, "Before")
        assert (await following.event())["action"] == "CUSTOMER_CREATED"
        await end(auditor)
        await customer(client, "After")
        with pytest.raises(Closed) as raised:
            await following.event()
    assert raised.value.code == 4401


async def test_no_event_after_a_permission_was_taken_away_is_delivered(
    client: Client, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "LOOK_EVERY", 3600.0)
    auditor = await client_with([Permission.AUDIT_READ])
    async with feed(auditor, filter=since()) as following:
        await customer(client, "Before")
        await following.event()
        await revoke_permission(auditor)
        await customer(client, "After")
        last = await following.socket.receive()
        assert (last["type"], last["id"]) == ("error", "feed")
        assert [error["extensions"]["code"] for error in last["payload"]] == ["FORBIDDEN"]
        # That was its end: the id is free again, and nothing more comes with it.
        assert (await following.socket.run("feed", "{ __typename }"))["type"] == "next"


async def test_what_a_fields_permission_opened_is_not_delivered_when_that_was_taken_away(
    client: Client, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "LOOK_EVERY", 3600.0)
    auditor = await client_with([Permission.AUDIT_READ, Permission.CUSTOMERS_READ])
    query = "subscription ($filter: HistoryFilter) { historyFeed(filter: $filter) { event { customer { name } } } }"
    async with connected() as socket:
        await socket.init(auditor.token)
        await socket.subscribe("feed", query, variables={"filter": since()})
        identifier = await customer(client, "Before")
        assert "Before" in str(await socket.receive())
        await revoke_permission(auditor, Permission.AUDIT_READ)
        await client.change(UPDATE, input={"id": identifier, "name": "After"})
        ended = await socket.receive()
        anew = await socket.run("again", query, variables={"filter": since()})
    assert ended["type"] == anew["type"] == "error"
    # In the same words as to those who had no permission from the beginning.
    assert ended["payload"][0]["extensions"] == anew["payload"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert ended["payload"][0]["message"] == anew["payload"][0]["message"]
    assert "needs the permission CUSTOMERS_READ" in ended["payload"][0]["message"]


async def test_a_quiet_feed_ends_soon_after_its_session(
    client: Client, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "LOOK_EVERY", 0.1)
    monkeypatch.setattr("resolvers.feed.LOOK_EVERY", 0.1)
    auditor = await client_with([Permission.AUDIT_READ])
    async with feed(auditor, filter=since()) as following:
        await customer(client, "Begun")
        await following.event()
        # No event tells that a session has not been used for half an hour; following is no use of it.
        long_ago = clock.now() - timedelta(minutes=31)
        async with models.current().write() as transaction:
            await transaction.fetch(
                "UPDATE session SET last_used_at = ? WHERE user_id = ?", long_ago, (auditor.user or {})["id"]
            )
        assert (await following.socket.closed()).code == 4401


async def test_the_feed_of_an_api_key_ends_when_it_is_revoked(client: Client) -> None:
    made = await client.change(
        "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token apiKey { id } errors { code } } }",
        input={
            "name": "Sync",
            "permissions": ["AUDIT_READ"],
            "expiresAt": (clock.now() + timedelta(days=1)).isoformat(),
        },
    )
    async with feed(Client(made["token"]), filter=since()) as following:
        await customer(client, "Before")
        while (await following.event())["action"] != "CUSTOMER_CREATED":
            pass
        revoke = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"
        await client.change(revoke, id=made["apiKey"]["id"])
        assert (await following.socket.closed()).code == 4401


async def test_many_feeds_ask_for_their_sessions_and_for_new_events_together(
    client: Client, database: models.Database
) -> None:
    query = "subscription ($filter: HistoryFilter) { historyFeed(filter: $filter) { event { seq } } }"
    async with connected() as socket:
        await socket.init(client.token)
        wanted = {"filter": since()}
        for number in range(20):
            await socket.subscribe(str(number), query, variables=wanted)
        await customer(client, "First")
        for _ in range(20):
            await socket.receive()
        with observed(database) as seen:
            await customer(client, "Second")
            for _ in range(20):
                await socket.receive()
        new_events = [sql for sql in seen if "t.seq > ?" in sql]
        sessions = [sql for sql in seen if "FROM session" in sql and "token_hash" not in sql.partition("WHERE")[2]]
        # A process tells itself, and PostgreSQL tells it once more; each time it looks until nothing is left.
        assert 1 <= len(new_events) <= 4
        assert len(sessions) <= 2


async def test_somebodys_sessions_and_keys_are_found_together_as_they_are_alone(
    client: Client, client_with: ClientWith
) -> None:
    await client_with([Permission.AUDIT_READ])
    sessions = await models.current().fetch("SELECT id FROM session")
    ids = [*(row["id"] for row in sessions), "ses_unknown", "key_00000000000000000000000000"]
    found = await find_grantees(ids)
    assert {identifier: found.get(identifier) for identifier in ids} == {
        identifier: await find_grantee(identifier) for identifier in ids
    }
    assert len(found) == len(sessions) >= 2
    assert await session.by_ids([]) == {}
