"""Long work is done in threads, one at a time, also when those who wait for it are cancelled."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from counterfoil.door.turn import Turn

pytestmark = pytest.mark.anyio


async def test_the_next_turn_begins_when_the_thread_has_ended() -> None:
    turn, go_on = Turn(), threading.Event()
    running: list[int] = []
    most = 0

    def work(number: int) -> int:
        nonlocal most
        running.append(number)
        most = max(most, len(running))
        go_on.wait(10)
        running.remove(number)
        return number

    async def one(number: int) -> int:
        async with turn.taken() as aside:
            return await aside(lambda: work(number))

    tasks = [asyncio.create_task(one(number)) for number in range(4)]
    while not running:  # noqa: ASYNC110  (a thread has to begin)
        await asyncio.sleep(0.001)
    # The first is at it, the second waits: both leave at once.
    for task in tasks[:2]:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert running == [0]
    await asyncio.sleep(0.01)
    assert running == [0]
    go_on.set()
    assert await asyncio.gather(*tasks[2:]) == [2, 3]
    assert most == 1


async def test_what_goes_wrong_is_told_and_gives_the_turn_back() -> None:
    turn = Turn()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with turn.taken() as aside:
                await aside(lambda: 1 // 0)


def test_it_serves_in_one_event_loop_after_the_other() -> None:
    turn = Turn()

    async def left_waiting() -> None:
        async with turn.taken():
            waiting = asyncio.create_task(another())
            await asyncio.sleep(0)
            assert not waiting.done()
            asyncio.get_running_loop().stop()
            await asyncio.sleep(10)

    async def another() -> int:
        async with turn.taken() as aside:
            return await aside(lambda: 1)

    loop = asyncio.new_event_loop()
    left = loop.create_task(left_waiting())
    loop.run_forever()
    assert asyncio.run(another()) == 1
    left.cancel()
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(left)
    pending = asyncio.all_tasks(loop)
    loop.run_until_complete(asyncio.gather(*pending))
    loop.close()
