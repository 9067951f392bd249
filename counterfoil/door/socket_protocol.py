"""uvicorn's WebSockets, with one difference: a peer who is refused, or closed for cause, gets to read the cause."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Seconds in which a peer may answer the close frame of a server that stops.
_STOP_SECONDS = 1.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """The closing handshake (RFC 6455, 7.1) for peers that do not read, and for those that send what is not read.

    When the server stops the application is told by a `websocket.disconnect` with 1012, as by uvicorn's; but the
    connection is still there, for the answers of what runs and for the application's own close.
    """

    _stops = False

    def shutdown(self) -> None:
        """Tell the application."""
        if not self.handshake_complete or self.close_sent or self.disconnected:
            super().shutdown()
            return
        self._stops = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1012})

    def data_received(self, data: bytes) -> None:
        """Read what has come. A handshake that cannot be read is refused, or its connection would stay for ever."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.close_sent:
            # websockets has an answer to heads that are too large; others are malformed, or have a body.
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or self.conn.reject(HTTPStatus.BAD_REQUEST, "Bad handshake.").serialize())
            self.handshake_complete = self.close_sent = True
            self.transport.close()

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

    async def send(self, message: Any) -> None:
        """Send a message. That of the end waits for nobody: uvicorn's would wait until the peer has read the rest."""
        stuck = message["type"] == "websocket.close" and not self.writable.is_set()
        if stuck:
            self.writable.set()
        await super().send(message)
        if message["type"] == "websocket.close" and (stuck or self._stops) and self.close_timer is not None:
            self.close_timer.cancel()
            seconds = _STOP_SECONDS if self._stops else self.close_timeout
            self.close_timer = self.loop.call_later(seconds, self.transport.abort)

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
