"""Large documents through a process that serves, as its operators and its clients see it."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.counterfoil.test_serve import Served, serving, signed_in
from tests.databases import sqlite_url
from tests.resolvers.documents import CREATE_CUSTOMER, UPLOAD_DOCUMENT

MIB = 1024 * 1024
MOST_ADDED = 20 * MIB
LINE = b"Forty-two characters of text, line by line\n" * 24
PATIENCE = 20


class Peak(threading.Thread):
    """Watches the resident memory of a process: `before` and the most that was seen."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.before = self.most = int(self._process.memory_info().rss)

    def run(self) -> None:
        """Look two hundred times a second."""
        while not self._over.wait(0.005):
            self.most = max(self.most, int(self._process.memory_info().rss))

    def added(self) -> int:
        """Stop, and say by how much it grew."""
        self._over.set()
        self.join()
        return self.most - self.before


@contextmanager
def desk(folder: Path, **settings: str) -> Iterator[tuple[Served, httpx.Client, str]]:
    """A process that serves, its administrator, and a customer."""
    with serving(folder, sqlite_url(folder / "books.db"), **settings) as served:
        base = served.base()
        email, password = re.findall(r"(?:Email|Password) +(\S+)", served.out.read_text("utf-8"))
        token = signed_in(base, email, password)["token"]
        with httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=120) as http:
            sent = {"query": CREATE_CUSTOMER, "variables": {"input": {"name": "Krume"}}}
            made = http.post("/graphql", json=sent).json()["data"]["createCustomer"]
            yield served, http, made["customer"]["id"]


def form(customer_id: str, size: int) -> Iterator[bytes]:
    """A request with a file of so many bytes, about 1 KiB at a time."""
    variables = {"input": {"customerId": customer_id, "file": None}}
    operations = json.dumps({"query": UPLOAD_DOCUMENT, "variables": variables})
    head = '--limit\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    yield head.format("operations", operations).encode()
    yield head.format("map", '{"0": ["variables.input.file"]}').encode()
    yield b'--limit\r\nContent-Disposition: form-data; name="0"; filename="Long.txt"\r\n\r\n'
    block = LINE * 64
    for start in range(0, size, len(block)):
        yield block[: size - start]
    yield b"\r\n--limit--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=limit", "Counterfoil-Upload": "1"}


def upload(http: httpx.Client, customer_id: str, size: int) -> dict[str, Any]:
    response = http.post("/graphql", content=form(customer_id, size), headers=FORM)
    payload = response.json()["data"]["uploadDocument"]
    assert payload["errors"] == []
    document: dict[str, Any] = payload["document"]
    return document


def test_memory_does_not_grow_with_the_size_of_a_document(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    size = (200 if request.config.getoption("--long") else 64) * MIB
    with desk(tmp_path) as (served, http, customer_id):
        # What the first of each loads is there once.
        http.get(upload(http, customer_id, 6 * MIB)["downloadUrl"])
        peak = Peak(served.process.pid)
        peak.start()
        document = upload(http, customer_id, size)
        received = 0
        with http.stream("GET", document["downloadUrl"]) as response:
            for block in response.iter_bytes():
                received += len(block)
        added = peak.added()
    assert (document["size"], received) == (size, size)
    assert added < MOST_ADDED, f"{added / MIB:.1f} MiB"
    stored = [path for path in (tmp_path / "books-documents").rglob("*") if path.is_file()]
    assert sorted(path.stat().st_size for path in stored) == [6 * MIB, size]


def test_a_client_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as (served, http, customer_id):
        address = urlsplit(str(http.base_url))
        head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: {http.headers['authorization']}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in FORM.items()) + f"Content-Length: {100 * MIB}\r\n\r\n"
        folder = tmp_path / "books-documents"
        with socket.create_connection((str(address.hostname), address.port or 80)) as connection:
            connection.sendall(head.encode())
            for piece, _ in zip(form(customer_id, 100 * MIB), range(200), strict=False):
                connection.sendall(piece)
            wait_until(lambda: bool(files(folder)))
        wait_until(lambda: not files(folder))
        wait_until(lambda: '"status":499' in served.err.read_text("utf-8"))
        text = "query ($id: ID!) { customer(id: $id) { documents { totalCount } history { totalCount } } }"
        found = http.post("/graphql", json={"query": text, "variables": {"id": customer_id}}).json()["data"]["customer"]
        assert found == {"documents": {"totalCount": 0}, "history": {"totalCount": 1}}
    assert '"level":"error"' not in served.err.read_text("utf-8")


def test_somebody_unknown_is_refused_before_the_body_comes(tmp_path: Path) -> None:
    with desk(tmp_path) as (_, http, _):
        address = urlsplit(str(http.base_url))
        with socket.create_connection((str(address.hostname), address.port or 80), PATIENCE) as connection:
            head = "POST /graphql HTTP/1.1\r\nHost: x\r\n" + "".join(f"{name}: {FORM[name]}\r\n" for name in FORM)
            connection.sendall(f"{head}Content-Length: {200 * MIB}\r\n\r\n".encode())
            assert connection.recv(64).startswith(b"HTTP/1.1 401 ")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def wait_until(happened: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)
