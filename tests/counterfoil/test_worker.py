"""The worker: woken by commits, patient with outages, ended with grace, inside `serve` and alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from mailbox import Maildir
from pathlib import Path
from typing import Any

import pytest

import models
from counterfoil import jobs
from counterfoil.app import create_app
from counterfoil.jobs import Job
from counterfoil.settings import read_settings
from counterfoil.worker import Worker
from models import Database
from services import documents, mail
from tests.counterfoil.command_line import look, run
from tests.counterfoil.log_lines import told
from tests.services.mail.sending import one, statuses, waiting
from tests.smtp_server import STALL, smtp_server

PATIENCE = 20


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def working(sent: mail.Mail, *some: Job) -> AsyncIterator[Worker]:
    worker = Worker(sent, documents.current(), some)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.end()
        async with asyncio.timeout(PATIENCE):
            await running


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_a_commit_of_its_own_process_wakes_it(database: Database) -> None:
    async with smtp_server() as server, working(server.settings(poll=3600)):
        await asyncio.sleep(0.05)
        await one()
        await until(lambda: len(server.taken) == 1)
        await one("alan@example.com")
        await until(lambda: len(server.taken) == 2)
    assert await statuses(database) == {"grace": "SENT", "alan": "SENT"}
    assert models.outbox.listeners == []


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_it_finds_what_other_processes_have_committed(database: Database) -> None:
    async with smtp_server() as server:
        sent = server.settings(poll=0.05)
        async with working(sent):
            await asyncio.sleep(0.02)
            heard, models.outbox.listeners[:] = list(models.outbox.listeners), []
            await one()
            models.outbox.listeners[:] = heard
            await until(lambda: len(server.taken) == 1)


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_it_outlives_a_database_that_is_away_and_says_so_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.worker._PAUSE", 0.02)
    await one()
    away = True
    look_up = models.outbox.look

    async def look_or_fail(now: Any) -> Any:
        if away:
            raise ConnectionRefusedError(111, "Connection refused")
        return await look_up(now)

    monkeypatch.setattr("models.outbox.look", look_or_fail)
    with told() as lines:
        async with smtp_server() as server, working(server.settings()):
            await asyncio.sleep(0.3)
            assert server.received == []
            away = False
            await until(lambda: len(server.taken) == 1)
    said = [(line["event"], line.get("what")) for line in lines]
    assert said == [("failed", "delivery"), ("works again", "delivery")]


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_what_could_not_be_recorded_is_recorded_when_the_database_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.worker._PAUSE", 0.02)
    failures = 3
    held = models.outbox.held

    async def held_or_fail(leases: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ConnectionResetError(104, "Connection reset")
        return await held(leases)

    monkeypatch.setattr("models.outbox.held", held_or_fail)
    await one()
    async with smtp_server() as server, working(server.settings()):
        await until(lambda: failures < 0)
    assert len(server.received) == 1
    [row] = await database.fetch("SELECT status, may_repeat FROM delivery")
    assert row == {"status": "SENT", "may_repeat": False}


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_a_mail_server_that_is_away_is_logged_once_and_without_addresses(database: Database) -> None:
    async with smtp_server() as server:
        sent = server.settings()
    with told() as lines:
        async with working(sent):
            for number in range(4):
                await one(f"person.{number}@example.com")
                async with asyncio.timeout(PATIENCE):
                    while set((await statuses(database)).values()) != {"DEFERRED"}:  # noqa: ASYNC110  (nobody tells)
                        await asyncio.sleep(0.01)
    assert set((await statuses(database)).values()) == {"DEFERRED"}
    assert [line["event"] for line in lines] == ["mail server not reached"]
    assert "@" not in str(lines)


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_told_to_end_it_waits_for_what_is_under_way(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.mail.delivering.GRACE", 0.1)
    await one()
    async with smtp_server() as server:
        server.content = [STALL]
        async with working(server.settings()):
            await until(lambda: len(server.received) == 1)
        assert await statuses(database) == {"grace": "UNKNOWN"}
        [row] = await waiting(database)
        assert (row["lease"], row["attempts"]) == (None, 1)


@pytest.mark.anyio
@pytest.mark.usefixtures("storage")
async def test_jobs_run_in_their_time_and_go_on_when_they_fail(database: Database) -> None:
    runs: list[str] = []

    def job(name: str, every: float, *, at_start: bool, fails: bool = False) -> Job:
        async def work() -> None:
            runs.append(name)
            if fails:
                raise OSError(28, "No space left on device")

        return Job(name, every, work, at_start)

    some = (
        job("often", 0.02, at_start=False),
        job("seldom", 3600, at_start=False),
        job("first", 3600, at_start=True),
        job("broken", 0.02, at_start=True, fails=True),
    )
    with told() as lines:
        async with smtp_server() as server, working(server.settings(), *some):
            await until(lambda: runs.count("often") > 2 and runs.count("broken") > 2)
    assert (runs.count("seldom"), runs.count("first")) == (0, 1)
    assert [(line["event"], line["what"]) for line in lines] == [("failed", "broken")]
    await Worker(mail.Mail(), documents.current(), some[:3]).once()
    assert (runs.count("seldom"), runs.count("first")) == (0, 2)


@pytest.mark.anyio
async def test_serve_delivers_unless_told_not_to(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    given = {"database_url": database_url, "maildir": folder, "documents_url": (tmp_path / "documents").as_uri()}
    quiet = create_app(read_settings(**given, background=False))
    async with quiet.router.lifespan_context(quiet):
        await one()
        assert models.outbox.listeners == []
    assert not folder.exists()
    app = create_app(read_settings(**given))
    async with app.router.lifespan_context(app):
        await until(lambda: len(models.outbox.listeners) == 1)
        await until(lambda: folder.exists() and len(Maildir(folder)) == 1)
    assert mail.current().maildir == folder


def test_the_command_does_what_is_due_and_ends(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mail"
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_MAILDIR", str(folder))
    monkeypatch.setenv("DOCUMENTS_URL", (tmp_path / "documents").as_uri())
    monkeypatch.setattr("counterfoil.logs.configure", lambda _: None)  # it would last
    ran: list[str] = []

    async def reminders() -> None:
        ran.append("reminders")

    monkeypatch.setattr(jobs, "JOBS", (*jobs.JOBS, Job("reminders", 60, reminders, at_start=True)))
    look(database_url, lambda _: one())
    result = run("worker", "--once")
    assert (result.exit_code, ran, len(Maildir(folder))) == (0, ["reminders"], 1)
    assert look(database_url, statuses) == {"grace": "SENT"}
    assert re.search(r"mail +no mail server is set: messages are kept in .*/mail\n", run("doctor").stdout)


def test_the_command_needs_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    result = run("worker", "--once")
    assert (result.exit_code, "does not exist. Run: python -m counterfoil migrate" in result.stderr) == (1, True)
