"""Refusals of one client come in turn; on a clock of the test's own."""

from __future__ import annotations

import asyncio
import json

import pytest

from counterfoil.door.pace import BYTES, LONGEST, MOST_TURNS, SAVED, Pace
from tests.client import Client
from tests.counterfoil.log_lines import told

PER_SECOND = 4


def test_what_comes_too_often_waits_for_its_turn() -> None:
    kept = Pace(PER_SECOND)
    at_once = int(SAVED * PER_SECOND) + 1
    assert [kept.wait("a", 100.0) for _ in range(at_once)] == [0.0] * at_once
    assert [kept.wait("a", 100.0) for _ in range(3)] == [0.25, 0.5, 0.75]
    # Others are not kept waiting.
    assert kept.wait("b", 100.0) == 0.0
    # Time pays it off, and no more is saved than at the beginning.
    assert kept.wait("a", 101.0) == 0.0
    # What is larger takes several turns, which the next one waits for.
    assert [kept.wait("c", 100.0, 3), kept.wait("c", 100.0)] == [0.0, 3 / PER_SECOND - SAVED]
    assert [kept.wait("a", 1000.0) for _ in range(at_once + 1)] == [*[0.0] * at_once, 0.25]


def test_nobody_waits_longer_than_the_longest_time() -> None:
    kept = Pace(PER_SECOND)
    waits = [kept.wait("a", 100.0) for _ in range(100)]
    assert waits == sorted(waits)
    assert (waits[-1], kept.wait("a", 100.0 + LONGEST)) == (LONGEST, 0.0)


def test_who_asks_too_early_loses_nothing_by_it() -> None:
    kept = Pace(1 / 10)
    allowed = [second for second in range(61) if kept.free("a", 100.0 + second)]
    assert allowed == [0, 10, 20, 30, 40, 50, 60]


def test_who_has_been_quiet_is_forgotten() -> None:
    kept = Pace(PER_SECOND)
    for number in range(10):
        kept.wait(str(number), 100.0)
    assert len(kept._due) == 10
    kept.wait("another", 200.0)
    assert list(kept._due) == ["another"]


def test_an_ipv6_network_is_one_client() -> None:
    kept = Pace(PER_SECOND)
    waits = [kept.wait(f"2001:db8:0:1::{number:x}", 100.0) for number in range(10)]
    assert waits[-1] > 0
    assert len(kept._due) == 1
    assert kept.wait("2001:db8:0:2::1", 100.0) == 0.0


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_only_refusals_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[tuple[str | None, int]] = []

    async def kept(_: Pace, address: str | None, read: int) -> float:
        waited.append((address, read))
        return 0.0

    monkeypatch.setattr(Pace, "kept", kept)
    for text, status in (("{ __typename }", 200), ("{ unknown }", 422), ("{", 400)):
        waited.clear()
        body = json.dumps({"query": text})
        response = await client.http.post("/graphql", content=body, headers={"content-type": "application/json"})
        assert response.status_code == status
        assert waited == ([] if status == 200 else [("127.0.0.1", len(body))])
    assert (await client.http.post("/unknown")).status_code == 404
    assert len(waited) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_the_log_tells_waiting_from_working(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def kept(*_: object) -> float:
        await asyncio.sleep(0.3)
        return 0.3

    monkeypatch.setattr(Pace, "kept", kept)
    with told() as entries:
        await client.http.post("/unknown")
    [request] = [entry for entry in entries if entry["event"] == "request"]
    assert request["waited_ms"] == 300
    started = asyncio.get_running_loop().time()
    with told() as entries:
        await client.http.get("/healthz")
    [request] = [entry for entry in entries if entry["event"] == "request"]
    assert "waited_ms" not in request
    assert 0 <= request["ms"] <= (asyncio.get_running_loop().time() - started) * 1000


@pytest.mark.anyio
async def test_waiting_takes_time() -> None:
    kept = Pace(50)
    loop = asyncio.get_running_loop()
    started = loop.time()
    # What was saved, and ten turns more.
    for _ in range(int(SAVED * 50) + 1):
        await kept.kept("a", 0)
    await kept.kept("a", 100 * BYTES)
    await kept.kept("a", 0)
    assert loop.time() - started >= MOST_TURNS / 50
