"""The load generator: a process of its own that keeps some connections busy for a while.

It reads jobs, one JSON object a line, and answers each with one line (Job and Outcome say which fields).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

VALUE = "@value@"
COUNTER = "@counter@"
CONNECTIONS = 8
_PATIENCE = 20.0  # seconds for the last answer


@dataclass(frozen=True)
class Job:
    """Send POST requests to a port of this machine. `values` take turns in the template's VALUE; its COUNTER is a
    number that begins with `counter` and rises with every request.
    """

    port: int
    path: str
    token: str
    template: str
    values: list[str]
    counter: int
    seconds: float
    connections: int = CONNECTIONS


@dataclass(frozen=True)
class Outcome:
    """How many requests were answered in how many seconds; percentiles of the time of each in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    error: str | None = None


class _Connection(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last one is complete."""

    def __init__(self, body: Callable[[], bytes], job: Job, until: float) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.error: str | None = None
        self._body = body
        self._head = (
            f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {job.token}\r\n"
            "Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self._until = until
        self._received = bytearray()
        self._expected = 0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.error = self.error or "the connection was closed"
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._received[:end]).lower()
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._expected = end + 4 + int(length)
        if len(self._received) >= self._expected:
            self._answered()

    def _send(self) -> None:
        body = self._body()
        self._sent = time.perf_counter()
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))

    def _answered(self) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        # A payload without errors has an empty list.
        if not self._received.startswith(b"HTTP/1.1 200") or b'"errors":[{' in self._received:
            self.error = self._received[:2000].decode(errors="replace")
        self._received.clear()
        self._expected = 0
        if now < self._until and self.error is None:
            self._send()
        else:
            self.closed.set_result(None)
            self._transport.close()


def _bodies(job: Job) -> Callable[[], bytes]:
    """A function that returns the next request's body."""
    bodies = itertools.cycle([job.template.replace(VALUE, value).encode() for value in job.values])
    if COUNTER not in job.template:
        return bodies.__next__
    numbers = itertools.count(job.counter)
    marker = COUNTER.encode()
    return lambda: next(bodies).replace(marker, b"%d" % next(numbers))


async def run(job: Job) -> Outcome:
    """Do one job."""
    loop = asyncio.get_running_loop()
    body = _bodies(job)
    started = time.perf_counter()
    until = started + job.seconds
    connections = []
    for _ in range(job.connections):
        _, connection = await loop.create_connection(lambda: _Connection(body, job, until), "127.0.0.1", job.port)
        connections.append(connection)
    _, silent = await asyncio.wait([connection.closed for connection in connections], timeout=job.seconds + _PATIENCE)
    elapsed = time.perf_counter() - started
    latencies = [latency * 1000 for connection in connections for latency in connection.latencies]
    error = next((connection.error for connection in connections if connection.error), None)
    if silent:
        error = error or f"nothing for {_PATIENCE} seconds"
    cuts = statistics.quantiles(latencies, n=100, method="inclusive") if len(latencies) > 1 else [0.0] * 99
    return Outcome(len(latencies), elapsed, cuts[49], cuts[98], error)


def main() -> None:
    """Do the jobs that come in, until there are no more."""
    for line in sys.stdin:
        outcome = uvloop.run(run(Job(**json.loads(line))))
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main()
