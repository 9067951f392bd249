"""One message that makes trouble keeps no other from being sent and recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit import Change
from models import Database, DeliveryStatus, Row, clock, current, outbox
from services import communications, documents
from services.mail import recording
from services.mail.attempting import Attempts
from services.mail.delivering import Delivering
from services.mail.letter import Letter
from services.mail.reply import Result
from tests.counterfoil.log_lines import told
from tests.services.mail.sending import deliver, one, set_clock, state, statuses, waiting
from tests.smtp_server import STALL, smtp_server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]


async def test_an_attempt_that_raises_is_unknown_and_its_siblings_are_recorded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Attempts.make

    async def make_or_raise(self: Attempts, letter: Letter) -> dict[str, Result]:
        results = await make(self, letter)
        if letter.deliveries[0]["email"] == "bad@example.com":
            raise KeyError("a bug")
        return results

    monkeypatch.setattr(Attempts, "make", make_or_raise)
    for name in ("first", "bad", "last"):
        await one(f"{name}@example.com")
    with set_clock(), told() as lines:
        async with smtp_server() as server:
            await deliver(server.settings())
    assert len(server.taken) == 3
    assert await statuses(database) == {"first": "SENT", "bad": "UNKNOWN", "last": "SENT"}
    [row] = await waiting(database)
    assert (row["lease"], row["attempts"]) == (None, 1)
    [line] = [line for line in lines if line["event"] == "attempt failed"]
    assert "KeyError" in str(line["exception"])


def poisoned(monkeypatch: pytest.MonkeyPatch, delivery: Row) -> None:
    """Let nothing be recorded about this delivery."""
    settle = communications.settle

    async def settle_or_raise(change: Change, outcomes: Any) -> list[Row]:
        if delivery["id"] in outcomes:
            raise ValueError("poison")
        return await settle(change, outcomes)

    monkeypatch.setattr(recording, "settle", settle_or_raise)


async def rounds(delivering: Delivering, number: int) -> list[str]:
    """What so many rounds raise."""
    raised = []
    for _ in range(number):
        try:
            await delivering.round()
        except ValueError as error:
            raised.append(str(error))
    return raised


async def test_a_result_that_cannot_be_recorded_blocks_no_other_and_is_dropped_with_its_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_clock() as time, told() as lines:
        bad = await one("bad@example.com")
        await one("good@example.com")
        poisoned(monkeypatch, bad)
        async with smtp_server() as server:
            delivering = Delivering(server.settings(lease=600), documents.current())
            assert await rounds(delivering, 2) == ["poison", "poison"]
            assert await statuses(database) == {"bad": "QUEUED", "good": "SENT"}
            # Neither claims nor recovery wait for it.
            await one("next@example.com")
            assert await rounds(delivering, 1) == ["poison"]
            assert (await statuses(database))["next"] == "SENT"
            assert "result dropped" not in [line["event"] for line in lines]
            late = await one("late@example.com")
            async with current().write():
                await outbox.claim("lost", clock.now(), clock.now() + timedelta(seconds=60), 1)
            time.move(seconds=601)
            assert await rounds(delivering, 2) == ["poison", "poison"]
            [dropped] = [line for line in lines if line["event"] == "result dropped"]
            assert (dropped["message"], "ValueError" in str(dropped["exception"])) == (bad["message_id"], True)
            assert [row["status"] for row in await state(database, late)] == ["SENT"]
            monkeypatch.undo()
            await rounds(delivering, 2)
            await delivering.rest()
    [after] = await state(database, bad)
    assert (after["status"], after["may_repeat"]) == ("SENT", True)
    assert await waiting(database) == []


async def test_what_a_server_has_taken_is_recorded_when_nobody_has_claimed_it_since(database: Database) -> None:
    with set_clock() as time:
        delivery = await one()
        async with smtp_server() as server:
            server.content = [STALL]
            slow = Delivering(server.settings(lease=600), documents.current())
            assert await slow.round()
            time.move(seconds=601)
            assert await recording.recover(clock.now(), 50) is None
            assert await statuses(database) == {"grace": "UNKNOWN"}
            [task] = slow._pending
            letter = Letter({**(await waiting(database))[0], "lease": "lost"}, {}, [delivery], {})
            made = recording.Attempted(letter, clock.now(), {delivery["id"]: Result(DeliveryStatus.SENT, "250 OK")})
            assert await recording.record_all([made]) == ([], None)
            assert await statuses(database) == {"grace": "SENT"}
            assert await waiting(database) == []
            task.cancel()
            await slow.round()
            await slow.rest()
    assert (await state(database))[0]["may_repeat"]
