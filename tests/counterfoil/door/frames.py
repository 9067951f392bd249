"""WebSocket frames at the level of bytes (RFC 6455, 5.2): written rightly and wrongly, and read strictly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.counterfoil.door.socket import PATIENCE, PROTOCOL

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_KEY = b"\x37\xfa\x21\x3d"
HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
).encode()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A frame as a client sends it."""
    size = len(payload)
    head = bytes([(fin << 7) | (reserved << 4) | opcode])
    head += bytes([(masked << 7) | (size if size < 126 else 126 if size < 1 << 16 else 127)])
    if size >= 126:
        head += size.to_bytes(2 if size < 1 << 16 else 8, "big")
    if not masked:
        return head + payload
    return head + _KEY + bytes(byte ^ _KEY[place % 4] for place, byte in enumerate(payload))


def message(value: Any) -> bytes:
    """A text frame with a JSON value."""
    return frame(TEXT, json.dumps(value).encode())


@dataclass
class Peer:
    """A connection to the server after the handshake; `messages` are what has come so far, `code` why it was closed."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    messages: list[dict[str, Any]] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    code: int | None = None

    async def send(self, data: bytes) -> None:
        """Send bytes; the server may have hung up before it has read them."""
        self.writer.write(data)
        await self.writer.drain()

    async def next(self) -> bool:
        """Read one frame; False when it was the close frame. What a server must not send fails."""
        async with asyncio.timeout(PATIENCE):
            first, second = await self.reader.readexactly(2)
            # Servers send whole messages, without extensions and without masks (RFC 6455, 5.1).
            assert first & 0xF0 == 0x80, first
            assert second < 0x80, second
            wide = {126: 2, 127: 8}.get(second)
            size = int.from_bytes(await self.reader.readexactly(wide), "big") if wide else second
            payload = await self.reader.readexactly(size)
        opcode = first & 0x0F
        if opcode == CLOSE:
            self.code = int.from_bytes(payload[:2], "big") if payload else 1005
            payload[2:].decode()
            return False
        if opcode == PONG:
            self.pongs.append(payload)
        else:
            assert opcode == TEXT, opcode
            self.messages.append(json.loads(payload))
        return True

    async def ended(self) -> None:
        """Answer the close frame, and wait until the server has hung up."""
        try:
            await self.send(frame(CLOSE, self.code.to_bytes(2, "big") if self.code not in (None, 1005) else b""))
            async with asyncio.timeout(PATIENCE):
                while await self.reader.read(1000):
                    pass
        except ConnectionError:
            # It has, while there was more for it to read.
            return


@asynccontextmanager
async def peer(port: int) -> AsyncIterator[Peer]:
    """A socket whose handshake is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(HANDSHAKE)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield Peer(reader, writer)
    finally:
        writer.close()
