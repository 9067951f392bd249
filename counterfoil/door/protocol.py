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
    _answered: RequestResponseCycle | None = None

    def __init__(self, *given: Any, rest_seconds: float = 30, rest_bytes: int = 2**28, **more: Any) -> None:
        super().__init__(*given, **more)
        self._rest_seconds = rest_seconds
        self._rest_bytes = rest_bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Wait for the first request."""
        super().connection_made(PatientTransport(transport, self.loop))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head_is_over()
        self._rest_is_over()
        self.transport.wait(None)
        if self._answered is not None and not self._answered.response_complete:
            # uvicorn tells the request that came last, which may still wait for the answer to this one.
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """Close, since the client has: the event loop would, but not through `door.transport`."""
        self.transport.close()

    def shutdown(self) -> None:
        """Wait no longer for a client that takes nothing than the server waits for its answers."""
        super().shutdown()
        self.transport.wait(CLOSING_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Count what has come, unless that has completed the head."""
        before = self._head
        super().data_received(data)
        if self._head is None:
            return
        # What another request ended with stands before the first of these bytes.
        self._head = 1 if before is None else before + len(data)
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
        cycle: RequestResponseCycle = self.cycle
        # Where another one waits in the pipeline, this one was complete before.
        early = not self.pipeline and cycle.more_body
        super().on_response_complete()
        if early and not self.transport.is_closing():
            self._rest = 0
            self._rest_alarm = self.loop.call_later(self._rest_seconds, self.transport.close)

    def on_body(self, body: bytes) -> None:
        """Count what nobody reads."""
        super().on_body(body)
        if self._rest is not None:
            self._rest += len(body)
            if self._rest > self._rest_bytes:
                self._rest_is_over()
                self.transport.close()

    def on_message_complete(self) -> None:
        """After the rest of a request the connection is as idle as after an answer."""
        super().on_message_complete()
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
            super().handle_websocket_upgrade()
            # It would hold this object, which nobody needs any more, until the garbage collector comes.
            self.parser = None  # type: ignore[assignment]  # as in uvicorn
        else:
            cycle.keep_alive = False

    def _await_head(self) -> None:
        self._head = 0
        self._alarm = self.loop.call_later(self.config.timeout_keep_alive, self._give_up, _LATE)

    def _head_is_over(self) -> None:
        self._head = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

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
        # An answer on its way must not be mixed with this one; who has sent nothing gets none.
        cycle: RequestResponseCycle | None = self.cycle
        if begun and (cycle is None or cycle.response_complete):
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
