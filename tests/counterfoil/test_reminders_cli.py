"""`reminders run`: what it says about what it queued, and what it would."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from counterfoil import jobs
from models import Database, Row, clock
from tests.counterfoil.command_line import look, run
from tests.services.reminders.office import customer, invoice, opened


@pytest.fixture
def url(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with an invoice due today, and one of a customer without contacts."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DOCUMENTS_URL", (tmp_path / "kept here").as_uri())

    async def work(_: Database) -> None:
        await opened(0, 7)
        today = clock.now().date()
        for people in (1, 0):
            await invoice(await customer(people), today, issued_on=today - timedelta(days=30))

    look(database_url, work)
    return database_url


def test_it_queues_what_is_due_once(url: str) -> None:
    planned = run("reminders", "run", "--dry-run").stdout
    assert planned.count("on the due date | invoice ") == 2
    assert "@example.com" in planned
    assert "to nobody: NO_RECIPIENT" in planned
    assert run("reminders", "run").stdout == "1 sent, 1 suppressed, 0 left for the next run\n"
    assert run("reminders", "run").stdout == "0 sent, 0 suppressed, 0 left for the next run\n"
    assert run("reminders", "run", "--dry-run").stdout.count("sent already") == 2
    later = clock.now().date() + timedelta(days=7)
    assert run("reminders", "run", "--dry-run", "--date", later.isoformat()).stdout.count("7 days after") == 2


def test_a_worker_does_it_when_it_starts(url: str) -> None:
    [job] = [job for job in jobs.JOBS if job.name == "reminders"]
    assert job.at_start

    async def work(database: Database) -> list[Row]:
        await job.run()
        await job.run()
        return await database.fetch("SELECT suppressed FROM communication ORDER BY suppressed NULLS FIRST")

    assert [row["suppressed"] for row in look(url, work)] == [None, "NO_RECIPIENT"]


def test_only_the_plan_is_of_another_day(url: str) -> None:
    day = clock.now().date()
    for arguments in (["--date", day.isoformat()], ["--dry-run", "--date", (day - timedelta(days=2)).isoformat()]):
        refused = run("reminders", "run", *arguments)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert len(refused.stderr.splitlines()) == 1
