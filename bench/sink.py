"""A mail server that takes everything and keeps nothing: a process of its own.

It prints its port, then for each line that it reads how many messages it has taken since the last one, and when the
first of them began (seconds since 1970).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

_OFFERED = b"250-sink\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n"
_END = b"\r\n.\r\n"


class Taken:
    """What has been taken since somebody asked."""

    messages = 0
    first: float | None = None


class _Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._buffer = b""
        self._content = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is another class
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._buffer += data
        while (answer := self._next()) is not None:
            if self._transport is not None:
                self._transport.write(answer)

    def _next(self) -> bytes | None:
        end = _END if self._content else b"\r\n"
        line, found, rest = self._buffer.partition(end)
        if not found:
            return None
        self._buffer = rest
        if self._content:
            self._content = False
            self._taken.messages += 1
            return b"250 2.0.0 taken\r\n"
        command = line[:4].upper()
        if command == b"MAIL" and self._taken.first is None:
            self._taken.first = time.time()
        if command == b"DATA":
            self._content = True
            return b"354 go on\r\n"
        if command == b"QUIT" and self._transport is not None:
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
            return None
        return _OFFERED if command == b"EHLO" else b"250 OK\r\n"


async def _run() -> None:
    taken = Taken()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Conversation(taken), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps([taken.messages, taken.first]), flush=True)
        taken.messages, taken.first = 0, None


if __name__ == "__main__":
    uvloop.run(_run())
