"""Connections: how long and how large may be what the application does not see, and how long an answer waits.

It sees a head when it is complete; uvicorn with httptools would wait for the rest of one for ever, and keep all of it.
A complete one is checked by `door.guard`. And it does not see the rest of a body after its answer, which uvicorn throws
away for as long as it comes. Answers wait in `door.transport`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from counterfoil.door.transport import CLOSING_SECONDS, PatientTransport

# Seconds in which a client may send the rest after its last answer while the server stops.
_STOP_SECONDS = 1.0
_LATE = b"408 Request Timeout"
_LARGE = b"431 Request Header Fields Too Large"


class PatientProtocol(HttpToolsProtocol):
    """A connection that waits so long, and no longer.

    uvicorn's Config carries the numbers for a head: `timeout_keep_alive`, in seconds, as for an idle connection, and
    `h11_max_incomplete_event_size`, in bytes. The rest of a body after its answer has `rest_seconds` and `rest_bytes`.
    """

    transport: PatientTransport
    _alarm: asyncio.TimerHandle | None = None
    # Bytes of a head that is not complete; None while none is awaited.
    _head: int | None = None
    # The same for what follows an answer that came before its request was complete.
    _rest_alarm: asyncio.TimerHandle | None = None
    _rest: int | None = None
    # The request that is being answered, or was last; `cycle` is the one that came last.
    _answered: RequestResponseCycle | None = None
    # Whether what comes is not read any more, but counted, since no further request is answered.
    _deaf = False
    # Whether the last answer has been given, and the connection is there for what the client still sends.
    _ended = False
    # Whether a request has ended in the bytes that are being read.
    _passed = False
    _stops = False

    def __init__(self, *given: Any, rest_seconds: float = 30, rest_bytes: int = 2**28, **more: Any) -> None:
        super().__init__(*given, **more)
        self._rest_seconds = rest_seconds
        self._rest_bytes = rest_bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Wait for the first request."""
        super().connection_made(PatientTransport(transport, self.loop))
        self.transport.stays = self._stays
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head_is_over()
        self._rest_is_over()
        self.transport.wait(None)
        self.transport.stays = None
        # uvicorn tells the request that came last, which may still wait for the answer to this one.
        self._tell_that_nobody_reads()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """Close, since the client has: the event loop would, but not through `door.transport`."""
        self.transport.close()

    def shutdown(self) -> None:
        """Answer what runs, and nothing else; a client has no longer to take it than the server waits for its answers.

        Who has not sent all of a request is not waited for: it cannot have been done.
        """
        self._stops = True
        self._head_is_over()
        self.pipeline.clear()
        running = self._answered
        if running is None or running.response_complete:
            self.transport.close()
        elif running.more_body and not running.response_started:
            self._tell_that_nobody_reads()
            self.transport.close()
        else:
            running.keep_alive = False
            if not running.more_body:
                self._hear_no_more()
        self.transport.wait(CLOSING_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Count what has come, unless that has completed the head."""
        if self._deaf:
            self._count_rest(len(data))
            return
        before = self._head
        self._passed = False
        super().data_received(data)
        if self._head is None:
            self._await_after_blank_lines()
            return
        # Where a request ended in these bytes, they were its own but for some.
        self._head = 1 if self._passed else (before or 0) + len(data)
        most = self.config.h11_max_incomplete_event_size
        if most is not None and self._head > most:
            self._give_up(_LARGE)

    def on_message_begin(self) -> None:
        """Another request begins, perhaps on a connection that was idle."""
        super().on_message_begin()
        self._unset_keepalive_if_required()
        if self._head is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """From here on the application limits what comes."""
        self._head_is_over()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the rest of the request, if any: most clients read the answer only when they have sent all."""
        if self._ended:
            # uvicorn would take the connection for an idle one.
            self.server_state.total_requests += 1
            return
        cycle: RequestResponseCycle = self.cycle
        # Where another one waits in the pipeline, this one was complete before.
        early = not self.pipeline and cycle.more_body
        super().on_response_complete()
        if early and not self.transport.is_closing():
            self._await_rest(self._rest_seconds)

    def on_body(self, body: bytes) -> None:
        """Count what nobody reads."""
        super().on_body(body)
        if self._rest is not None:
            self._count_rest(len(body))

    def on_message_complete(self) -> None:
        """After the rest of a request the connection is as idle as after an answer."""
        super().on_message_complete()
        self._passed = True
        if self._rest is not None:
            self._rest_is_over()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, unless an answer is on its way: the handshake's would mix with it.

        The connection ends with that answer then, and the client opens another one.
        """
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            # The application closes sockets that are too slow, with a code.
            self.transport.wait(None)
            self.transport.stays = None
            super().handle_websocket_upgrade()
            # It would hold this object, which nobody needs any more, until the garbage collector comes.
            self.parser = None  # type: ignore[assignment]  # uvicorn declares it as never None; it is not asked again
        else:
            cycle.keep_alive = False

    def _stays(self) -> bool:
        """Whether the connection must stay after its last answer, since the client still sends.

        A system that closes it with bytes unread resets it, and the client's throws away what it has not read.
        """
        cycle = self._answered
        if self._ended or cycle is None or not cycle.response_complete or cycle.keep_alive:
            return False
        sends = cycle.more_body or self._head or self._rest or cycle is not self.cycle
        if not sends or self.transport.is_closing():
            return False
        self._ended = True
        self._head_is_over()
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        self._hear_no_more()
        self._await_rest(min(self._rest_seconds, _STOP_SECONDS) if self._stops else self._rest_seconds)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        return True

    def _tell_that_nobody_reads(self) -> None:
        """Let what runs for the connection end."""
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _await_after_blank_lines(self) -> None:
        """Wait for a head after bytes that begin none: at each byte uvicorn forgets that the connection is idle."""
        cycle: RequestResponseCycle | None = self.cycle
        # Without a parser the connection is a WebSocket's.
        parser: object | None = self.parser
        idle = parser is not None and (cycle is None or cycle.response_complete)
        waits = self.timeout_keep_alive_task is not None or self._rest is not None
        if idle and not waits and not self.transport.is_closing():
            self._await_head()

    def _await_head(self) -> None:
        self._head = 0
        self._alarm = self.loop.call_later(self.config.timeout_keep_alive, self._give_up, _LATE)

    def _head_is_over(self) -> None:
        self._head = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _hear_no_more(self) -> None:
        self._deaf = True
        self._rest = self._rest or 0

    def _await_rest(self, seconds: float) -> None:
        self._rest = self._rest or 0
        self._rest_alarm = self.loop.call_later(seconds, self.transport.close)

    def _count_rest(self, size: int) -> None:
        self._rest = (self._rest or 0) + size
        if self._rest > self._rest_bytes:
            self._rest_is_over()
            self.transport.close()

    def _rest_is_over(self) -> None:
        self._rest = None
        if self._rest_alarm is not None:
            self._rest_alarm.cancel()
            self._rest_alarm = None

    def _give_up(self, status: bytes) -> None:
        begun = bool(self._head)
        self._head_is_over()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            # An answer on its way must not be mixed with this one; the last of those closes the connection.
            cycle.keep_alive = False
            self._hear_no_more()
            # The client is known to send more.
            self._rest = 1
            return
        # Who has sent nothing gets none.
        if begun:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
