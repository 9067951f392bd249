"""What the fuzzers share: how many cases, drawing them all before any is sent, and what is left in memory."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from counterfoil.door.documents import Documents
from services.templates.checking import problems
from tests.counterfoil.door.socket import PATIENCE
from tests.counterfoil.test_serve import serving

T = TypeVar("T")

LONG = 2000
# Bytes: pages of memory that come and go anyway.
GROWTH = 8 * 1024 * 1024
_OURS = {"models", "audit", "services", "schema", "resolvers", "counterfoil"}


def many(request: pytest.FixtureRequest, few: int) -> int:
    """How many cases: `few`, the same in each run, or with `--long` 2,000 that nobody has seen before."""
    return LONG if request.config.getoption("--long") else few


async def drawn(strategy: SearchStrategy[T], count: int) -> list[T]:
    """So many examples. They are made first, on a thread: hypothesis knows nothing of event loops."""
    cases: list[T] = []

    @settings(
        max_examples=count,
        derandomize=count != LONG,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def gather(case: T) -> None:
        cases.append(case)

    await asyncio.to_thread(gather)
    return cases


async def left_behind() -> Counter[str]:
    """The objects of our classes that are alive, by class, and the tasks; without what caches keep on purpose."""
    for found in gc.get_objects():
        if isinstance(found, Documents):
            found._kept.clear()
            found._kept_of_strangers.clear()
    problems.cache_clear()
    while gc.collect():  # noqa: ASYNC110  (there is nothing to wait for)
        # Generators that nobody read to their end are closed by tasks, from the outermost to the innermost.
        await asyncio.sleep(0.01)
    kinds = (type(found) for found in gc.get_objects())
    alive = Counter(f"{kind.__module__}.{kind.__name__}" for kind in kinds if _is_ours(kind))
    alive["tasks"] = len(asyncio.all_tasks())
    return alive


async def assert_none_added(before: Counter[str]) -> None:
    """There are no more objects than before many cases. The last of them may still be held by what has served it."""
    added = await left_behind() - before
    assert max(added.values(), default=0) <= 2, added


def _is_ours(kind: type[Any]) -> bool:
    return str(kind.__module__).partition(".")[0] in _OURS


@dataclass(frozen=True)
class Server:
    """A process that serves."""

    port: int
    process: psutil.Process

    def resident(self) -> int:
        """Its resident memory, in bytes."""
        return int(self.process.memory_info().rss)

    async def until_connections(self, count: int) -> None:
        """Wait until it has so many open files; those of connections that have ended are closed then."""
        async with asyncio.timeout(PATIENCE):
            while self.process.num_fds() > count:  # noqa: ASYNC110  (it is another process)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def real_server(folder: Path, url: str, **settings: str) -> AsyncIterator[Server]:
    """`serve` in a process of its own. At the end it still answers, and its log knows of nothing that broke."""
    with serving(folder, url, COUNTERFOIL_BACKGROUND="false", **settings) as served:
        base = await asyncio.to_thread(served.base)
        yield Server(urlsplit(base).port or 0, psutil.Process(served.process.pid))
        await asyncio.to_thread(served.base)
        await asyncio.to_thread(served.stop)
        lines = served.err.read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines if not line.startswith("Serving ")]
    assert [entry for entry in entries if entry["level"] in ("error", "critical") or "exception" in entry] == []


async def assert_steady(server: Server, work: Callable[[list[T]], Awaitable[None]], cases: list[T]) -> None:
    """Work on both halves of the cases: the second one leaves no connection open, and takes no memory for good."""
    files = server.process.num_fds()
    await work(cases[: len(cases) // 2])
    await server.until_connections(files)
    before = server.resident()
    await work(cases[len(cases) // 2 :])
    await server.until_connections(files)
    # What one case kept would add up: 2,000 of them hold this much for less than 8 KiB each.
    assert server.resident() - before < GROWTH
