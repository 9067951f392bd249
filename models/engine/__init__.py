"""The two databases behind one interface: pooled read-only connections, and one way to write.

Nothing outside this package opens a connection. Reads go through `Database.fetch` (and Piccolo's queries) on
connections that cannot write; writes go through `Database.write`.
"""

from __future__ import annotations

from models.engine.database import Database
from models.engine.postgres import PostgresDatabase
from models.engine.program import Program, Row, Statement
from models.engine.sqlite import SqliteDatabase
from models.engine.transaction import WriteTransaction
from models.engine.url import sqlite_path

__all__ = [
    "Database",
    "PostgresDatabase",
    "Program",
    "Row",
    "SqliteDatabase",
    "Statement",
    "WriteTransaction",
    "connect",
]


def connect(url: str, *, readers: int = 3, connections: int = 10, checkpoints: bool = True) -> Database:
    """The database at `url`, not started yet; nothing is opened before `start()`.

    `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`. Anything else: ValueError.
    `readers` are SQLite's connections that read, `connections` the most that PostgreSQL's pool has (2 or more).
    Two processes must not checkpoint one SQLite file at the same time: who works beside another does not.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        return SqliteDatabase(sqlite_path(url), readers=readers, checkpoints=checkpoints)
    if scheme in ("postgresql", "postgres"):
        return PostgresDatabase(url, max_size=connections)
    raise ValueError("The database URL must begin with sqlite:/// or postgresql://.")
