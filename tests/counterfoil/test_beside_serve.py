"""Two processes at one SQLite file: `serve` alone serves and checkpoints it; commands may write beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.cli import opening
from counterfoil.settings import read_settings
from models import Database
from tests.counterfoil.command_line import run
from tests.counterfoil.test_serve import serving
from tests.databases import sqlite_url

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite file that does not exist yet, in the environment."""
    url = sqlite_url(tmp_path / "data.db")
    monkeypatch.setenv("DATABASE_URL", url)
    return url


async def checkpoints_after(database: Database) -> int:
    """After how many pages the writer writes the log back; 0 is never."""
    async with database.write() as transaction:
        [row] = await transaction.fetch("PRAGMA wal_autocheckpoint")
    return int(row["wal_autocheckpoint"])


def test_a_second_serve_is_refused_until_the_first_one_ends(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path, url) as served:
        served.base()
        link = tmp_path / "link.db"
        link.symlink_to(tmp_path / "data.db")
        for same in (url, sqlite_url(link)):
            monkeypatch.setenv("DATABASE_URL", same)
            refused = run("serve", "--port", "0")
            assert (refused.exit_code, refused.stderr) == (
                1,
                f"counterfoil: {same} is served by another process already. Stop that one first.\n",
            )
        assert run("user", "add", "--email", "ada@example.com", "--name", "Ada").exit_code == 0
        served.process.kill()
        served.process.wait()
    with serving(tmp_path, url) as again:
        again.base()


async def test_only_who_serves_writes_the_log_back_while_it_runs(url: str) -> None:
    assert await served_checkpoints() > 0
    async with opening.opened(read_settings()) as database:
        assert await checkpoints_after(database) == 0


async def served_checkpoints() -> int:
    database = read_settings().database()
    await database.start()
    try:
        return await checkpoints_after(database)
    finally:
        await database.stop()


def test_what_a_command_wrote_is_in_the_file_when_it_ends(tmp_path: Path, url: str) -> None:
    assert run("user", "add", "--email", "ada@example.com", "--name", "Ada").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["data.db"]


@pytest.mark.parametrize("command", [["user", "list"], ["user", "disable", "ada@example.com"], ["doctor"]])
def test_who_looks_for_what_is_there_creates_no_database(tmp_path: Path, url: str, command: list[str]) -> None:
    result = run(*command)
    assert result.exit_code == 1
    assert f"{url} does not exist. Run: python -m counterfoil migrate" in result.output
    assert list(tmp_path.iterdir()) == []
