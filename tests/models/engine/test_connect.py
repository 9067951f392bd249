"""URLs, starting and stopping."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.engine import Database, PostgresDatabase, SqliteDatabase, connect
from tests.models.engine.statements import add, ids

pytestmark = pytest.mark.anyio


def test_the_url_names_the_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    relative = connect("sqlite:///some%20where/data.db")
    assert isinstance(relative, SqliteDatabase)
    assert relative.path == str(tmp_path / "some where" / "data.db")
    absolute = connect("sqlite:////var/data.db")
    assert isinstance(absolute, SqliteDatabase)
    assert absolute.path == "/var/data.db"
    assert absolute.dialect == "sqlite"
    # Connecting does not reach for the server yet.
    assert isinstance(connect("postgresql://nobody@nowhere.invalid/nothing"), PostgresDatabase)
    assert connect("postgres://nobody@nowhere.invalid/nothing").dialect == "postgres"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:",
        "sqlite://data.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "mysql://h/d",
        "x",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite|database URL"):
        connect(url)


async def test_a_database_works_only_while_it_is_started(database: Database) -> None:
    await add(database, "a")
    await database.stop()
    await database.stop()
    with pytest.raises(RuntimeError, match="not started"):
        await ids(database)
    with pytest.raises(RuntimeError, match="not started"):
        await add(database, "b")
    assert not database.transaction_active()
    await database.start()
    assert await ids(database) == ["a"]
    await add(database, "b")
    assert await ids(database) == ["a", "b"]


async def test_a_database_is_started_once(database: Database) -> None:
    with pytest.raises(RuntimeError, match="started already"):
        await database.start()
    await add(database, "a")
    assert await ids(database) == ["a"]


@pytest.mark.parametrize("scheme", ["sqlite:///{}/missing/data.db", "postgresql://u@/d?host={}/missing"])
async def test_a_database_that_cannot_be_reached_says_so_and_can_be_tried_again(tmp_path: Path, scheme: str) -> None:
    database = connect(scheme.format(tmp_path))
    for _ in range(2):
        with pytest.raises(Exception, match=r"unable to open|No such file"):
            await database.start()
    await database.stop()
