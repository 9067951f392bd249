"""Connections that wait are let go together, and for a server that does not listen any more nobody waits."""

from __future__ import annotations

import asyncio

import pytest

from services.mail import Encryption, Smtp
from services.mail.pool import Pool

pytestmark = pytest.mark.anyio


class Deaf:
    """A session whose server never answers, or breaks off in an unexpected way."""

    usable = True

    def __init__(self, *, breaks: bool = False) -> None:
        self._breaks = breaks
        self.said = False
        self.closed = False

    async def quit(self) -> None:
        self.said = True
        if self._breaks:
            raise ValueError("odd")
        await asyncio.Event().wait()

    def close(self) -> None:
        self.closed = True


async def test_goodbyes_are_said_at_once_and_then_all_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.mail.pool._GOODBYE", 0.01)
    pool = Pool(Smtp("127.0.0.1", 1, Encryption.OFF), "example.com")
    sessions = [Deaf(breaks=number == 1) for number in range(4)]
    for session in sessions:
        pool.give(session)  # type: ignore[arg-type]  # it speaks as one
    await pool.close()
    assert [(session.said, session.closed) for session in sessions] == [(True, True)] * 4
    assert not any(pool.has(session) for session in sessions)  # type: ignore[arg-type]
