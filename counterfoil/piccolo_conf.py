"""What Piccolo's migrations ask for. `counterfoil.migrating` sets the engine for each run."""

from __future__ import annotations

import os
from typing import Any

from piccolo.conf.apps import AppRegistry
from piccolo.engine import Engine
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine

from models.engine.url import sqlite_path


class _Sqlite(SQLiteEngine):
    async def check_version(self) -> None:
        """Left out, as below; `start()` of our own engines checks."""

    async def get_connection(self) -> Any:
        """A connection that leaves checkpoints to the process that serves the file."""
        connection = await super().get_connection()
        await connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection


class _Postgres(PostgresEngine):
    async def check_version(self) -> None:
        """Left out: Piccolo would connect to whatever DATABASE_URL says while this module is imported."""

    async def prep_database(self) -> None:
        """No extensions are needed."""


def engine_for(url: str) -> Engine[Any]:
    """Piccolo's own engine for a database URL: it may write, and is used for nothing but migrations."""
    if url.startswith("sqlite:"):
        return _Sqlite(path=str(sqlite_path(url)))
    return _Postgres(config={"dsn": url})


DB = engine_for(os.environ.get("DATABASE_URL", "sqlite:///counterfoil.db"))
APP_REGISTRY = AppRegistry(apps=["models.piccolo_app", "audit.piccolo_app"])
