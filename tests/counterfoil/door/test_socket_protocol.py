"""Sockets whose peer does not read, or goes before the application has answered, at the level of bytes."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from counterfoil.door import socket_protocol as door
from counterfoil.door.socket_protocol import SocketProtocol
from counterfoil.door.taking import while_taken
from counterfoil.door.transport import PatientTransport
from tests.counterfoil.door.frames import CLOSE, CONTINUATION, HANDSHAKE, PING, PONG, TEXT, frame
from tests.counterfoil.door.test_protocol import Transport

pytestmark = pytest.mark.anyio


class Application:
    """Accepts when it may, and notes what it is told."""

    def __init__(self) -> None:
        self.may_accept = asyncio.Event()
        self.told: list[dict[str, Any]] = []
        self.ended = asyncio.Event()
        self.send: Callable[[Any], Awaitable[None]]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.send = send
        try:
            await self.may_accept.wait()
            await send({"type": "websocket.accept"})
            while not self.told or self.told[-1]["type"] != "websocket.disconnect":
                self.told.append(await receive())
        finally:
            self.ended.set()


class Opened:
    """A socket between that application and a transport that reads nothing."""

    def __init__(self) -> None:
        self.application = Application()
        self.transport = Transport()
        config = uvicorn.Config(self.application, log_config=None, ws_ping_interval=20, ws_ping_timeout=20)
        config.load()
        # As uvicorn is given an application.
        config.loaded_app = self.application
        self.protocol = SocketProtocol(config, ServerState(), {})
        self.protocol.connection_made(PatientTransport(self.transport, asyncio.get_running_loop()))
        self.protocol.data_received(HANDSHAKE)

    async def accepted(self) -> None:
        self.application.may_accept.set()
        await _pause()
        assert self.transport.written.startswith(b"HTTP/1.1 101 ")
        self.transport.written = b""

    def lost(self) -> None:
        self.protocol.connection_lost(None)


async def _pause() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_of_pings_only_the_newest_is_answered_when_the_peer_reads_again() -> None:
    opened = Opened()
    await opened.accepted()
    opened.protocol.data_received(frame(PING, b"first"))
    assert opened.transport.written == frame(PONG, b"first", masked=False)
    opened.transport.written = b""
    opened.protocol.pause_writing()
    for number in range(100):
        opened.protocol.data_received(frame(PING, b"%d" % number) * 50)
    assert opened.transport.written == b""
    opened.protocol.resume_writing()
    assert opened.transport.written == frame(PONG, b"99", masked=False)
    opened.protocol.resume_writing()
    assert opened.transport.written == frame(PONG, b"99", masked=False)
    # The close frame is answered in any case.
    opened.protocol.pause_writing()
    opened.protocol.data_received(frame(PING, b"more") + frame(CLOSE, b"\x03\xe8"))
    assert opened.transport.written.endswith(frame(CLOSE, b"\x03\xe8", masked=False))
    opened.lost()
    await opened.application.ended.wait()


async def test_frames_without_anything_in_them_are_not_kept() -> None:
    opened = Opened()
    await opened.accepted()
    opened.protocol.data_received(frame(TEXT, b"a", fin=False))
    for _ in range(100):
        opened.protocol.data_received(frame(CONTINUATION, fin=False) * 50 + frame(CONTINUATION, b"b", fin=False) * 50)
    assert len(opened.protocol.frames) < 2000
    opened.protocol.data_received(frame(CONTINUATION))
    await _pause()
    assert opened.application.told[-1]["text"] == "a" + "b" * 5000
    opened.lost()


@pytest.mark.parametrize("accepts", [True, False])
async def test_a_socket_that_nobody_has_accepted_ends_when_the_server_stops(
    accepts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    opened = Opened()
    await _pause()
    opened.protocol.shutdown()
    assert opened.transport.written.startswith(b"HTTP/1.1 500 ")
    assert opened.transport.closed
    before = opened.transport.written
    if accepts:
        opened.application.may_accept.set()
        await opened.application.ended.wait()
        opened.lost()
    else:
        opened.lost()
        opened.application.may_accept.set()
        await opened.application.ended.wait()
    await _pause()
    assert opened.transport.written == before
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("end", ["close frame", "no pong", "closed", "nothing"])
async def test_a_server_can_stop_whatever_a_socket_is_about_to_do(end: str) -> None:
    opened = Opened()
    await opened.accepted()
    opened.transport.unsent = 1000
    opened.protocol.pause_writing()
    if end == "close frame":
        opened.protocol.data_received(frame(CLOSE, b"\x03\xe8"))
    elif end == "no pong":
        opened.protocol.send_keepalive_ping()
        # The ping may not have come to the peer yet, who takes what stands before it.
        opened.transport.unsent = 500
        opened.protocol.keepalive_timeout()
        assert not opened.transport.closed
        opened.protocol.keepalive_timeout()
    elif end == "closed":
        await opened.application.send({"type": "websocket.close", "code": 4400, "reason": ""})
    await _pause()
    codes = {"close frame": [1000], "no pong": [1013], "closed": [4400], "nothing": []}
    assert [message["code"] for message in opened.application.told if "code" in message] == codes[end]
    opened.protocol.shutdown()
    if end == "nothing":
        # The application closes it, when what runs is over.
        await _pause()
        assert [message["code"] for message in opened.application.told if "code" in message] == [1012]
        await opened.application.send({"type": "websocket.close", "code": 1012, "reason": ""})
    assert opened.transport.closed
    await _pause()
    assert opened.application.ended.is_set()
    opened.lost()


async def test_a_server_that_stops_lets_a_slow_peer_take_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_STOP_SECONDS", 0.0)
    monkeypatch.setattr(door, "_LOOK_SECONDS", 0.01)
    opened = Opened()
    await opened.accepted()
    opened.transport.unsent = 1000
    opened.protocol.pause_writing()
    opened.protocol.shutdown()
    await opened.application.send({"type": "websocket.close", "code": 1012, "reason": ""})
    for unsent in range(10, 0, -1):
        opened.transport.unsent = unsent
        await asyncio.sleep(0.02)
        assert not opened.transport.aborted
    opened.transport.unsent = 0
    async with asyncio.timeout(60):
        while not opened.transport.aborted:  # noqa: ASYNC110  (a transport has no event for it)
            await asyncio.sleep(0.01)
    opened.lost()


async def test_waiting_for_a_peer_leaves_nothing_to_the_garbage_collector() -> None:
    class Taken:
        bytes = 0

        def __call__(self) -> int:
            self.bytes += 1
            return self.bytes

    gc.collect()
    gc.disable()
    try:
        for seconds in (60, 0.04):
            taken = Taken()
            async with while_taken(taken, seconds):
                # With the short time it looks, and puts off the end.
                await asyncio.sleep(0.1)
            assert seconds == 60 or taken.bytes > 4
            left = weakref.ref(taken)
            del taken
            assert left() is None
    finally:
        gc.enable()


async def test_nothing_refers_to_a_socket_that_has_ended() -> None:
    opened = Opened()
    await opened.accepted()
    opened.transport.unsent = 1000
    opened.protocol.data_received(frame(CLOSE, b"\x03\xe8"))
    opened.lost()
    await _pause()
    left = weakref.ref(opened.protocol)
    del opened
    gc.collect()
    assert left() is None
