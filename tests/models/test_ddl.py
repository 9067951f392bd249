"""Changing tables: rebuilt on SQLite they keep rows, references and indexes; columns are added once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from counterfoil import piccolo_conf
from models import ddl

pytestmark = pytest.mark.anyio

NEW_SHAPE = 'CREATE TABLE "parent_new" (id TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK (size < 100))'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a parent that a child refers to, being migrated."""
    path = tmp_path / "rebuilt.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE parent (id TEXT PRIMARY KEY, size TEXT);
            CREATE TABLE child (id TEXT PRIMARY KEY, parent_id TEXT NOT NULL REFERENCES parent (id));
            INSERT INTO parent VALUES ('a', '7'), ('b', '8');
            INSERT INTO child VALUES ('c', 'a');
            """
        )
    monkeypatch.setenv("PICCOLO_CONF", "counterfoil.piccolo_conf")
    monkeypatch.setattr(piccolo_conf, "DB", piccolo_conf.engine_for(f"sqlite:///{path}"))
    return path


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


async def test_rows_references_and_indexes_survive(path: Path) -> None:
    await ddl.rebuild_table("parent", NEW_SHAPE, ["id", "size"], ["CREATE INDEX parent_size ON parent (size)"])
    assert rows(path, "SELECT id, size FROM parent ORDER BY id") == [("a", 7), ("b", 8)]
    assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'parent_size'") == [("parent_size",)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("DELETE FROM parent WHERE id = 'a'")


async def test_what_does_not_fit_the_new_shape_changes_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO parent VALUES ('d', '100')")
    before = rows(path, "SELECT * FROM sqlite_master ORDER BY name")
    with pytest.raises(sqlite3.IntegrityError):
        await ddl.rebuild_table("parent", NEW_SHAPE, ["id", "size"])
    assert rows(path, "SELECT * FROM sqlite_master ORDER BY name") == before
    assert len(rows(path, "SELECT id FROM parent")) == 3


async def test_broken_references_are_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO child VALUES ('x', 'nobody')")
    with pytest.raises(RuntimeError, match="would break 1 foreign keys"):
        await ddl.rebuild_table("parent", NEW_SHAPE, ["id", "size"])
    assert rows(path, "SELECT type FROM pragma_table_info('parent') WHERE name = 'size'") == [("TEXT",)]


async def test_columns_are_added_once_and_rows_take_their_default(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICCOLO_CONF", "counterfoil.piccolo_conf")
    monkeypatch.setattr(piccolo_conf, "DB", piccolo_conf.engine_for(empty_database_url))
    await ddl.execute(["CREATE TABLE parent (id TEXT PRIMARY KEY)", "INSERT INTO parent VALUES ('a')"])
    for _ in range(2):
        await ddl.add_columns("parent", {"size": "INTEGER NOT NULL DEFAULT 7", "key": "{key} REFERENCES parent (id)"})
    found = await ddl.migrating_engine().run_ddl('SELECT id, size, "key" FROM parent')
    assert [dict(row) for row in found] == [{"id": "a", "size": 7, "key": None}]
