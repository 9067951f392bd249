"""`documents`: what it says about the bytes of documents, and what it removes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit import SYSTEM, Change, Request, transact
from models import Database, Document, Row
from services import customers
from services.documents.storage import content_path
from tests.counterfoil.command_line import look, run

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.fixture
def folder(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The storage of a database with one document, whose bytes are the word “test”."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    folder = tmp_path / "kept here"
    monkeypatch.setenv("DOCUMENTS_URL", folder.as_uri())

    async def make(change: Change) -> Row:
        customer = await customers.create(change, {"name": "Krume"})
        facts = {"name": "Letter.txt", "size": 4, "sha256": SHA256, "media_type": "text/plain"}
        uploader = {"uploader_kind": "SYSTEM", "uploader_name": "Somebody"}
        return await change.insert(Document, {"customer_id": customer["id"], **facts, **uploader})

    async def work(_: Database) -> None:
        await transact(SYSTEM, Request.new(), make)

    look(database_url, work)
    put(folder / content_path(SHA256), b"test")
    return folder


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (0, 0))


def test_check_says_that_all_is_well(folder: Path) -> None:
    assert run("documents", "check").stdout == "1 contents are there.\n"
    assert run("documents", "check", "--hash").stdout == "1 contents are whole.\n"


def test_check_names_what_is_wrong(folder: Path) -> None:
    put(folder / content_path(SHA256), b"TEST")
    assert run("documents", "check").exit_code == 0
    found = run("documents", "check", "--hash")
    assert (found.exit_code, found.stdout) == (1, f"{SHA256}: other bytes than were uploaded\n")
    (folder / content_path(SHA256)).unlink()
    found = run("documents", "check")
    assert (found.exit_code, found.stdout) == (1, f"{SHA256}: the bytes are missing\n")
    assert "1 of 1 contents are not as they were uploaded." in found.stderr


def test_sweep_removes_what_no_document_names(folder: Path) -> None:
    put(folder / content_path("ab" * 32), b"orphan")
    put(folder / "uploads" / "ab", b"half")
    said = run("documents", "sweep").stdout
    assert said == "Removed 1 contents that nothing names and 1 uploads that broke off: 10 bytes.\n"
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / content_path(SHA256)]
    assert run("documents", "sweep").stdout.startswith("Removed 0 contents")


def test_a_database_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    for command in ("sweep", "check"):
        assert "does not exist" in run("documents", command).stderr
