"""The servers that are measured: each a process of its own, on a port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import psutil

COUNTERFOIL = "Counterfoil"
FLOOR = "hand-written"
PLAIN = "plain Strawberry"
CACHED = "plain Strawberry, caches on"

_ROOT = Path(__file__).parents[1]
_START_SECONDS = 60.0
_FACTORIES = {
    FLOOR: "bench.floor.app:application",
    PLAIN: "bench.plain.app:application",
    CACHED: "bench.plain.app:cached_application",
}


@dataclass(frozen=True)
class Server:
    """A running server."""

    variant: str
    port: int
    pid: int

    @property
    def memory(self) -> float:
        """The process's resident memory in MiB."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20

    @property
    def processor_time(self) -> float:
        """The seconds of processor time that the process has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def serving(variant: str, database_url: str, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server of the variant on the database. RuntimeError with its last words when it does not start."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")}
    # The seeded books are full of reminders that are due: to send them is not what is measured.
    environment["COUNTERFOIL_BACKGROUND"] = "false"
    with TemporaryFile() as log:
        process = subprocess.Popen(
            _command(variant, port),
            cwd=_ROOT,
            env={**environment, **(settings or {}), "DATABASE_URL": database_url},
            stdout=log,
            stderr=log,
        )
        try:
            if not _answers(process, port):
                log.seek(0)
                raise RuntimeError(f"{variant} did not start: {log.read()[-4000:].decode(errors='replace')}")
            yield Server(variant, port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(variant: str, port: int) -> Sequence[str]:
    if variant == COUNTERFOIL:
        return [sys.executable, "-m", "counterfoil", "serve", "--port", str(port)]
    options: Mapping[str, str] = {"port": str(port), "loop": "uvloop", "http": "httptools", "log-level": "warning"}
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "uvicorn", "--factory", _FACTORIES[variant], "--no-access-log", *given]


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
