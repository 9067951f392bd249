"""Workers that are killed while they send: nothing is lost, and whatever may arrive twice says so.

Each worker is a process that is killed at some moment between its first message and its last transaction.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from audit import Change
from models import Database, Row
from services.communications import record
from tests.audit.rows import by_ada
from tests.services.communications.drafts import addressee, contact_at, draft
from tests.services.mail.sending import state, waiting
from tests.smtp_server import SENDER, SmtpServer, smtp_server

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
MESSAGES, KILLS = 200, 7
LONG_MESSAGES, LONG_KILLS = 600, 20
PATIENCE = 120
Begin = Callable[[str], Awaitable[tuple[int, Callable[[], Awaitable[None]]]]]


@asynccontextmanager
async def forked(environment: dict[str, str]) -> AsyncIterator[Begin]:
    """Workers of a process that has loaded everything already."""
    command = (sys.executable, "-m", "tests.counterfoil.mail_worker")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def begin(how: str) -> tuple[int, Callable[[], Awaitable[None]]]:
        stdin.write(f"{how}\n".encode())
        word, pid = (await stdout.readline()).decode().split()
        assert word == "worker"

        async def ended() -> None:
            assert (await stdout.readline()).startswith(b"end ")

        return int(pid), ended

    try:
        yield begin
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        stdin.close()
        await process.communicate()


@asynccontextmanager
async def commands(environment: dict[str, str]) -> AsyncIterator[Begin]:
    """`python -m counterfoil worker`, each time from the beginning."""
    running: list[Process] = []

    async def begin(how: str) -> tuple[int, Callable[[], Awaitable[None]]]:
        options = ["--once"] if how == "once" else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "counterfoil", "worker", *options, cwd=ROOT, env=environment
        )
        running.append(process)

        async def ended() -> None:
            await process.wait()

        return process.pid, ended

    try:
        yield begin
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110  (a process is watched)
            await asyncio.sleep(0.005)


async def recorded_messages(number: int) -> list[Row]:
    """So many messages to be sent, and half as many that were rolled back."""
    grace = await contact_at()
    sent = draft(*[addressee(grace) for _ in range(number)])
    unsent = draft(*[addressee(grace, email="rolled.back@example.com") for _ in range(number // 2)])

    async def work(change: Change) -> None:
        await record(change, unsent)
        raise ValueError("rolled back")

    with pytest.raises(ValueError, match="rolled back"):
        await by_ada(work)
    (_, deliveries), _ = await by_ada(partial(record, draft=sent))
    return deliveries


def check(server: SmtpServer, deliveries: list[Row], after: list[Row]) -> None:
    """All arrived, none that was rolled back, and what came more than once had said that it may."""
    times = Counter(each.id for each in server.received)
    assert set(times) == {row["message_id"] for row in deliveries}
    assert {address for each in server.received for address in each.recipients} == {"grace@example.com"}
    assert {row["status"] for row in after} == {"SENT"}
    flagged = {row["message_id"] for row in after if row["may_repeat"]}
    assert {identifier for identifier, number in times.items() if number > 1} <= flagged
    assert all(row["attempts"] >= times[row["message_id"]] for row in after)


async def test_killed_again_and_again_workers_lose_nothing_and_flag_what_may_arrive_twice(
    database: Database, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    long = request.config.getoption("--long")
    chance = random.Random(20261122)
    deliveries = await recorded_messages(LONG_MESSAGES if long else MESSAGES)
    async with smtp_server() as server:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DOCUMENTS_URL": (tmp_path / "documents").as_uri(),
            "COUNTERFOIL_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
            "COUNTERFOIL_SMTP_TIMEOUT": "0.5",
            "COUNTERFOIL_MAIL_SENDER": SENDER,
            "COUNTERFOIL_MAIL_BATCH": "10",
            "COUNTERFOIL_MAIL_LEASE": "1",
            "COUNTERFOIL_MAIL_POLL": "0.05",
            "COUNTERFOIL_LOG_LEVEL": "error",
        }
        async with (commands if long else forked)(environment) as begin:
            for _ in range(LONG_KILLS if long else KILLS):
                assert await waiting(database), "there are too few messages to kill so many"
                before = len(server.received)
                pid, ended = await begin("run")
                # At the latest when the lease of the one before has run out.
                await until(lambda before=before: len(server.received) > before)  # type: ignore[misc]
                await asyncio.sleep(chance.uniform(0, 0.12))
                os.kill(pid, signal.SIGKILL)
                await ended()
            async with asyncio.timeout(PATIENCE):
                while await waiting(database):
                    _, ended = await begin("once")
                    await ended()
                    await asyncio.sleep(0.1)
    after = await state(database)
    check(server, deliveries, after)
    # Otherwise this proves nothing.
    assert any(row["may_repeat"] for row in after)
