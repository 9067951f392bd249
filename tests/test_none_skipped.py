"""What .ci/run relies on: with --none-skipped a run with a skipped test fails, and its last line says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKIPS = """
import pytest

def test_that_passes():
    pass

@pytest.mark.parametrize("number", range(2))
def test_that_lacks_something(number):
    pytest.skip("no browser here")

@pytest.mark.xfail(reason="not mended yet")
def test_that_fails():
    raise AssertionError
"""
SKIPS_ITSELF = 'import pytest\npytest.skip("no library here", allow_module_level=True)\n'


def run(folder: Path, *options: str) -> tuple[int, str]:
    """The exit code of the tests in a folder, and the last line of what they say."""
    plugins = ["-p", "xdist.plugin", "-p", "tests.none_skipped"]
    command = [sys.executable, "-m", "pytest", *plugins, "-c", "/dev/null", "--rootdir", str(folder)]
    # Of the other plugins that are installed, some take a second to import.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, *options, str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "workers"])
def test_a_skipped_test_fails_the_run_and_the_last_line_says_why(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_some.py").write_text(SKIPS)
    (tmp_path / "test_module.py").write_text(SKIPS_ITSELF)
    code, last = run(tmp_path, "--none-skipped", "--continue-on-collection-errors", *workers)
    told = "no browser here (2); not mended yet (1); no library here (1)"
    assert (code, last) == (1, f"--none-skipped: 4 skipped or expected to fail: {told}")


def test_it_is_only_reported_without_the_option_and_nothing_is_where_all_run(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(SKIPS)
    code, last = run(tmp_path)
    assert (code, "2 skipped, 1 xfailed" in last) == (0, True)
    code, last = run(tmp_path, "--none-skipped", "-k", "passes")
    assert (code, "1 passed" in last) == (0, True)
