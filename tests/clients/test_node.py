"""Clients of the world of JavaScript, each in a module of this folder that Node's own test runner runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import NODE, PACKAGES, Served

# Seconds: far longer than anything here takes.
PATIENCE = 60

pytestmark = pytest.mark.skipif(not PACKAGES.exists(), reason="npm's packages are not here: scripts/clients says why")


def run(module: str, folder: Path, served: Served) -> None:
    """Run a module. Its tests that fail are told as Node tells them."""
    # A test that has failed may have left a socket open, for which Node would wait.
    options = ["--test-reporter=spec", f"--test-timeout={PATIENCE * 1000}", "--test-force-exit"]
    told = {"URL": served.url, "EMAIL": served.email, "PASSWORD": served.password, "NO_COLOR": "1"}
    done = subprocess.run(
        [str(NODE), *options, f"{module}.mjs"],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{module}.mjs:\n{done.stdout}{done.stderr}", pytrace=False)
    assert re.search("^. pass [1-9]", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("module", ["audit", "graphql-ws", "graphql-sse", "apollo", "urql"])
def test_a_client_works_as_its_users_expect(module: str, modules: Path, served: Served) -> None:
    run(module, modules, served)


def test_relay_compiles_the_schema_and_its_documents_run(
    modules: Path, compiled: subprocess.CompletedProcess[str], served: Served
) -> None:
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    run("relay", modules, served)
