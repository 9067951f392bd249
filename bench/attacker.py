"""The attacker: a process that sends what is to be refused, over some connections for a while.

It reads jobs, one JSON object a line, and answers each with one line (Assault and Met say which fields).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import itertools
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

COUNTER = "@counter@"
DIGEST = "@digest@"
_MIB = 2**20
_PIECE = b" " * 64 * 1024
_CODE = re.compile(rb'"code":"([A-Z_]+)"')
# Clients of one address may open 100 sockets.
_OF_ONE_ADDRESS = 90
_OPENED_PER_SECOND = 400


@dataclass(frozen=True)
class Assault:
    """What to do: `kind` names it, `body` and `headers` are what HTTP requests carry.

    COUNTER in them is a number that rises, DIGEST a new hash. `bulk` is how many MiB a body has.
    """

    kind: str
    port: int
    seconds: float
    connections: int
    counter: int = 0
    token: str | None = None
    body: str = ""
    headers: str = ""
    bulk: int = 0


@dataclass(frozen=True)
class Met:
    """How often what was answered in so many seconds: a status or a close code, with the error's code."""

    answers: dict[str, int]
    seconds: float


class _Attack:
    def __init__(self, job: Assault) -> None:
        self.job = job
        self._packed = _bomb(job.kind, job.bulk)
        self.until = time.monotonic() + job.seconds
        self.met: Counter[str] = Counter()
        self._numbers = itertools.count(job.counter)

    def head(self, more: str = "", **filled: str) -> bytes:
        authorization = f"Authorization: Bearer {self.job.token}\r\n" if self.job.token else ""
        own = self.job.headers.replace(COUNTER, str(next(self._numbers)))
        kind = "Content-Type: application/json\r\n"
        return f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}{kind}{own}{more}\r\n".encode()

    async def requests(self, _number: int) -> None:
        """One request after the other."""
        while time.monotonic() < self.until:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.job.port)
            kept = True
            while kept and time.monotonic() < self.until:
                body = self._packed or self._body()
                writer.write(self.head(f"Content-Length: {len(body)}\r\n") + body)
                kept = await self._answer(reader)
            writer.close()

    async def bulk(self, _number: int) -> None:
        """Large bodies, sent on until the server closes the connection."""
        chunked = self.job.kind == "chunked"
        size = self.job.bulk * _MIB
        length = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {size}\r\n"
        piece = b"%x\r\n%b\r\n" % (len(_PIECE), _PIECE) if chunked else _PIECE
        while time.monotonic() < self.until:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.job.port)
            answered = asyncio.create_task(self._answer(reader))
            writer.write(self.head(length))
            with suppress(ConnectionError):
                for _ in range(size // len(_PIECE)):
                    writer.write(piece)
                    await writer.drain()
                    if time.monotonic() > self.until and answered.done():
                        break
            await answered
            writer.close()

    async def slow(self, _number: int) -> None:
        """A body of one byte a second."""
        while time.monotonic() < self.until:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.job.port)
            answered = asyncio.create_task(self._answer(reader))
            writer.write(self.head("Content-Length: 1000\r\n"))
            while not answered.done():
                with suppress(ConnectionError):
                    writer.write(b" ")
                await asyncio.wait([answered], timeout=1)
            writer.close()

    async def sockets(self, number: int) -> None:
        """A socket that does nothing, after connection_init when there is a token."""
        address = f"127.0.0.{2 + number // _OF_ONE_ADDRESS}"
        await asyncio.sleep(number / _OPENED_PER_SECOND)
        try:
            async with connect(
                f"ws://127.0.0.1:{self.job.port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                local_addr=(address, 0),
                compression=None,
                open_timeout=60,
                ping_interval=None,
            ) as socket:
                if self.job.token:
                    payload = {"Authorization": f"Bearer {self.job.token}"}
                    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
                async with asyncio.timeout(max(0, self.until - time.monotonic())):
                    while True:
                        await socket.recv()
        except ConnectionClosed as closed:
            self.met[str(closed.rcvd.code if closed.rcvd else "closed")] += 1
        except (TimeoutError, OSError) as error:
            self.met["open" if isinstance(error, TimeoutError) else type(error).__name__] += 1

    def _body(self) -> bytes:
        number = str(next(self._numbers))
        digest = hashlib.sha256(number.encode()).hexdigest() if DIGEST in self.job.body else ""
        return self.job.body.replace(COUNTER, number).replace(DIGEST, digest).encode()

    async def _answer(self, reader: asyncio.StreamReader) -> bool:
        """Count one answer; whether the connection can be used again."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1]) if length else 0)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.met["closed"] += 1
            return False
        if b"content-encoding: gzip" in head.lower():
            body = gzip.decompress(body)
        code = _CODE.search(body)
        self.met[f"{head[9:12].decode()} {code[1].decode() if code else ''}".strip()] += 1
        return b"connection: close" not in head.lower()


def _bomb(kind: str, mebibytes: int) -> bytes:
    """So many MiB of zeros in gzip, once or twice."""
    if kind not in ("bomb", "nested bomb"):
        return b""
    packed = gzip.compress(bytes(mebibytes * _MIB))
    return gzip.compress(packed) if kind == "nested bomb" else packed


async def run(job: Assault) -> Met:
    """Do one job."""
    attack = _Attack(job)
    ways: dict[str, Callable[[int], Awaitable[None]]] = {
        "plain": attack.bulk,
        "chunked": attack.bulk,
        "slow": attack.slow,
        "sockets": attack.sockets,
    }
    way = ways.get(job.kind, attack.requests)
    started = time.monotonic()
    await asyncio.gather(*(way(number) for number in range(job.connections)))
    return Met(dict(attack.met), time.monotonic() - started)


def main() -> None:
    """Do the jobs that come in, until there are no more."""
    for line in sys.stdin:
        print(json.dumps(asdict(uvloop.run(run(Assault(**json.loads(line)))))), flush=True)


if __name__ == "__main__":
    main()
