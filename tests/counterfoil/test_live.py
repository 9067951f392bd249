"""Live history through a real server: many feeds that break off, several processes, and what is open when it stops."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket as network
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

import models
from counterfoil.app import create_app
from counterfoil.door import socket as door
from counterfoil.door.protocol import PatientProtocol
from counterfoil.settings import read_settings
from models import clock
from tests.client import Client, default_app
from tests.counterfoil.door.frames import CLOSE, HANDSHAKE, PING, TEXT, frame, message, peer
from tests.counterfoil.door.socket import PATIENCE, PROTOCOL
from tests.counterfoil.test_serve import serving

pytestmark = pytest.mark.anyio

CREATE = "mutation ($name: String!) { createCustomer(input: {name: $name}) { events { seq } errors { message } } }"
FEED = (
    "subscription ($after: String, $from: DateTime!) {"
    " historyFeed(after: $after, filter: {actions: [CUSTOMER_CREATED], from: $from}) { cursor event { seq } } }"
)
_HEAD = HANDSHAKE.removesuffix(b"\r\n")
# With what they are answered.
BAD_HANDSHAKES = (
    (_HEAD + b"Content-Length: 5\r\n\r\nhello", b"400"),
    (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    (_HEAD + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
    (_HEAD + b"X-Many: x\r\n" * 200 + b"\r\n", b"431"),
    (HANDSHAKE.replace(b"/graphql", b"/graphql?" + b"x" * 9000), b"414"),
)


@asynccontextmanager
async def connected(base: str, client: Client, *, buffer: int | None = None) -> AsyncIterator[ClientConnection]:
    """A socket with an acknowledged connection; the system takes about `buffer` bytes that are not read yet."""
    url = base.replace("http", "ws", 1) + "/graphql"
    near = _near(base)
    if buffer is not None:
        near.setsockopt(network.SOL_SOCKET, network.SO_RCVBUF, buffer)
    near.setblocking(False)
    async with connect(url, sock=near, subprotocols=[Subprotocol(PROTOCOL)], max_size=None) as socket:
        await send(socket, type="connection_init", payload={"Authorization": f"Bearer {client.token}"})
        assert await receive(socket) == {"type": "connection_ack"}
        yield socket


def _near(base: str) -> network.socket:
    return network.create_connection((urlsplit(base).hostname, urlsplit(base).port))


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def subscribe(socket: ClientConnection, query: str, **variables: Any) -> None:
    await send(socket, id="1", type="subscribe", payload={"query": query, "variables": variables})


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        message: dict[str, Any] = json.loads(await socket.recv())
        return message


async def close_code(socket: ClientConnection) -> int | None:
    """The code with which the server closes it, whatever it sends before."""
    with suppress(ConnectionClosed):
        while True:
            await receive(socket)
    return socket.close_code


async def test_feeds_that_break_off_deliver_every_event_once_from_all_processes(
    database: models.Database, client: Client, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    long = request.config.getoption("--long")
    writers, writes, feeds = (16, 40, 50) if long else (4, 5, 6)
    workers = ("--workers", "2") if database.dialect == "postgres" else ()
    began = clock.now().isoformat()
    written: list[int] = []

    async def write(http: httpx.AsyncClient, number: int) -> None:
        for _ in range(writes):
            body = {"query": CREATE, "variables": {"name": f"Customer of {number}"}}
            answer = (await http.post("/graphql", json=body)).json()
            written.extend(event["seq"] for event in answer["data"]["createCustomer"]["events"])

    async def read(base: str, number: int) -> list[int]:
        chance = random.Random(number)
        seqs: list[int] = []
        after = None
        while len(seqs) < writers * writes:
            async with connected(base, client) as socket:
                await subscribe(socket, FEED, after=after, **{"from": began})
                for _ in range(min(chance.randint(1, 2 * writes), writers * writes - len(seqs))):
                    told = (await receive(socket))["payload"]["data"]["historyFeed"]
                    after = told["cursor"]
                    seqs.append(told["event"]["seq"])
        return seqs

    with serving(tmp_path, database_url, *workers, COUNTERFOIL_MAX_OPERATIONS="1000") as served:
        base = await asyncio.to_thread(served.base)
        headers = {"authorization": f"Bearer {client.token}"}
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE) as http:
            reading = [asyncio.create_task(read(base, number)) for number in range(feeds)]
            await asyncio.gather(*(write(http, number) for number in range(writers)))
            async with asyncio.timeout(10 * PATIENCE):
                delivered = await asyncio.gather(*reading)
        assert len(written) == writers * writes
        for seqs in delivered:
            assert seqs == sorted(written)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_server_that_stops_ends_feeds_and_lets_mutations_end(
    client: Client, database: models.Database, database_url: str, tmp_path: Path
) -> None:
    create = {"query": CREATE, "variables": {"name": "Begun before"}}
    with serving(tmp_path, database_url, COUNTERFOIL_BACKGROUND="false") as served, ExitStack() as others:
        base = await asyncio.to_thread(served.base)
        headers = {"authorization": f"Bearer {client.token}"}
        body = {"query": "subscription { historyFeed { cursor } }"}
        sse = {**headers, "accept": "text/event-stream"}
        async with connected(base, client) as socket, httpx.AsyncClient(timeout=PATIENCE) as http:
            await subscribe(socket, "subscription { historyFeed { cursor } }")
            async with http.stream("POST", f"{base}/graphql", json=body, headers=sse) as stream:
                pieces = stream.aiter_bytes()
                assert await anext(pieces) == b":\n\n"
                async with AsyncExitStack() as held:
                    # They wait for this transaction; and connections are about to become sockets, or cannot.
                    await held.enter_async_context(database.write())
                    await send(socket, id="2", type="subscribe", payload=create)
                    posted = asyncio.create_task(http.post(f"{base}/graphql", json=create, headers=headers))
                    async with http.stream("POST", f"{base}/graphql", json=create, headers=sse) as changing:
                        answer = changing.aiter_bytes()
                        assert await anext(answer) == b":\n\n"
                        await send(socket, type="ping")
                        assert await receive(socket) == {"type": "pong"}
                        await asyncio.to_thread(shake_hands, base, others)
                        stopping = asyncio.create_task(asyncio.to_thread(served.stop))
                        # The stream ends as it should, and does not say that the subscription is complete.
                        assert [piece async for piece in pieces] == []
                        await held.aclose()
                        told = b"".join([piece async for piece in answer])
                        assert b'"seq"' in told
                        assert told.endswith(b"event: complete\ndata:\n\n")
                assert (await posted).json()["data"]["createCustomer"]["errors"] == []
                while (message := await receive(socket))["id"] != "2":
                    pass
                assert message["payload"]["data"]["createCustomer"]["errors"] == []
                while (message := await receive(socket))["id"] != "2":
                    pass
                assert message["type"] == "complete"
                assert await close_code(socket) == 1012
                # uvicorn ends by the signal that told it to, when nothing went wrong.
                assert await stopping == -signal.SIGTERM
        rows = await database.fetch("SELECT count(*) AS n FROM customer")
        assert rows[0]["n"] == 3
        logs = served.err.read_text("utf-8")
        assert "Application shutdown complete" in logs
        assert "exceeded" not in logs
        assert "Traceback" not in logs
        assert '"level":"error"' not in logs


def shake_hands(base: str, others: ExitStack) -> None:
    """Leave handshakes behind that are refused, broken off, half a head, over at once, and one that comes last."""
    handshakes = [sent for sent, _ in BAD_HANDSHAKES]
    for sent in (*handshakes, HANDSHAKE, HANDSHAKE[:-2], HANDSHAKE + frame(CLOSE), HANDSHAKE[:20]):
        for half_closed in (False, True):
            near = others.enter_context(_near(base))
            near.sendall(sent)
            if half_closed:
                near.shutdown(network.SHUT_WR)
    time.sleep(0.2)
    others.enter_context(_near(base)).sendall(HANDSHAKE)


@asynccontextmanager
async def in_this_process(**config: Any) -> AsyncIterator[str]:
    """A server in this process, on the database of the test; its address."""
    async with server_here(**config) as server:
        yield address(server)


def address(server: uvicorn.Server) -> str:
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@asynccontextmanager
async def server_here(app: Starlette | None = None, **config: Any) -> AsyncIterator[uvicorn.Server]:
    """A server in this process, on the database of the test."""
    # Small buffers are soon full.
    listener = network.create_server(("127.0.0.1", 0))
    listener.setsockopt(network.SOL_SOCKET, network.SO_SNDBUF, 4096)
    server = uvicorn.Server(
        uvicorn.Config(
            app or default_app(),
            lifespan="off",
            log_config=None,
            http=PatientProtocol,
            ws="counterfoil.door.socket_protocol:SocketProtocol",
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=5,
            **config,
        )
    )
    running = asyncio.create_task(server._serve([listener]))
    try:
        async with asyncio.timeout(PATIENCE):
            while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
                await asyncio.sleep(0.01)
        yield server
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_messages_that_cannot_be_read_are_answered_with_their_close_codes(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_this_process() as base:
        async with connected(base, client) as socket:
            await send(socket, type="ping", payload={"text": "a" * 100_000})
            assert await close_code(socket) == 1009
        async with connected(base, client) as socket:
            # In pieces, and far more than is read.
            with suppress(ConnectionClosed):
                await socket.send('{"type": "ping"', text=True)
                await socket.send(" " * 10_000 for _ in range(2000))
            assert await close_code(socket) in (1009, 4400)
        async with connected(base, client) as socket:
            await socket.send(b'\xff{"type": "ping"}', text=True)
            assert await close_code(socket) == 1007
        async with connected(base, client) as socket:
            await socket.send(b'{"type": "ping"}')
            assert await close_code(socket) == 4400
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_handshakes_that_cannot_be_read_are_refused(client: Client) -> None:
    async with in_this_process() as base:
        for sent, status in BAD_HANDSHAKES:
            assert (await _answered(base, sent)).startswith(b"HTTP/1.1 " + status), sent[-40:]


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_handshakes_have_the_limits_of_other_requests(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with in_this_process(app=create_app(read_settings(max_headers=2000, max_url=2000))) as base:
        head = HANDSHAKE.removesuffix(b"\r\n")
        large = await _answered(base, head + b"".join(b"X-%d: %s\r\n" % (i, b"x" * 500) for i in range(4)) + b"\r\n")
        long = await _answered(base, HANDSHAKE.replace(b"/graphql", b"/graphql?token=SECRET" + b"x" * 2000))
        for answer, status, code in ((large, b"431", "HEADERS_TOO_LARGE"), (long, b"414", "URL_TOO_LONG")):
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"] == {"code": code}
        # What is at the end of an address may be a secret, and is in no log.
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base).port)
        writer.write(HANDSHAKE.replace(b"/graphql", b"/graphql?token=SECRET"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.close()
    assert [record.getMessage() for record in caplog.records if "SECRET" in record.getMessage()] == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_subprotocols_and_initialisations_on_the_wire(client: Client) -> None:
    async with in_this_process() as base:
        for offered in ([Subprotocol("graphql-ws")], None):
            async with connect(base.replace("http", "ws", 1) + "/graphql", subprotocols=offered) as socket:
                assert socket.subprotocol is None
                assert await close_code(socket) == 4406
                assert socket.close_reason == "Subprotocol not acceptable"
        async with peer(urlsplit(base).port or 0) as twice:
            init = message({"type": "connection_init", "payload": {"Authorization": f"Bearer {client.token}"}})
            # The second one is there before the first is acknowledged.
            await twice.send(init + init)
            while await twice.next():
                pass
            assert (twice.messages, twice.code) == ([{"type": "connection_ack"}], 4429)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_handshake_that_does_not_wait_for_the_answer_before_it_gets_none(client: Client) -> None:
    async with in_this_process() as base:
        for ahead in (1, 3):
            answer = await _answered(base, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * ahead + HANDSHAKE)
            assert answer.count(b"HTTP/1.1 200 ") == answer.count(b"HTTP/1.1") == ahead


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("spoken", [PROTOCOL, "graphql-ws"])
async def test_who_is_gone_before_the_answer_leaves_no_traceback(
    spoken: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_this_process() as base:
        for wait in (0, 0, 0, 0.001, 0.002, 0.005, 0.01):
            for sent in (b"", frame(TEXT, b"rubbish"), frame(PING, b"a") * 50 + frame(TEXT, b"{}")):
                near = _near(base)
                # Hang up with a reset, and not by closing.
                near.setsockopt(network.SOL_SOCKET, network.SO_LINGER, struct.pack("ii", 1, 0))
                near.sendall(HANDSHAKE.replace(PROTOCOL.encode(), spoken.encode()))
                await asyncio.sleep(wait)
                near.sendall(sent)
                near.close()
        async with connected(base, client):
            pass
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_is_wrong_twice_leaves_no_traceback(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    no_frame = frame(3)
    async with in_this_process() as base:
        for sent in (frame(TEXT, b"rubbish") + no_frame, no_frame * 2, frame(TEXT, b"\xff") + no_frame + frame(CLOSE)):
            async with connected(base, client) as socket:
                socket.transport.write(sent)
                assert await close_code(socket) in (1002, 1007, 4400)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def _answered(base: str, data: bytes) -> bytes:
    """All that the server answers to these bytes, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base).port)
    writer.write(data)
    try:
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_who_does_not_read_learns_why_when_they_read_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SLOW_SECONDS", 0.2)
    everything = "{ __schema { types { name description fields { name description } } } }"
    async with in_this_process() as base, connected(base, client, buffer=4096) as socket:
        socket.transport.pause_reading()
        for number in range(19):
            await send(socket, id=str(number), type="subscribe", payload={"query": everything})
        await asyncio.sleep(1)
        socket.transport.resume_reading()
        assert await close_code(socket) == 4470
