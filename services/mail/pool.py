"""Connections to the mail server that wait for the next message."""

from __future__ import annotations

import asyncio

from services.mail import Smtp
from services.mail.session import NoSession, Session

# Seconds for which a server that could not be reached is left alone: those who wait fail alike, and not one by one.
_LEFT_ALONE = 1.0
# Seconds for saying goodbye, to all of them.
_GOODBYE = 2.0


class Pool:
    """Sessions with one server; `name` is what we call ourselves there. As many are open as are taken at once."""

    def __init__(self, server: Smtp, name: str) -> None:
        self._server = server
        self._name = name
        self._idle: list[Session] = []
        self._failed: tuple[float, str] | None = None

    async def take(self) -> tuple[Session, bool]:
        """A session, and whether it has been used before: the server may have closed such a one by now. NoSession."""
        while self._idle:
            session = self._idle.pop()
            if session.usable:
                return session, True
            session.close()
        now = asyncio.get_running_loop().time
        if self._failed is not None and now() < self._failed[0] + _LEFT_ALONE:
            raise NoSession(self._failed[1])
        try:
            return await Session.open(self._server, self._name), False
        except NoSession as error:
            self._failed = now(), str(error)
            raise

    def give(self, session: Session) -> None:
        """Give a session back, if another message can follow."""
        if session.usable:
            self._idle.append(session)

    def has(self, session: Session) -> bool:
        """Whether the session waits here."""
        return session in self._idle

    async def close(self) -> None:
        """End all that wait, saying goodbye to servers that listen."""
        idle, self._idle = self._idle, []
        try:
            async with asyncio.timeout(_GOODBYE):
                await asyncio.gather(*(session.quit() for session in idle), return_exceptions=True)
        except TimeoutError:
            pass
        finally:
            for session in idle:
                session.close()
