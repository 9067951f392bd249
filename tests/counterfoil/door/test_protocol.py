"""Connections that send the head of a request slowly, in great length, or not at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from counterfoil.door.protocol import PatientProtocol
from counterfoil.door.transport import CLOSING_SECONDS, SLOW_SECONDS
from tests.counterfoil.test_serve import PATIENCE, serving
from tests.dialects import on_sqlite

pytestmark = pytest.mark.anyio

SECONDS = 7
REST_SECONDS = 70
MOST = 1000
LINE = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Transport(asyncio.Transport):
    """A connection to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.aborted = False
        self.ended = False
        self.unsent = 0

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Clock:
    """What is to be called later, as an event loop keeps it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[..., None], tuple[Any, ...], Any]] = []

    def call_later(self, seconds: float, call: Callable[..., None], *given: Any) -> Any:
        handle = Mock()
        self.waiting.append((seconds, call, given, handle))
        return handle

    def due(self) -> list[float]:
        """In how many seconds, for what has not been cancelled."""
        return [seconds for seconds, _, _, handle in self.waiting if not handle.cancel.called]

    def create_task(self, work: Any, **_: Any) -> Any:
        work.close()
        return Mock()

    def pass_time(self, passed: float = SECONDS) -> None:
        """All that has not been cancelled, and was to wait for so long, is due."""
        due, self.waiting = self.waiting, []
        for seconds, call, given, handle in due:
            assert seconds == passed or handle.cancel.called
            if not handle.cancel.called:
                call(*given)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def protocol(clock: Clock, transport: Transport) -> PatientProtocol:
    """A connection that has just been made."""
    config = uvicorn.Config(
        PlainTextResponse("x"), timeout_keep_alive=SECONDS, h11_max_incomplete_event_size=MOST, log_config=None
    )
    made = PatientProtocol(config, ServerState(), {}, clock, rest_seconds=REST_SECONDS, rest_bytes=MOST)
    made.connection_made(transport)
    return made


def test_who_says_nothing_is_not_waited_for(protocol: PatientProtocol, clock: Clock, transport: Transport) -> None:
    clock.pass_time()
    assert (transport.closed, transport.written) == (True, b"")


def test_half_a_head_is_answered_with_408(protocol: PatientProtocol, clock: Clock, transport: Transport) -> None:
    for piece in (LINE[:5], LINE[5:], b"X-Slow: "):
        protocol.data_received(piece)
    assert not transport.closed
    clock.pass_time()
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"connection: close" in transport.written


def test_a_complete_head_is_the_applications_business(
    protocol: PatientProtocol, clock: Clock, transport: Transport
) -> None:
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(4):
        protocol.data_received(b"x" * 1000)
    clock.pass_time()
    assert (transport.closed, transport.written) == (False, b"")


def test_a_head_without_end_is_answered_with_431(protocol: PatientProtocol, transport: Transport) -> None:
    protocol.data_received(LINE + b"X-Long: ")
    used = len(LINE) + 8
    protocol.data_received(b"x" * (MOST - used))
    assert not transport.closed
    protocol.data_received(b"x")
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 431 ")


def test_the_next_request_has_its_own_time(protocol: PatientProtocol, clock: Clock, transport: Transport) -> None:
    protocol.data_received(LINE + b"\r\n")
    protocol.cycle.response_complete = True
    protocol.data_received(LINE)
    clock.pass_time()
    assert transport.written.startswith(b"HTTP/1.1 408 ")


def test_an_answer_on_its_way_is_not_mixed_with_another(
    protocol: PatientProtocol, clock: Clock, transport: Transport
) -> None:
    protocol.data_received(LINE + b"\r\n" + LINE)
    protocol.data_received(b"X-Slow: ")
    clock.pass_time()
    assert (transport.closed, transport.written) == (False, b"")
    # It is the last one, and what comes until then is not looked at.
    protocol.data_received(b"\r\n\r\n" + LINE + b"\r\n")
    assert not protocol.pipeline
    answer(protocol)
    assert (transport.closed, transport.ended) == (False, True)
    protocol.eof_received()
    assert transport.closed


def test_who_has_gone_is_not_waited_for(protocol: PatientProtocol, clock: Clock, transport: Transport) -> None:
    protocol.connection_lost(None)
    transport.closed = False
    clock.pass_time()
    assert not transport.closed


def answer(protocol: PatientProtocol) -> None:
    """Answer the request whose turn it is, as the application does."""
    cycle = protocol._answered
    assert cycle is not None
    for message in ({"type": "http.response.start", "status": 200, "headers": []}, {"type": "http.response.body"}):
        with pytest.raises(StopIteration):
            cycle.send(message).send(None)  # type: ignore[arg-type]


def answered_early(protocol: PatientProtocol) -> None:
    """The answer comes before the body."""
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
    protocol.cycle.response_complete = True
    protocol.on_response_complete()


def test_the_rest_of_an_answered_request_is_waited_for_so_long(
    protocol: PatientProtocol, clock: Clock, transport: Transport
) -> None:
    answered_early(protocol)
    for _ in range(3):
        protocol.data_received(b"x")
    assert not transport.closed
    clock.pass_time(REST_SECONDS)
    assert (transport.closed, transport.written) == (True, b"")


def test_the_rest_of_an_answered_request_is_thrown_away_up_to_so_much(
    protocol: PatientProtocol, transport: Transport
) -> None:
    answered_early(protocol)
    protocol.data_received(b"x" * MOST)
    assert not transport.closed
    protocol.data_received(b"x")
    assert transport.closed


def test_after_the_rest_the_connection_is_idle_until_the_next_request(
    protocol: PatientProtocol, clock: Clock, transport: Transport
) -> None:
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n")
    protocol.cycle.response_complete = True
    protocol.on_response_complete()
    # The next one begins in the same packet as the rest ends.
    protocol.data_received(b"x" * 500 + LINE + b"\r\n")
    clock.pass_time()
    assert not transport.closed
    protocol.cycle.response_complete = True
    protocol.on_response_complete()
    clock.pass_time()
    assert (transport.closed, transport.written) == (True, b"")


def test_a_pipelined_request_is_no_rest(protocol: PatientProtocol, clock: Clock, transport: Transport) -> None:
    protocol.data_received((LINE + b"\r\n") * 2)
    protocol.on_response_complete()
    clock.pass_time(REST_SECONDS)
    assert not transport.closed


@pytest.mark.parametrize("line", ["POST / HTTP/1.1\r\nConnection: close", "POST / HTTP/1.0"])
@pytest.mark.parametrize("end", ["time", "bytes", "eof", "shutdown"])
def test_a_last_answer_does_not_cut_off_a_client_who_still_sends(
    protocol: PatientProtocol, clock: Clock, transport: Transport, line: str, end: str
) -> None:
    protocol.data_received(f"{line}\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode())
    answer(protocol)
    # The client learns that this was all; closed now, with bytes unread, its system would throw the answer away.
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (transport.closed, transport.ended) == (False, True)
    protocol.data_received(b"x" * MOST)
    assert not transport.closed
    assert clock.due() == [REST_SECONDS]
    {
        "time": lambda: clock.pass_time(REST_SECONDS),
        "bytes": lambda: protocol.data_received(b"x"),
        "eof": protocol.eof_received,
        "shutdown": protocol.shutdown,
    }[end]()
    assert transport.closed


def test_a_client_that_has_gone_meanwhile_is_let_go(
    protocol: PatientProtocol, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol.data_received(b"POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
    monkeypatch.setattr(transport, "write_eof", Mock(side_effect=OSError))
    answer(protocol)
    assert transport.aborted


def test_after_a_last_answer_nothing_is_done_any_more(protocol: PatientProtocol, transport: Transport) -> None:
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n")
    answer(protocol)
    first = protocol.cycle
    protocol.data_received(b"12345" + LINE + b"\r\n")
    assert protocol.cycle is first
    protocol.data_received(b"garbage")
    assert not transport.closed


def test_a_complete_request_is_closed_after_its_last_answer(protocol: PatientProtocol, transport: Transport) -> None:
    protocol.data_received(LINE + b"Connection: close\r\n\r\n")
    answer(protocol)
    assert transport.closed


@pytest.mark.parametrize("blank", [b"\r\n", b"\n"])
def test_blank_lines_do_not_keep_an_idle_connection(
    protocol: PatientProtocol, clock: Clock, transport: Transport, blank: bytes
) -> None:
    protocol.data_received(LINE + b"\r\n" + blank)
    answer(protocol)
    for _ in range(3):
        protocol.data_received(blank)
        assert clock.due() == [SECONDS]
    clock.pass_time()
    assert transport.closed


def test_what_came_before_a_head_does_not_count(protocol: PatientProtocol, transport: Transport) -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    protocol.data_received(post + LINE)
    answer(protocol)
    protocol.data_received(b"\r\n" + (LINE + b"\r\n") * 100 + LINE)
    for _ in range(101):
        answer(protocol)
    assert transport.written.count(b"HTTP/1.1 200 OK") == 102
    assert not transport.closed
    protocol.data_received(b"X-Long: " + b"x" * (MOST - 8))
    assert transport.written.endswith(
        b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    )
    assert transport.closed


def test_a_head_without_end_does_not_take_the_answers_before_it(
    protocol: PatientProtocol, transport: Transport
) -> None:
    protocol.data_received((LINE + b"\r\n") * 3 + LINE)
    for _ in range(3):
        protocol.data_received(b"x" * (MOST // 2))
    for _ in range(3):
        assert (transport.closed, transport.ended) == (False, False)
        answer(protocol)
    assert transport.written.count(b"HTTP/1.1 200 OK") == 3
    assert b" 431 " not in transport.written
    assert transport.ended
    protocol.data_received(b"x" * MOST)
    assert transport.closed


def test_a_server_that_stops_begins_no_pipelined_request(
    protocol: PatientProtocol, clock: Clock, transport: Transport
) -> None:
    protocol.data_received((LINE + b"\r\n") * 3)
    protocol.shutdown()
    protocol.data_received((LINE + b"\r\n") * 3 + LINE)
    answer(protocol)
    assert transport.written.count(b"HTTP/1.1 200 OK") == 1
    assert not protocol.pipeline
    assert (transport.closed, transport.ended) == (False, True)
    # Neither has the client long to send the rest.
    clock.pass_time(1)
    assert transport.closed


def test_a_server_that_stops_closes_after_the_answer_that_runs(protocol: PatientProtocol, transport: Transport) -> None:
    protocol.data_received(LINE + b"\r\n")
    protocol.shutdown()
    assert not transport.closed
    answer(protocol)
    assert b"connection: close" in transport.written
    assert transport.closed


async def test_a_server_that_stops_waits_for_no_body(transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    application = Starlette(routes=[Route("/", _length, methods=["POST"])])
    config = uvicorn.Config(application, log_config=None)
    config.load()
    state = ServerState()
    made = PatientProtocol(config, state, {})
    made.connection_made(transport)
    made.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhalf")
    await asyncio.sleep(0)
    made.shutdown()
    assert transport.closed
    # The application learns it also while the transport has not ended.
    async with asyncio.timeout(PATIENCE):
        while state.tasks:  # noqa: ASYNC110  (they are uvicorn's)
            await asyncio.sleep(0)
    assert transport.written == b""
    assert caplog.records == []


async def _length(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except ClientDisconnect:
        return PlainTextResponse("nobody reads this")


@on_sqlite("What a connection may do does not depend on the database.")
def test_a_client_that_closes_reads_why_it_was_refused(tmp_path: Path, empty_database_url: str) -> None:
    with serving(tmp_path, empty_database_url) as served:
        address = urlsplit(served.base())
        body = b"x" * (5 * 2**20)
        for _ in range(3):
            with closing(HTTPConnection(address.netloc, timeout=PATIENCE)) as client:
                client.request("POST", "/graphql", body, {"Content-Type": "application/json", "Connection": "close"})
                assert client.getresponse().status == 413
        with closing(socket.create_connection((address.hostname, address.port), PATIENCE)) as half:
            half.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            half.sendall(b"Content-Length: 50\r\nExpect: 100-continue\r\n\r\n")
            # Now the application waits for the body.
            assert half.recv(1000).startswith(b"HTTP/1.1 100 ")
            served.process.terminate()
            served.process.wait(PATIENCE)
            assert half.recv(1000) == b""
        assert "Traceback" not in served.err.read_text("utf-8")
        assert "Exception" not in served.err.read_text("utf-8")


@on_sqlite("What a connection may do does not depend on the database.")
def test_a_server_lets_go_of_who_sends_on_after_an_early_answer(tmp_path: Path, empty_database_url: str) -> None:
    head = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nContent-Type: {}\r\n\r\n"
    # Nothing but the time for bodies could end these soon.
    settings = {"COUNTERFOIL_BODY_TIMEOUT": "0.3", "COUNTERFOIL_HEADER_TIMEOUT": "3600"}
    early = {
        404: ("/nothing", 100, "application/json"),
        413: ("/graphql", 99_999_999, "application/json"),
        415: ("/graphql", 100, "text/plain"),
        401: ("/graphql", 100, "multipart/form-data; boundary=x\r\nCounterfoil-Upload: 1"),
    }
    with serving(tmp_path, empty_database_url, **settings) as served:
        address = urlsplit(served.base())
        for status, (path, length, kind) in early.items():
            with closing(socket.create_connection((address.hostname, address.port), PATIENCE)) as peer:
                peer.sendall(head.format(path, length, kind).encode())
                assert peer.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())
                assert ends(peer), status


def ends(peer: socket.socket) -> bool:
    """Whether the server ends the connection while the client sends a byte now and then, fewer than are announced."""
    peer.settimeout(1)
    for _ in range(PATIENCE):
        try:
            peer.sendall(b"x")
            if peer.recv(65536) == b"":
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_who_takes_nothing_of_an_answer_is_let_go(
    protocol: PatientProtocol, clock: Clock, transport: Transport
) -> None:
    protocol.data_received(LINE + b"\r\n")
    transport.unsent = 100
    protocol.transport.write(b"x" * 100)
    # Also when more is written meanwhile than is taken.
    for unsent in (99, 105, 0):
        protocol.transport.write(b"y" * 10)
        transport.unsent = unsent
        clock.pass_time(SLOW_SECONDS)
        assert not transport.aborted
    assert clock.due() == []
    transport.unsent = 5
    protocol.transport.write(b"z" * 5)
    clock.pass_time(SLOW_SECONDS)
    assert transport.aborted


@pytest.mark.parametrize("end", ["close", "eof", "shutdown"])
def test_a_closed_connection_ends_when_nothing_more_is_taken(
    protocol: PatientProtocol, clock: Clock, transport: Transport, end: str
) -> None:
    protocol.data_received(LINE + b"\r\n")
    transport.unsent = 100
    protocol.transport.write(b"x" * 100)
    {"close": protocol.transport.close, "eof": protocol.eof_received, "shutdown": protocol.shutdown}[end]()
    assert clock.due() == [CLOSING_SECONDS]
    transport.unsent = 50
    clock.pass_time(CLOSING_SECONDS)
    assert not transport.aborted
    clock.pass_time(CLOSING_SECONDS)
    assert transport.aborted
    protocol.connection_lost(None)


async def test_whoever_asks_for_more_and_goes_leaves_no_answer_running(transport: Transport) -> None:
    ended = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        ended.set()

    config = uvicorn.Config(application, log_config=None)
    config.load()
    made = PatientProtocol(config, ServerState(), {})
    made.connection_made(transport)
    # The second waits for the first to be answered; only of the second uvicorn would say that its client is gone.
    made.data_received((LINE + b"\r\n") * 2)
    await asyncio.sleep(0)
    made.connection_lost(None)
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    assert transport.written == b""
