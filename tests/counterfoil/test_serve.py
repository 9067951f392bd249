"""`serve` as people run it: a process of its own, from an empty database to a signed-in administrator."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.beginning import has_begun
from counterfoil import migrating
from tests.counterfoil.command_line import look, run
from tests.dialects import on_sqlite

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { token errors { message } } }"


class Served:
    """A running `serve`; its output gathers in files."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self.out = out
        self.err = err

    def base(self) -> str:
        """Where it answers; waits until it is ready."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(r"at (http://\S+)/graphql", self.err.read_text("utf-8"))
            if found is not None:
                try:
                    if httpx.get(f"{found[1]}/readyz").status_code == 200:
                        return found[1]
                except httpx.TransportError:
                    pass
            time.sleep(0.1)
        raise AssertionError(f"not ready:\n{self.err.read_text('utf-8')}")

    def stop(self) -> int:
        """End it as a service manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(folder: Path, url: str, *options: str, **settings: str) -> Iterator[Served]:
    out, err = folder / "out.txt", folder / "err.txt"
    command = [sys.executable, "-m", "counterfoil", "serve", "--port", "0", *options]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url, **settings}, stdout=stdout, stderr=stderr
        )
        try:
            yield Served(process, out, err)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def signed_in(base: str, email: str, password: str) -> dict[str, Any]:
    variables = {"input": {"email": email, "password": password}}
    answer = httpx.post(f"{base}/graphql", json={"query": SIGN_IN, "variables": variables}).json()
    result: dict[str, Any] = answer["data"]["signIn"]
    return result


def test_on_an_empty_database_serve_migrates_and_makes_an_administrator(
    tmp_path: Path, empty_database_url: str
) -> None:
    with serving(tmp_path, empty_database_url) as served:
        base = served.base()
        email, password = re.findall(r"(?:Email|Password) +(\S+)", served.out.read_text("utf-8"))
        assert signed_in(base, email, password)["errors"] == []
        page = httpx.get(f"{base}/graphql", headers={"accept": "text/html"})
        assert (page.status_code, "server" in page.headers) == (200, False)
        served.stop()
    logs = served.err.read_text("utf-8")
    assert email not in logs
    assert password not in logs
    assert '"path":"/graphql"' in logs
    with serving(tmp_path, empty_database_url) as again:
        again.base()
    assert "Password" not in again.out.read_text("utf-8")


@on_sqlite("test_demo.py fills both databases, and the test before this one serves both.")
def test_serve_demo_answers_with_demo_users_and_only_fills_an_empty_database(
    tmp_path: Path, empty_database_url: str
) -> None:
    with serving(tmp_path, empty_database_url, "--demo") as served:
        base = served.base()
        said = served.out.read_text("utf-8")
        password = re.search(r"Password +(\S+)", said)
        auditor = re.search(r"Auditor +(\S+)", said)
        assert password is not None
        assert auditor is not None
        assert signed_in(base, auditor[1], password[1])["errors"] == []
    with serving(tmp_path, empty_database_url, "--demo") as again:
        again.base()
    assert "no demo data was added" in again.err.read_text("utf-8")


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
def test_several_processes_serve_postgresql(tmp_path: Path, empty_database_url: str) -> None:
    with serving(tmp_path, empty_database_url, "--workers", "2") as served:
        base = served.base()
        for _ in range(10):
            assert httpx.get(f"{base}/readyz").status_code == 200
        served.stop()
    assert served.err.read_text("utf-8").count("Application startup complete") == 2


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
def test_a_postgresql_with_tables_is_not_migrated_behind_its_owners_back(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def add_table(database: Any) -> None:
        async with database.write() as transaction:
            await transaction.fetch("CREATE TABLE theirs (id integer)")

    look(empty_database_url, add_table)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    refused = run("serve", "--port", "0")
    assert refused.exit_code == 1
    lacking = f"lacks {len(migrating.expected(empty_database_url))} migrations of this version."
    assert f"{lacking} Run: python -m counterfoil migrate" in refused.stderr
    assert run("migrate").exit_code == 0
    assert not look(empty_database_url, lambda _: has_begun())


def test_several_processes_on_sqlite_are_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///never-made.db")
    result = run("serve", "--workers", "2")
    assert (result.exit_code, "SQLite is served by one process" in result.stderr) == (1, True)
    assert not Path("never-made.db").exists()


def test_a_taken_port_and_a_strange_host_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/never-made.db")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert (result.exit_code, result.stderr) == (
        1,
        f"counterfoil: cannot listen on 127.0.0.1, port {port}: Address already in use\n",
    )
    assert run("serve", "--host", "host.invalid").stderr.startswith("counterfoil: cannot listen on host.invalid")
    assert not (tmp_path / "never-made.db").exists()
