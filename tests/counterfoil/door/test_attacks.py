"""Attacks on a server that runs as people run it: what it reads, when it answers, and what memory it keeps.

`--long` opens 1,000 sockets, twice.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.counterfoil.test_serve import serving
from tests.dialects import on_sqlite

pytestmark = pytest.mark.anyio

MIB = 2**20
PIECE = b" " * 64 * 1024
ASKING = b'{"query": "{ __typename }"}'
# Far longer than anything here takes.
PATIENCE = 60
# What a server may keep of all this: Python gives memory back in large pieces only.
KEPT = 48 * MIB
# Clients of one address may open 100 sockets.
OF_ONE_ADDRESS = 100


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def begin(self, *headers: str) -> None:
        """Send the head of a request."""
        lines = ("POST /graphql HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, "", "")
        await self.send("\r\n".join(lines).encode())

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, str]:
        """The status of the next answer, with the error's code."""
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            body = json.loads(await self._reader.readexactly(int(length[1])))
        return int(head[9:12]), body["errors"][0]["extensions"]["code"] if "errors" in body else ""

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def wire(port: int) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", port))


async def announced(port: int) -> None:
    """Refused before a byte of it has been sent; what comes is thrown away, and the connection stays."""
    connection = await wire(port)
    await connection.begin(f"Content-Length: {100 * MIB}")
    assert await connection.answer() == (413, "BODY_TOO_LARGE")
    for _ in range(100 * MIB // len(PIECE)):
        await connection.send(PIECE)
    await connection.begin(f"Content-Length: {len(ASKING)}")
    await connection.send(ASKING)
    assert await connection.answer() == (200, "")
    connection.close()


async def chunked(port: int) -> None:
    """Refused as soon as more has come than a body may have."""
    connection = await wire(port)
    await connection.begin("Transfer-Encoding: chunked")
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    for _ in range(MIB // len(PIECE) + 1):
        await connection.send(chunk)
    assert await connection.answer() == (413, "BODY_TOO_LARGE")
    for _ in range(99 * MIB // len(PIECE)):
        await connection.send(chunk)
    connection.close()


async def packed(port: int) -> None:
    """A bomb is not unpacked further than a body may be long."""
    bomb = await asyncio.to_thread(gzip.compress, bytes(100 * MIB), 1)
    for body, expected in ((bomb, (413, "BODY_TOO_LARGE")), (gzip.compress(bomb), (400, "BAD_REQUEST"))):
        connection = await wire(port)
        await connection.begin("Content-Encoding: gzip", f"Content-Length: {len(body)}")
        await connection.send(body)
        assert await connection.answer() == expected
        connection.close()


async def slow(port: int) -> None:
    """A body that comes byte by byte is not waited for."""
    connection = await wire(port)
    await connection.begin("Content-Length: 1000")
    answered = asyncio.create_task(connection.answer())
    while not answered.done():
        with suppress(ConnectionError):
            await connection.send(b" ")
        await asyncio.wait([answered], timeout=0.2)
    assert answered.result() == (408, "BODY_TIMEOUT")
    connection.close()


async def idle(port: int, number: int) -> int | None:
    """The code with which the server closes a socket that says nothing."""
    subprotocol = Subprotocol("graphql-transport-ws")
    local = (f"127.0.0.{1 + number // OF_ONE_ADDRESS}", 0)
    address = f"ws://127.0.0.1:{port}/graphql"
    async with connect(address, subprotocols=[subprotocol], local_addr=local, open_timeout=PATIENCE) as socket:
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
    raise AssertionError("it has said something")


@on_sqlite("What is refused before GraphQL sees it does not depend on the database.")
async def test_attacks_are_refused_early_and_leave_nothing(
    tmp_path: Path, empty_database_url: str, request: pytest.FixtureRequest
) -> None:
    many, rounds = (1000, 2) if request.config.getoption("--long") else (50, 1)
    with serving(tmp_path, empty_database_url, COUNTERFOIL_BODY_TIMEOUT="2") as served:
        port = int((await asyncio.to_thread(served.base)).rpartition(":")[2])
        process = psutil.Process(served.process.pid)
        before = process.memory_info().rss
        for _ in range(rounds):
            async with asyncio.TaskGroup() as attacks:
                sockets = [attacks.create_task(idle(port, number)) for number in range(many)]
                for attack in (announced, chunked, packed, *[slow] * 20):
                    attacks.create_task(attack(port))
            assert {socket.result() for socket in sockets} == {4408}
        # And whoever asks then is answered.
        connection = await wire(port)
        await connection.begin(f"Content-Length: {len(ASKING)}")
        await connection.send(ASKING)
        assert await connection.answer() == (200, "")
        connection.close()
        assert process.memory_info().rss - before < KEPT
        served.stop()
    assert "Traceback" not in served.err.read_text("utf-8")
