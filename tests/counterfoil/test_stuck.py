"""Clients that do not read what they are sent, through a real server: they are let go, and nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import socket as network
import struct
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import uvicorn

from counterfoil.door import protocol as protocol_door
from counterfoil.door import socket as socket_door
from counterfoil.door import transport as door
from tests.client import Client
from tests.counterfoil.door.frames import CLOSE, HANDSHAKE, frame, message
from tests.counterfoil.door.fuzzing import left_behind
from tests.counterfoil.door.socket import PATIENCE
from tests.counterfoil.test_live import address, connected, server_here

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

SECONDS = 0.3
WIDE = 64 * 1024
COMPLETE = b'"type":"complete"}'
# About 300 KB of answer.
EVERYTHING = """{ __schema { types { name description fields { name description args { name description type { name } }
 }  inputFields { name description } enumValues { name description } } } }"""


def plug(base: str, data: bytes, buffer: int = 2048) -> network.socket:
    """A connection that has sent these bytes, and reads nothing; the system takes about `buffer` bytes for it."""
    near = network.socket()
    near.setsockopt(network.SOL_SOCKET, network.SO_RCVBUF, buffer)
    near.connect((urlsplit(base).hostname, urlsplit(base).port))
    near.setblocking(False)
    near.sendall(data)
    return near


def asked(client: Client, **headers: str) -> bytes:
    body = json.dumps({"query": EVERYTHING}).encode()
    sent = {
        "Host": "x",
        "Authorization": f"Bearer {client.token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = ["POST /graphql HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def socket_plug(base: str, client: Client, data: bytes = b"", buffer: int = 2048) -> network.socket:
    """A socket that has initialised the connection and sent these bytes, and reads no more."""
    near = plug(base, HANDSHAKE, buffer)
    async with asyncio.timeout(PATIENCE):
        while not (await asyncio.get_running_loop().sock_recv(near, 2000)).endswith(b"\r\n\r\n"):
            pass
    near.sendall(message({"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}}) + data)
    return near


def subscribed(query: str = EVERYTHING, name: str = "a") -> bytes:
    return message({"type": "subscribe", "id": name, "payload": {"query": query}})


async def until(come: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not come():  # noqa: ASYNC110  (it is the server's doing)
            await asyncio.sleep(0.02)


def unsent(server: uvicorn.Server) -> list[int]:
    """How many bytes wait for each connection."""
    return sorted(connection.transport.get_write_buffer_size() for connection in server.server_state.connections)


async def test_whoever_does_not_take_an_answer_is_let_go(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "SLOW_SECONDS", SECONDS)
    monkeypatch.setattr(door, "CLOSING_SECONDS", SECONDS)
    async with server_here() as server:
        base = address(server)
        plugs = [
            plug(base, asked(client, Accept="text/event-stream")),
            plug(base, asked(client)),
            plug(base, asked(client, Connection="close")),
        ]
        await until(lambda: len(unsent(server)) == 3 and unsent(server)[0] > 100_000)
        await until(lambda: unsent(server) == [] and not server.server_state.tasks)
        for near in plugs:
            near.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_whoever_takes_it_slowly_gets_all_of_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLOW_SECONDS", "CLOSING_SECONDS"):
        monkeypatch.setattr(door, name, 1)
    monkeypatch.setattr(socket_door, "SLOW_SECONDS", 1)
    event_stream = {"Accept": "text/event-stream", "Connection": "close"}
    async with server_here(ws_ping_interval=0.5, ws_ping_timeout=1) as server:
        base = address(server)
        three = b"".join(subscribed(name=f"q{number}") for number in range(3))
        answers = await asyncio.gather(
            _slowly(plug(base, asked(client, **event_stream), WIDE), 12_000),
            _slowly(plug(base, asked(client, Connection="close"), WIDE), 12_000),
            _slowly(await socket_plug(base, client, three, WIDE), 35_000, COMPLETE),
        )
    assert b"event: complete" in answers[0]
    assert json.loads(answers[1].partition(b"\r\n\r\n")[2])
    assert answers[2].count(COMPLETE) == 3


async def _slowly(near: network.socket, at_once: int, end: bytes | None = None) -> bytes:
    """All that comes until the server hangs up, or the `end` of the third operation; it takes a few seconds."""
    answer = b""
    async with asyncio.timeout(PATIENCE):
        while (end is None or answer.count(end) < 3) and (
            piece := await asyncio.get_running_loop().sock_recv(near, at_once)
        ):
            answer += piece
            await asyncio.sleep(0.1)
    near.close()
    return answer


async def test_a_socket_whose_client_does_not_read_ends_with_its_close_frame(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "CLOSING_SECONDS", SECONDS)
    async with server_here() as server:
        near = await socket_plug(address(server), client, subscribed())
        await until(lambda: unsent(server) not in ([], [0]))
        near.sendall(frame(CLOSE, b"\x03\xe8"))
        await until(lambda: unsent(server) == [] and not server.server_state.tasks)
        near.close()
        # The same while the server stops.
        near = await socket_plug(address(server), client, subscribed())
        await until(lambda: unsent(server) not in ([], [0]))
        near.sendall(frame(CLOSE, b"\x03\xe8"))
        await asyncio.sleep(0.05)
    near.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_socket_that_answers_no_ping_is_closed_and_the_application_learns_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "CLOSING_SECONDS", SECONDS)
    async with server_here(ws_ping_interval=SECONDS, ws_ping_timeout=SECONDS) as server:
        feed = subscribed("subscription { historyFeed { cursor } }")
        for sent in (b"", feed, subscribed()):
            near = await socket_plug(address(server), client, sent)
            await until(lambda: len(server.server_state.tasks) == 1)
            # The application is told at once, before the connection has ended.
            await until(lambda: not server.server_state.tasks)
            await until(lambda: unsent(server) == [])
            near.close()


async def test_a_server_that_stops_waits_for_nobody_who_does_not_read(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "CLOSING_SECONDS", SECONDS)
    monkeypatch.setattr(protocol_door, "CLOSING_SECONDS", SECONDS)
    async with server_here(ws_ping_interval=None) as server:
        base = address(server)
        plugs = [
            plug(base, asked(client, Accept="text/event-stream")),
            plug(base, asked(client)),
            await socket_plug(base, client, subscribed()),
            await socket_plug(base, client, subscribed() + subscribed(name="b")),
        ]
        await until(lambda: len(unsent(server)) == 4 and unsent(server)[0] > 100_000)
    assert (server.server_state.connections, server.server_state.tasks) == (set(), set())
    for near in plugs:
        near.close()
    # Neither the server's time for stopping was used up, nor did anything break.
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_nothing_refers_to_a_connection_that_has_ended(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SLOW_SECONDS", SECONDS)
    monkeypatch.setattr(door, "CLOSING_SECONDS", SECONDS)
    feed = subscribed("subscription { historyFeed { cursor } }")
    async with server_here() as server:
        base = address(server)
        async with connected(base, client) as socket:
            assert await left() == {"PatientTransport", "SocketProtocol", "Connection"}
            await socket.close()
        for data in (b"", feed, feed + subscribed(name="b")):
            abrupt = await socket_plug(base, client, data)
            abrupt.setsockopt(network.SOL_SOCKET, network.SO_LINGER, struct.pack("ii", 1, 0))
            abrupt.close()
        for data in (asked(client), asked(client, Accept="text/event-stream"), b""):
            slow = plug(base, data) if data else await socket_plug(base, client, subscribed())
            await until(lambda: unsent(server)[-1:] > [100_000])
            if not data:
                slow.sendall(frame(CLOSE))
            await until(lambda: unsent(server) == [])
            slow.close()
        await until(lambda: unsent(server) == [] and not server.server_state.tasks)
        # Timers may keep some for a moment.
        async with asyncio.timeout(PATIENCE):
            while await left():  # noqa: ASYNC110  (the garbage collector has to look)
                await asyncio.sleep(0.1)


async def left() -> set[str]:
    """The classes of the door's objects, of those that live as long as a connection."""
    names = {name.rpartition(".")[2] for name, count in (await left_behind()).items() if count}
    return names & {"PatientTransport", "PatientProtocol", "SocketProtocol", "Connection", "EventStream"}
