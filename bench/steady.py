"""The others: a process that sends small requests at a steady pace, whether earlier ones are answered or not.

It reads jobs, one JSON object a line, and answers each with one line (Steady and Felt say which fields).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import httpx
import uvloop

_PATIENCE = 60.0  # seconds for the last answer


@dataclass(frozen=True)
class Steady:
    """Send so many requests a second for so many seconds; `bodies` take turns."""

    port: int
    token: str
    bodies: list[str]
    rate: float
    seconds: float


@dataclass(frozen=True)
class Felt:
    """Percentiles of the time from when a request was due to its answer, in ms, and how many were not answered well."""

    requests: int
    p50: float
    p99: float
    failed: int


async def run(pace: Steady) -> Felt:
    """Do one job."""
    headers = {"authorization": f"Bearer {pace.token}", "content-type": "application/json"}
    base = f"http://127.0.0.1:{pace.port}"
    latencies: list[float] = []

    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=_PATIENCE) as client:

        async def send(body: str, due: float) -> bool:
            try:
                response = await client.post("/graphql", content=body)
            except httpx.TransportError:
                return False
            latencies.append((time.perf_counter() - due) * 1000)
            return response.status_code == 200

        started = time.perf_counter()
        sent = []
        for number in range(int(pace.rate * pace.seconds)):
            due = started + number / pace.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent.append(asyncio.create_task(send(pace.bodies[number % len(pace.bodies)], due)))
        answered = await asyncio.gather(*sent)
    cuts = statistics.quantiles(latencies, n=100, method="inclusive") if len(latencies) > 1 else [0.0] * 99
    return Felt(len(latencies), cuts[49], cuts[98], answered.count(False))


def main() -> None:
    """Do the jobs that come in, until there are no more."""
    for line in sys.stdin:
        print(json.dumps(asdict(uvloop.run(run(Steady(**json.loads(line)))))), flush=True)


if __name__ == "__main__":
    main()
