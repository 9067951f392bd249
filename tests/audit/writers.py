"""Writer processes, seen from a test."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]


class Writers:
    """`async with Writers(url) as writers`: a process that forks writers, one after the other; see tests.audit.writer.

    Both methods return the numbers of the events of each transaction that was acknowledged.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._started: Process | None = None

    async def __aenter__(self) -> Writers:
        command = (sys.executable, "-m", "tests.audit.writer", self._url)
        self._started = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.communicate()

    async def run(self, commits: int) -> list[list[int]]:
        """Let a writer commit so many transactions."""
        await self._begin(commits)
        acknowledged, status = await self._read_to_the_end()
        assert status == 0
        return acknowledged

    async def run_and_kill(self, seconds: float) -> list[list[int]]:
        """Let a writer write for so long, then send it SIGKILL."""
        writer = await self._begin(0)
        await asyncio.sleep(seconds)
        os.kill(writer, signal.SIGKILL)
        acknowledged, status = await self._read_to_the_end()
        assert os.WTERMSIG(status) == signal.SIGKILL
        return acknowledged

    @property
    def _process(self) -> Process:
        assert self._started is not None
        return self._started

    async def _begin(self, commits: int) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{commits}\n".encode())
        word, pid = await self._line()
        assert word == "writer"
        return int(pid)

    async def _read_to_the_end(self) -> tuple[list[list[int]], int]:
        acknowledged = []
        while (words := await self._line())[0] == "done":
            acknowledged.append([int(seq) for seq in words[1:]])
        assert words[0] == "end"
        return acknowledged, int(words[1])

    async def _line(self) -> list[str]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line.endswith(b"\n"), "the writers' process has ended"
        return line.decode().split()
