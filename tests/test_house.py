"""The house itself: packages, pinned requirements, documents. Nothing here needs a database."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
DEV: list[str] = PROJECT["dependency-groups"]["dev"]

LOCKS = ("runtime", "dev", "web")
WEB: list[str] = PROJECT["dependency-groups"]["web"]
PINNED = re.compile(r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[^\s;]+)", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.*-])/(?:work|root|Users|home/\w+)/")


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")


def pins(name: str) -> dict[str, Version]:
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in PINNED.finditer(lock_text(name))}


def our_files() -> list[Path]:
    """What git has or would add; without git, every file outside hidden folders."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        return [path for name in listed.split(b"\0") if name and (path := ROOT / os.fsdecode(name)).is_file()]
    inside = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in inside if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_resolves_inside_the_repository(package: str) -> None:
    # PyPI has packages called `schema` and `tests`, and a folder without __init__.py would give way to them.
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


@pytest.mark.parametrize(("lock", "wanted"), [("runtime", RUNTIME), ("dev", RUNTIME + DEV), ("web", WEB)], ids=LOCKS)
def test_every_dependency_is_pinned_at_a_version_that_fits(lock: str, wanted: list[str]) -> None:
    pinned = pins(lock)
    stale = [
        text
        for text in wanted
        if (need := Requirement(text)) and pinned.get(canonicalize_name(need.name), Version("0")) not in need.specifier
    ]
    assert stale == [], "run scripts/lock"


def test_what_dev_installs_holds_all_of_runtime() -> None:
    # scripts/serve relies on it: after scripts/test it installs nothing.
    assert pins("runtime").items() <= pins("dev").items()
    # scripts/web relies on it: with it there is one Node, whoever installed it.
    assert pins("web").items() <= pins("dev").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_that_do_not_depend_on_where_they_were_made(lock: str) -> None:
    text = lock_text(lock)
    for pin in PINNED.finditer(text):
        assert "--hash=sha256:" in text[pin.end() :].split("\n\n")[0].split("    # via")[0], pin[0]
    assert not re.search(r"://|--(?:extra-)?index|--find-links|--trusted-host|\bfile:|(?<![\w(])/\w", text)


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("command", ["scripts/serve", "scripts/test"])
def test_the_readme_names_the_command_and_it_can_be_run(command: str) -> None:
    assert command in (ROOT / "README.md").read_text("utf-8")
    assert os.access(ROOT / command, os.X_OK)


def test_no_file_mentions_a_path_of_somebodys_machine() -> None:
    found = []
    for path in our_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in MACHINE_PATH.finditer(text)]
    assert found == []
