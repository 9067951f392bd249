"""Killed in the middle of writes: what was acknowledged is there, and there is no half change."""

from __future__ import annotations

import random
from collections import Counter

import pytest

import models
from audit.drift import drift
from audit.verification import verify_events
from tests.audit.rows import events
from tests.audit.writers import Writers

pytestmark = pytest.mark.anyio

KILLS = 10
LONG_KILLS = 50


async def check(url: str, acknowledged: list[list[int]]) -> None:
    """Nothing acknowledged is lost, no event is without its row, no row without its event, and writing goes on."""
    database = models.connect(url)
    await database.start()
    try:
        rows = await events(database)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert {seq for seqs in acknowledged for seq in seqs} <= {row["seq"] for row in rows}
        assert set(Counter(row["request_id"] for row in rows).values()) <= {5}
        assert await drift(database) == []
        assert await verify_events(database) == []
    finally:
        await database.stop()


async def test_a_killed_writer_loses_nothing_that_was_acknowledged(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    kills = LONG_KILLS if request.config.getoption("--long") else KILLS
    chance = random.Random(20261122)
    acknowledged: list[list[int]] = []
    async with Writers(database_url) as writers:
        for kill in range(1, kills + 1):
            acknowledged += await writers.run_and_kill(chance.uniform(0.02, 0.25))
            if kill % 5 == 0:
                await check(database_url, acknowledged)
        acknowledged += await writers.run(3)
        await check(database_url, acknowledged)
    assert len(acknowledged) > kills
