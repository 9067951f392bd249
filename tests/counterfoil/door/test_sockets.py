"""graphql-transport-ws to the letter: each message, each close code."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st

from audit.tail import tail
from counterfoil.app import create_app
from counterfoil.door import socket as door
from counterfoil.door.pace import Pace
from counterfoil.settings import read_settings
from models import Permission
from tests.client import Client, ClientWith
from tests.counterfoil.door.fuzzing import assert_none_added, drawn, left_behind, many
from tests.counterfoil.door.socket import PROTOCOL, Closed, Socket, connected
from tests.resolvers.test_feed import revoke_permission

pytestmark = pytest.mark.anyio
# What a protocol says does not depend on the database.
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])

FEED = "subscription { historyFeed { cursor event { seq } } }"
ACK = {"type": "connection_ack"}
TYPENAME = {"data": {"__typename": "Query"}}


async def init(socket: Socket, client: Client) -> None:
    assert await socket.init(client.token) == ACK


@on_sqlite
async def test_a_connection_is_acknowledged_to_whoever_is_known(client: Client) -> None:
    async with connected() as socket:
        assert await socket.init(client.token) == ACK
        assert socket.subprotocol == PROTOCOL
    async with connected(authorization=f"Bearer {client.token}") as socket:
        assert await socket.init() == ACK
    for token in (None, "ses_nobodys"):
        async with connected() as socket:
            with pytest.raises(Closed) as raised:
                await socket.init(token)
            assert (raised.value.code, raised.value.reason) == (4403, "Forbidden")


@on_sqlite
@pytest.mark.parametrize("token", ["Bearer \u2603", "Bearer a\r\nb", "\u00e9", " "])
async def test_what_no_header_could_carry_is_no_token(client: Client, token: str) -> None:
    for payload in ({"Authorization": token}, {"AUTHORIZATION": token, "x": {}}):
        async with connected(authorization=f"Bearer {client.token}") as socket:
            await socket.send({"type": "connection_init", "payload": payload})
            assert vars(await socket.closed()) == {"code": 4403, "reason": "Forbidden"}


@on_sqlite
@pytest.mark.parametrize("error", [OSError(), RuntimeError("Unexpected ASGI message")], ids=["gone", "closing"])
async def test_a_client_that_is_gone_cannot_be_told_why(client: Client, error: Exception) -> None:
    # The server's task raises nothing: `connected` waits for it.
    async with connected() as socket:
        socket.breaks["websocket.close"] = error
        await socket.send("rubbish")


@on_sqlite
async def test_pings_are_answered_and_pongs_are_not(client: Client) -> None:
    async with connected() as socket:
        # Also before the connection is initialised.
        await socket.send({"type": "ping", "payload": {"a": 1}})
        assert await socket.receive() == {"type": "pong"}
        await init(socket, client)
        await socket.send({"type": "pong"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


@on_sqlite
async def test_queries_and_mutations_answer_once_and_complete(client: Client) -> None:
    async with connected() as socket:
        await init(socket, client)
        for _ in range(2):
            # The id is free again with the last message.
            assert await socket.run("a", "{ __typename }") == {"id": "a", "type": "next", "payload": TYPENAME}
            assert await socket.receive() == {"id": "a", "type": "complete"}
        query = "mutation ($n: String!) { createCustomer(input: {name: $n}) { customer { name } } } query b { viewer }"
        named = {"variables": {"n": "Lakeside"}, "operationName": None, "extensions": {"further": 1}}
        answer = await socket.run("b", query.partition(" query")[0], **named)
        assert answer["payload"] == {"data": {"createCustomer": {"customer": {"name": "Lakeside"}}}}


@on_sqlite
async def test_a_mutation_says_why_in_its_extensions(client: Client) -> None:
    create = 'mutation { createCustomer(input: {name: "Lakeside"}) { events { reason } } }'
    async with connected() as socket:
        await init(socket, client)
        answer = await socket.run("a", create, extensions={"Counterfoil-Reason": "Ticket 4711: spätere Zustellung"})
        told = answer["payload"]["data"]["createCustomer"]["events"][0]["reason"]
        assert told == "Ticket 4711: spätere Zustellung"
        assert (await socket.receive())["type"] == "complete"
        bad: tuple[Any, ...] = ("", "x" * 501, "two\nlines", 1, ["a"])
        for reason in bad:
            refused = await socket.run("a", create, extensions={"Counterfoil-Reason": reason})
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_REQUEST"), reason
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 1


@on_sqlite
async def test_errors_before_the_execution_leave_the_socket_open(client: Client, client_with: ClientWith) -> None:
    auditor = await client_with([Permission.AUDIT_READ])
    async with connected() as socket:
        await init(socket, auditor)
        for query, code in (
            ("{", "BAD_REQUEST"),
            ("", "BAD_REQUEST"),
            ("{ nothing }", "BAD_REQUEST"),
            ("query a { __typename } query b { __typename }", "BAD_REQUEST"),
            ("query ($a: Int!) { __typename @skip(if: $a) }", "BAD_REQUEST"),
            ("{ customers { totalCount } }", "FORBIDDEN"),
            ('subscription { historyFeed(after: "rubbish") { cursor } }', "BAD_CURSOR"),
            ("subscription { historyFeed { cursor } again: historyFeed { cursor } }", "BAD_REQUEST"),
            (f"{{{' '.join(f'a{i}: __typename' for i in range(20))}}}", "ALIAS_LIMIT"),
        ):
            answer = await socket.run("a", query)
            assert (answer["type"], answer["id"], sorted(answer)) == ("error", "a", ["id", "payload", "type"]), query
            assert [error["extensions"]["code"] for error in answer["payload"]] == [code], query
        assert (await socket.run("a", "{ __typename }"))["type"] == "next"


@on_sqlite
async def test_a_bug_is_masked_and_leaves_the_socket_open(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("a secret")

    async with connected() as socket:
        await init(socket, client)
        with monkeypatch.context() as patch:
            patch.setattr("resolvers.feed.beginning", broken)
            answer = await socket.run("a", FEED)
            assert answer["type"] == "error"
            [error] = answer["payload"]
            assert error["extensions"]["code"] == "INTERNAL_ERROR"
            assert error["extensions"]["requestId"].startswith("req_")
        with monkeypatch.context() as patch:
            patch.setattr(door, "Context", None)
            assert (await socket.run("a", FEED))["payload"][0]["extensions"]["code"] == "INTERNAL_ERROR"
        assert (await socket.run("a", "{ __typename }"))["type"] == "next"


@on_sqlite
@pytest.mark.parametrize(
    "message",
    [
        *("", "rubbish", "[]", "1", '"text"', "null", '{"type": "\\u0000"}', '{"type": "ping"', "[" * 100_000, b"{}"),
        *({}, {"type": 1}, {"type": "unknown"}, {"type": "ping", "payload": []}, {"type": "next", "id": "a"}),
        *({"type": "subscribe"}, {"type": "subscribe", "id": "a"}, {"type": "subscribe", "id": 1, "payload": {}}),
        {"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "a" * 129, "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "a", "payload": {"query": None}},
        {"type": "subscribe", "id": "a", "payload": {"query": "{ __typename }", "variables": []}},
        {"type": "subscribe", "id": "a", "payload": {"query": "{ __typename }", "operationName": 1}},
        *({"type": "complete"}, {"type": "complete", "id": 1}),
    ],
    ids=str,
)
async def test_what_is_no_message_closes_the_socket_with_4400(client: Client, message: Any) -> None:
    async with connected() as socket:
        await init(socket, client)
        await socket.send(message)
        closed = await socket.closed()
        assert closed.code == 4400
        assert 0 < len(closed.reason.encode()) <= 123


@on_sqlite
async def test_every_order_of_messages_has_its_close_code(client: Client) -> None:
    async with connected() as socket:
        await socket.subscribe("a", "{ __typename }")
        assert vars(await socket.closed()) == {"code": 4401, "reason": "Unauthorized"}
    async with connected() as socket:
        await init(socket, client)
        await socket.send({"type": "connection_init"})
        assert vars(await socket.closed()) == {"code": 4429, "reason": "Too many initialisation requests"}
    async with connected() as socket:
        # The second one does not wait for the answer to the first.
        for _ in range(2):
            message = {"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}}
            await socket.send(message)
        assert (await socket.closed()).code == 4429
    async with connected() as socket:
        await init(socket, client)
        await socket.subscribe("é" * 100, FEED)
        await socket.subscribe("é" * 100, "{ __typename }")
        closed = await socket.closed()
        assert closed.code == 4409
        assert closed.reason.startswith("Subscriber for ééé")


@on_sqlite
async def test_a_connection_that_is_not_initialised_in_time_is_closed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "INIT_SECONDS", 0.05)
    async with connected() as socket:
        # Nothing else counts as an initialisation.
        await socket.send({"type": "ping"})
        assert vars(await socket.closed()) == {"code": 4408, "reason": "Connection initialisation timeout"}
    assert client.token is not None


@on_sqlite
async def test_a_closed_socket_is_gone_without_the_garbage_collector(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "INIT_SECONDS", 0.05)
    opened: list[weakref.ref[Any]] = []
    received = door.Connection._received

    async def seen(self: door.Connection, init_until: float) -> Any:
        opened.append(weakref.ref(self))
        return await received(self, init_until)

    monkeypatch.setattr(door.Connection, "_received", seen)
    gc.disable()
    try:
        for message, code in ((None, 4408), ("rubbish", 4400), ({"type": "connection_init"}, 4403)):
            async with connected() as socket:
                if message is not None:
                    await socket.send(message)
                assert (await socket.closed()).code == code
        async with connected() as socket:
            await init(socket, client)
        assert len(opened) >= 4
        assert [each for each in opened if each() is not None] == []
    finally:
        gc.enable()


@on_sqlite
@pytest.mark.parametrize("offered", [["graphql-ws"], ["graphql-sse", "something"], [""]])
async def test_other_subprotocols_are_not_acceptable(client: Client, offered: list[str]) -> None:
    async with connected(*offered) as socket:
        assert vars(await socket.closed()) == {"code": 4406, "reason": "Subprotocol not acceptable"}
        assert socket.subprotocol == ""
    async with connected(*offered, PROTOCOL) as socket:
        await init(socket, client)


@on_sqlite
async def test_null_characters_end_an_operation_and_not_its_socket(client: Client) -> None:
    async with connected() as socket:
        await init(socket, client)
        await socket.send({"type": "ping", "payload": {"a\0": "\0"}})
        assert await socket.receive() == {"type": "pong"}
        for identifier, payload in (
            ("a", {"query": "{ __typename }", "variables": {"a": ["\0"]}}),
            ("b\0", {"query": "{ __typename }"}),
            ("c", {"query": "{ __typename } # \0"}),
        ):
            answer = await socket.run(identifier, **payload)
            assert (answer["id"], answer["type"]) == (identifier, "error")
            assert [error["extensions"]["code"] for error in answer["payload"]] == ["BAD_REQUEST"]
        assert (await socket.run("a", "{ __typename }", variables={"a": "\\u0000"}))["type"] == "next"


@on_sqlite
async def test_only_pages_of_this_host_and_of_allowed_origins_open_sockets(client: Client) -> None:
    app = create_app(read_settings(cors_origins=("https://desk.example.com",)))
    for origin, host in (
        ("https://desk.example.com", "api.example.com"),
        ("https://api.example.com", "api.example.com"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://api.example.com", "api.example.com:443"),
    ):
        async with connected(app=app, host=host, origin=origin) as socket:
            await init(socket, client)
    for origin, host in (
        ("https://evil.example.com", "api.example.com"),
        ("https://desk.example.com.evil.example.com", "api.example.com"),
        ("https://api.example.com:8443", "api.example.com"),
        ("http://desk.example.com", "api.example.com"),
        ("null", "api.example.com"),
        ("", "api.example.com"),
        ("file://", ""),
        ("https://[", "["),
    ):
        async with connected(app=app, host=host, origin=origin) as socket:
            assert (await socket.closed()).code is None, origin


@on_sqlite
async def test_a_client_has_so_many_sockets_and_no_more(client: Client) -> None:
    app = create_app(read_settings(max_sockets=2))
    async with connected(app=app) as first, connected(app=app) as second:
        await init(first, client)
        await init(second, client)
        async with connected(app=app) as third:
            assert (await third.closed()).code == 4472
    async with connected(app=app) as socket:
        await init(socket, client)


@on_sqlite
async def test_a_socket_runs_so_many_operations_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_OPERATIONS", 2)
    async with connected() as socket:
        await init(socket, client)
        await socket.subscribe("a", FEED)
        await socket.subscribe("b", FEED)
        refused = await socket.run("c", "{ __typename }")
        assert (refused["id"], refused["type"]) == ("c", "error")
        assert refused["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await socket.send({"id": "a", "type": "complete"})
        await socket.send({"id": "unknown", "type": "complete"})
        assert (await socket.run("c", "{ __typename }"))["type"] == "next"


@on_sqlite
async def test_after_a_refusal_a_socket_waits_before_it_runs_anything(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Far longer than the test: whatever comes meanwhile does not wait.
    monkeypatch.setattr(Pace, "owed", lambda *_: 3600.0)
    for end in ("client", "stop"):
        async with connected() as socket:
            await init(socket, client)
            await socket.subscribe("feed", FEED)
            await _following(1)
            assert (await socket.run("a", "{ nothing }"))["type"] == "error"
            for number in range(30):
                await socket.subscribe(f"b{number}", "{ nothing }")
                # Nor does it help to give up.
                await socket.send({"type": "complete", "id": f"b{number}"})
            await socket.subscribe("c", "{ __typename }")
            await socket.send({"type": "ping"})
            assert await socket.receive() == {"type": "pong"}
            await client.change("CreateCustomer", input={"name": "Meanwhile"})
            assert (await socket.receive())["id"] == "feed"
            if end == "stop":
                await socket.to_server.put({"type": "websocket.disconnect", "code": 1012})
                assert (await socket.closed()).code == 1012
        await _following(0)


@on_sqlite
async def test_an_operation_that_waits_for_its_turn_runs(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "owed", lambda *_: 0.2)
    loop = asyncio.get_running_loop()
    async with connected() as socket:
        await init(socket, client)
        await socket.run("a", "{ nothing }")
        refused = loop.time()
        assert (await socket.run("a", "{ __typename }"))["payload"] == TYPENAME
        assert loop.time() - refused >= 0.15


@on_sqlite
async def test_every_refusal_of_a_socket_takes_turns_and_the_end_of_a_feed_none(
    client: Client, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[tuple[str | None, int]] = []

    def owed(_: Pace, address: str | None, read: int) -> float:
        turns.append((address, read))
        return 0.0

    monkeypatch.setattr(Pace, "owed", owed)
    monkeypatch.setattr(door, "MAX_OPERATIONS", 1)
    auditor = await client_with([Permission.AUDIT_READ])
    async with connected() as socket:
        await init(socket, auditor)
        text = "{ __typename }"
        for query, payload in (
            ("{ nothing }", {}),
            (text, {"variables": {"a": "\0"}}),
            (text, {"extensions": {"Counterfoil-Reason": ""}}),
        ):
            turns.clear()
            assert (await socket.run("a", query, **payload))["type"] == "error"
            assert turns == [("192.0.2.7", len(query))], query
        assert (await socket.run("a", text))["type"] == "next"
        assert (await socket.receive())["type"] == "complete"
        await socket.subscribe("feed", FEED)
        await _following(1)
        assert len(turns) == 1
        assert (await socket.run("b", text))["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert len(turns) == 2
        await revoke_permission(auditor)
        while (ended := await socket.receive())["type"] != "error":
            pass
        assert ended["payload"][0]["extensions"]["code"] == "FORBIDDEN"
    assert len(turns) == 2


@on_sqlite
async def test_nothing_is_left_of_an_operation_that_the_client_completes(client: Client) -> None:
    async with connected() as socket:
        await init(socket, client)
        await socket.subscribe("a", FEED)
        await socket.subscribe("b", FEED)
        await _following(2)
        await client.change("CreateCustomer", input={"name": "On its way"})
        assert {(await socket.receive())["id"] for _ in range(2)} == {"a", "b"}
        # The id is free at once, and nothing late comes under it.
        await socket.send({"id": "a", "type": "complete"})
        await socket.subscribe("a", "{ __typename }")
        await client.change("CreateCustomer", input={"name": "Late"})
        seen = [await socket.receive() for _ in range(3)]
        assert [message for message in seen if message["id"] == "a"] == [
            {"id": "a", "type": "next", "payload": TYPENAME},
            {"id": "a", "type": "complete"},
        ]
        await _following(1)
    await _following(0)


async def _following(many: int) -> None:
    async with asyncio.timeout(60):
        while True:
            if tail().followers == many:
                return
            await asyncio.sleep(0.01)


@on_sqlite
async def test_a_socket_without_operations_is_closed_in_the_end(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "IDLE_SECONDS", 0.1)
    async with connected() as socket:
        await init(socket, client)
        assert (await socket.closed()).code == 4471
    async with connected() as socket:
        await init(socket, client)
        await socket.subscribe("a", FEED)
        await asyncio.sleep(0.3)
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


@on_sqlite
async def test_who_does_not_read_is_disconnected_and_can_go_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SLOW_SECONDS", 0.1)
    async with connected() as socket:
        await init(socket, client)
        await socket.subscribe("a", FEED)
        await _following(1)
        await client.change("CreateCustomer", input={"name": "First"})
        first = (await socket.receive())["payload"]["data"]["historyFeed"]
        socket.reads.clear()
        for number in range(5):
            await client.change("CreateCustomer", input={"name": f"Further {number}"})
        await _following(0)
        socket.reads.set()
        closed = await socket.closed()
        assert closed.code == 4470
        assert "cursor" in closed.reason
    async with connected() as socket:
        await init(socket, client)
        query = "subscription ($after: String) { historyFeed(after: $after) { event { seq } } }"
        await socket.subscribe("a", query, variables={"after": first["cursor"]})
        seqs = [(await socket.receive())["payload"]["data"]["historyFeed"]["event"]["seq"] for _ in range(5)]
        assert seqs == list(range(first["event"]["seq"] + 1, first["event"]["seq"] + 6))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_MESSAGE = st.fixed_dictionaries(
    {"type": st.sampled_from(["ping", "pong", "subscribe", "complete", "connection_init"]) | _JSON},
    optional={
        "id": st.text(max_size=3) | _JSON,
        "payload": st.fixed_dictionaries({"query": st.sampled_from(["{ __typename }", FEED]) | _JSON}) | _JSON,
    },
)


@on_sqlite
async def test_whatever_comes_a_socket_answers_or_is_closed_with_a_code(
    client: Client, request: pytest.FixtureRequest
) -> None:
    sent = await drawn(st.lists(_MESSAGE | _JSON | st.text() | st.binary(), max_size=5), many(request, 100))
    codes = set()
    before = Counter[str]()
    for number, messages in enumerate(sent):
        if number == len(sent) // 2:
            before = await left_behind()
        async with connected() as socket:
            await init(socket, client)
            for message in messages:
                await socket.send(message)
            await socket.send({"id": "last", "type": "subscribe", "payload": {"query": "{ __typename }"}})
            try:
                while (await socket.receive()).get("id") != "last":
                    pass
            except Closed as closed:
                codes.add(closed.code)
    await assert_none_added(before)
    assert codes <= {4400, 4409, 4429}
    assert 4400 in codes
    await _following(0)
