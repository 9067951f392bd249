"""How many messages a second one worker takes from the outbox to a mail server on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import audit
import models
from bench import seed
from bench.scale import Scale
from bench.stores import Stores
from models import CommunicationKind, RecipientReason
from services import communications
from services.communications import Addressee, Draft, Message

NAME = "mail"
TITLE = "statements that wait in the outbox, by one worker to a mail server that takes everything"
STORE = "main"

_ROOT = Path(__file__).parents[1]
_AT_ONCE = 100
_TEXT = "Dear {name},\n\n" + "Please find the state of your account below.\n" * 20
_HTML = "<p>Dear {name},</p>" + "<p>Please find the state of your account below.</p>" * 20


@dataclass(frozen=True)
class MailFigure:
    """Messages a second on one database: the median over the rounds."""

    dialect: str
    rate: float


def measure(stores: Stores, dialect: str, scale: Scale, report: Callable[[str], None]) -> MailFigure:
    """Let a worker deliver `scale.messages` messages, once in each round.

    The time runs from the first command about a message to the last event that one was taken.
    """
    rates = []
    with stores.copy(dialect, STORE) as url, _sink() as sink, TemporaryDirectory() as folder:
        # The reminders that are due in the seeded books go first, and do not count.
        _deliver(url, sink.port, folder)
        sink.ask()
        for number in range(scale.rounds):
            report(f"{dialect}, {NAME}, round {number + 1} of {scale.rounds}")
            asyncio.run(_enqueue(url, scale.messages))
            _deliver(url, sink.port, folder)
            taken, first = sink.ask()
            if taken != scale.messages:
                raise RuntimeError(f"{NAME}: {taken} of {scale.messages} messages were taken")
            rates.append(scale.messages / (asyncio.run(_last(url)) - first))
    return MailFigure(dialect, statistics.median(rates))


class Sink:
    """The mail server's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._line())

    def ask(self) -> tuple[int, float]:
        """How many messages it has taken since the last time, and when the first began."""
        if self._process.stdin is None:
            raise RuntimeError("the mail server has no pipes")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        messages, first = json.loads(self._line())
        return int(messages), float(first or 0)

    def _line(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the mail server has no pipes")
        return self._process.stdout.readline()


@contextmanager
def _sink() -> Iterator[Sink]:
    command = [sys.executable, "-m", "bench.sink"]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Sink(process)


def _deliver(url: str, port: int, folder: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")}
    settings = {
        "DATABASE_URL": url,
        "DOCUMENTS_URL": Path(folder).as_uri(),
        "COUNTERFOIL_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "COUNTERFOIL_MAIL_SENDER": "accounts@example.com",
        "COUNTERFOIL_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "counterfoil", "worker", "--once"]
    subprocess.run(command, cwd=_ROOT, env={**environment, **settings}, check=True)


async def _enqueue(url: str, messages: int) -> None:
    async with seed.opened(url) as database:
        rows = await database.fetch("SELECT * FROM contact WHERE email IS NOT NULL ORDER BY id LIMIT ?", messages)
        for start in range(0, messages, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, messages))
            drafts = [_draft(rows[number % len(rows)]) for number in numbers]
            await audit.transact(audit.SYSTEM, audit.Request.new(), partial(_record, drafts=drafts))


async def _record(change: audit.Change, drafts: list[Draft]) -> None:
    for draft in drafts:
        await communications.record(change, draft)


def _draft(contact: models.Row) -> Draft:
    name = str(contact["first_name"] or contact["last_name"])
    message = Message("Your statement", _TEXT.format(name=name), _HTML.format(name=name))
    to = Addressee(contact, contact["email"], None, [RecipientReason.DESIGNATED], message)
    return Draft(
        kind=CommunicationKind.STATEMENT,
        customer_id=contact["customer_id"],
        template=None,
        subject_line=message.subject_line,
        addressees=[to],
        separate=True,
    )


async def _last(url: str) -> float:
    async with seed.opened(url) as database:
        rows = await database.fetch(
            "SELECT e.at, d.status FROM event e JOIN delivery d ON d.id = e.subject_id"
            " WHERE e.action = 'delivery.updated' ORDER BY e.seq DESC LIMIT 1"
        )
    if not rows or rows[0]["status"] != "SENT":
        raise RuntimeError(f"{NAME}: the last delivery was not sent")
    return float(rows[0]["at"].timestamp())
