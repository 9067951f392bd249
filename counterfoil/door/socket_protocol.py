"""uvicorn's WebSockets, for peers that do not read, and for those that send what cannot be read.

Each override says what uvicorn leaves open. `door.transport` ends a connection that was closed and takes no more.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import State

from counterfoil.door import transport
from counterfoil.door.closing import Code
from counterfoil.door.transport import TAKEN, PatientTransport

# A message in more frames than this is put together as it comes.
_MOST_FRAMES = 1000
# uvicorn logs the whole URL of each socket. A query may hold secrets; `counterfoil.socket` has a line for each.
_log = logging.getLogger("counterfoil.door.socket_protocol")
_log.setLevel(logging.WARNING)

# Seconds in which a peer may answer the close frame of a server that stops, once it was taken; and between two looks
# whether it was.
_STOP_SECONDS = 1.0
_LOOK_SECONDS = 0.1
# Not uvicorn's 1011, with which clients give up: a laptop that wakes up comes back.
_NOT_THERE = Code.TRY_AGAIN_LATER


class SocketProtocol(WebSocketsSansIOProtocol):
    """A connection that becomes a WebSocket; a peer who is refused, or closed for cause, gets to read the cause.

    When the server stops the application is told by a `websocket.disconnect` with 1012, as by uvicorn's; but the
    connection is still there, for the answers of what runs and for the application's own close.
    """

    transport: PatientTransport
    _stops = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.logger = self.conn.logger = _log
        # Sent as soon as the peer has taken what was sent before.
        self._pong = b""
        # When the last ping was sent: what had been taken, and whether the ping had to wait behind something.
        self._taken = 0
        self._behind = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.transport.wait(None)
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """Close, since the peer has: the event loop would, but not through `door.transport`."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Read what has come. A handshake that cannot be read is refused, or its connection would stay for ever."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.close_sent:
            # websockets has an answer to heads that are too large; others are malformed, or have a body.
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or self.conn.reject(HTTPStatus.BAD_REQUEST, "Bad handshake.").serialize())
            self.handshake_complete = self.close_sent = True
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        """Begin. The application gets to know how much its peer has taken, to tell a slow one from a stuck one."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][TAKEN] = {"bytes": lambda: self.transport.taken}

    def handle_cont(self, event: Frame) -> None:
        """Add a frame to a message. uvicorn keeps all frames, also the empty ones, of which there may be any number."""
        if event.fin or event.data:
            super().handle_cont(event)
        if len(self.frames) > _MOST_FRAMES:
            self.frames = [b"".join(self.frames)]

    def send_receive_event_to_app(self) -> None:
        """Pass a message on. Text that is not UTF-8 closes the socket (RFC 6455, 8.1), without a traceback."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(1007, "Messages are UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer. To a peer that does not read, uvicorn writes without end; the newest may do (RFC 6455, 5.5.3)."""
        frames = self.conn.data_to_send()
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            self.transport.write(b"".join(frames))
        elif frames:
            self._pong = frames[-1]

    def resume_writing(self) -> None:
        """The peer has taken what was sent."""
        super().resume_writing()
        pong, self._pong = self._pong, b""
        if pong and not self.close_sent:
            self.transport.write(pong)

    def send_keepalive_ping(self) -> None:
        """Ask whether the peer is there."""
        super().send_keepalive_ping()
        self._note()

    def keepalive_timeout(self) -> None:
        """Close a socket whose peer is not there. uvicorn's application would learn it with its next message.

        A ping may stand behind megabytes: while the peer takes those, it has more time.
        """
        if self._behind and self.transport.taken > self._taken and self.ping_timeout is not None:
            self._note()
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        self.pong_timer = None
        self.pending_ping_payload = None
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.fail(_NOT_THERE, "No answer to a ping: connect again")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _NOT_THERE})

    def _note(self) -> None:
        self._taken = self.transport.taken
        self._behind = self.transport.get_write_buffer_size() > 0

    def handle_close(self, event: Frame) -> None:
        """End with the peer's close frame, which uvicorn has answered: nothing may follow, no close frame either."""
        super().handle_close(event)
        self.close_sent = True

    def shutdown(self) -> None:
        """Tell the application that the server stops. In uvicorn a socket that is not accepted yet could still be."""
        if self.handshake_complete and not self.close_sent and not self.disconnected:
            self._stops = True
            self.stop_keepalive()
            # The application waits for what it still sends, and this for a peer that takes it.
            self.transport.wait(transport.CLOSING_SECONDS)
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1012})
            return
        super().shutdown()
        if not self.handshake_complete:
            self.disconnected = True
        self.close_sent = True

    async def send(self, message: Any) -> None:
        """Send a message. That of the end waits for nobody: uvicorn's would wait until the peer has read the rest."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)
        if message["type"] == "websocket.close" and self._stops and self.close_timer is not None:
            self.close_timer.cancel()
            self._end()
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # uvicorn would log that the application has given no answer.
            self.handshake_complete = True

    def _end(self) -> None:
        """Abort soon after the peer has taken everything; `door.transport` sees to peers that take nothing."""
        if self.transport.get_write_buffer_size():
            self.close_timer = self.loop.call_later(_LOOK_SECONDS, self._end)
        else:
            self.close_timer = self.loop.call_later(_STOP_SECONDS, self.transport.abort)

    def handle_parser_exception(self) -> None:
        """Close a socket whose peer sent what cannot be read, or what is too large.

        What it still sends is thrown away: with uvicorn's immediate close the system would answer that with a reset,
        which overtakes the close frame.
        """
        close = self.conn.close_sent
        if self.close_sent or close is None:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # RFC 6455, 7.1.1: the server ends the connection first, so that the client need not wait.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
