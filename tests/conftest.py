"""Fixtures for tests that touch a database: each runs on SQLite and on PostgreSQL, on a database of its own."""

from __future__ import annotations

import gc
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from hypothesis import settings

import models
from audit.drift import drift
from audit.verification import verify_events
from services import documents, passwords
from services.documents import Storage
from tests import databases, storages

if TYPE_CHECKING:
    from tests.client import Client, ClientWith

pytest_plugins = ["tests.none_skipped"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that this project adds."""
    parser.addoption("--long", action="store_true", help="run the long form of the tests that have one")
    parser.addoption("--erp-samples", type=Path, metavar="DIR", help="also check every sample in this folder")


def pytest_configure(config: pytest.Config) -> None:
    """The markers that this project adds, compiled code for the processes that tests start, where their files go, and
    how much is tried.

    Tests are refused more often than other clients.
    """
    os.environ.setdefault("COUNTERFOIL_MAX_REFUSALS", "1000000")
    config.addinivalue_line(
        "markers", "forces_drift: the test leaves tables or history that somebody has tampered with"
    )
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        # Where Python is told to keep no compiled code, each of those processes would compile all that it imports.
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.rootpath / ".pytest_cache" / "bytecode")
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(databases.place())
    settings.register_profile("counterfoil", max_examples=500 if config.getoption("--long") else 40, deadline=None)
    settings.load_profile("counterfoil")


def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores: many tests wait for a timer, or for a process that starts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_collection_finish() -> None:
    """What has been imported stays: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Logs of failed tests show tracebacks as Python does: structlog's own way, with all values, takes minutes.

    Commands that a test ran in this process leave no handler behind: it would write to the closed files of that test.
    """
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    handlers, level = root.handlers[:], root.level
    shown = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, shown])
    yield
    root.handlers[:], access.disabled = handlers, False
    root.setLevel(level)


@pytest.fixture(autouse=True)
def password_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of passwords cost next to nothing here; test_passwords.py and processes that serve keep the real cost."""
    cheap = PasswordHasher(time_cost=1, memory_cost=128, parallelism=1, hash_len=32, salt_len=16)
    monkeypatch.setattr(passwords, "_hasher", cheap)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Only asyncio: the database drivers know no other."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    assert isinstance(request.param, str)
    return request.param


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run, the same in all its worker processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.PostgresDatabases]:
    """The PostgreSQL server; started by the first test that needs it."""
    with databases.postgres_server() as url, start_blocking_portal("asyncio") as portal:
        server = databases.PostgresDatabases(url, portal)
        yield server
        server.close()


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, shared_folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database, this test's own: without rows, or with what a `client` needs."""
    from counterfoil.migrating import migrate  # noqa: PLC0415  (the tests of the engine go without)

    name, prepare = ("defaults", _migrate_and_fill) if "client" in request.fixturenames else ("template", migrate)
    if dialect == "sqlite":
        path = tmp_path / "counterfoil.db"
        shutil.copyfile(databases.sqlite_template(shared_folder / f"{name}.db", prepare), path)
        yield databases.sqlite_url(path)
    else:
        server: databases.PostgresDatabases = request.getfixturevalue("postgres")
        with server.fresh(server.template(shared_folder / f"{name}.postgres", prepare)) as url:
            yield url


async def _migrate_and_fill(url: str) -> None:
    # The tests of the engine go without these three.
    from counterfoil.migrating import migrate  # noqa: PLC0415
    from services import defaults  # noqa: PLC0415
    from tests.client import first_administrator  # noqa: PLC0415

    await migrate(url)
    database = models.connect(url)
    await database.start()
    try:
        models.bind(database)
        await defaults.ensure()
        await first_administrator()
    finally:
        await database.stop()


@pytest.fixture
def empty_database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without tables, this test's own."""
    if dialect == "sqlite":
        yield databases.sqlite_url(tmp_path / "empty.db")
    else:
        server: databases.PostgresDatabases = request.getfixturevalue("postgres")
        with server.fresh("template0") as url:
            yield url


@pytest.fixture
async def database(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[models.Database]:
    """The migrated database, started and bound. After each test fold(history) = live tables, and leaves are right."""
    database = models.connect(database_url)
    await database.start()
    models.bind(database)
    try:
        yield database
        if request.node.get_closest_marker("forces_drift") is None:
            assert await drift(database) == []
            assert await verify_events(database) == []
    finally:
        await database.stop()


@pytest.fixture(scope="session")
def s3() -> Iterator[storages.S3]:
    """An S3 server; started by the first test that needs it."""
    with storages.s3_server() as server:
        yield server


@pytest.fixture
def storage(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """The storage of documents, bound and this test's own: a folder, or a bucket when the test asks for "s3"."""
    if getattr(request, "param", "folder") == "folder":
        url = (tmp_path / "documents").as_uri()
    else:
        server: storages.S3 = request.getfixturevalue("s3")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        url = server.new_bucket()
    storage = Storage(url, max_upload=storages.MAX_UPLOAD, quota=storages.QUOTA, allow_http=True)
    documents.bind(storage)
    return storage


@pytest.fixture
async def client(database: models.Database, storage: Storage) -> Client:
    """An administrator who talks to the application; it works on `database` and `storage`."""
    from tests.client import known_administrator  # noqa: PLC0415  (the tests of the engine go without)

    return await known_administrator()


@pytest.fixture
def client_with(database: models.Database) -> ClientWith:
    """`await client_with([permissions])`: somebody else who is signed in, with these permissions or none."""
    from tests.client import client_with as make  # noqa: PLC0415  (the tests of the engine go without)

    return make
