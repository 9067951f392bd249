"""Refusals of one client come in turn; on a clock of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from counterfoil.door import pace
from counterfoil.door.pace import LONGEST, SAVED, Pace
from tests.client import Client

PER_SECOND = 4


def test_what_comes_too_often_waits_for_its_turn() -> None:
    kept = Pace(PER_SECOND)
    at_once = int(SAVED * PER_SECOND) + 1
    assert [kept.wait("a", 100.0) for _ in range(at_once)] == [0.0] * at_once
    assert [kept.wait("a", 100.0) for _ in range(3)] == [0.25, 0.5, 0.75]
    # Others are not kept waiting.
    assert kept.wait("b", 100.0) == 0.0
    # Time pays it off, and no more than a second's worth is saved.
    assert kept.wait("a", 101.0) == 0.0
    assert [kept.wait("a", 1000.0) for _ in range(at_once + 1)] == [*[0.0] * at_once, 0.25]


def test_nobody_waits_longer_than_the_longest_time() -> None:
    kept = Pace(PER_SECOND)
    waits = [kept.wait("a", 100.0) for _ in range(100)]
    assert waits == sorted(waits)
    assert (waits[-1], kept.wait("a", 100.0 + LONGEST)) == (LONGEST, 0.0)


def test_who_has_been_quiet_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_KEPT", 10)
    kept = Pace(PER_SECOND)
    for number in range(10):
        kept.wait(str(number), 100.0)
    assert kept.wait("0", 100.0) == 0.0
    assert len(kept._due) == 10
    kept.wait("another", 200.0)
    assert list(kept._due) == ["another"]


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_only_refusals_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str | None] = []

    async def kept(_: Pace, address: str | None) -> None:
        waited.append(address)

    monkeypatch.setattr(Pace, "kept", kept)
    for text, status in (("{ __typename }", 200), ("{ unknown }", 422), ("{", 400)):
        waited.clear()
        assert (await client.http.post("/graphql", json={"query": text})).status_code == status
        assert waited == ([] if status == 200 else ["127.0.0.1"])
    assert (await client.http.post("/unknown")).status_code == 404
    assert len(waited) == 2


@pytest.mark.anyio
async def test_waiting_takes_time() -> None:
    kept = Pace(50)
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(51 + 10):
        await kept.kept("a")
    assert loop.time() - started >= 0.19
