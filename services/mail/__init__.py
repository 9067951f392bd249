"""Sending mail: how this process does it, as values.

The rest of this package makes messages and takes them to a mail server, or to a folder when there is none; it is
imported by whoever delivers, for it needs communications, which need this.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from enum import Enum
from functools import cached_property
from pathlib import Path


class Encryption(Enum):
    """How a connection to a mail server is encrypted; its certificate is verified in any case."""

    IMPLICIT = "implicit"
    REQUIRED = "required"
    OFFERED = "offered"
    OFF = "off"


@dataclass(frozen=True)
class Smtp:
    """The mail server that takes our mail. `timeout` is in seconds, for one step of a conversation.

    IMPLICIT encrypts from the first byte; REQUIRED and OFFERED use STARTTLS, and OFFERED does without where the server
    knows none. `ca_file` has the certificates that are trusted instead of the system's. With `dsn` the server is asked
    to report what becomes of each message, if it can (RFC 3461).
    """

    host: str
    port: int
    encryption: Encryption
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout: float = 30
    connections: int = 4
    dsn: bool = True

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """What is trusted. Reading it takes a moment."""
        return ssl.create_default_context(cafile=self.ca_file)


@dataclass(frozen=True)
class Mail:
    """How mail leaves: `sender` is the address in From and of the envelope, `portal_url` what links begin with;
    None when nobody has said it: then no links are sent.


    Without `smtp` messages are kept in the folder `maildir`. `headers` are what providers of mail need in the header of
    each message, made of its Message-ID, so that their reports find it. A worker claims `batch` messages at most at
    once, for `lease` seconds, and looks for those of other processes every `poll` seconds.
    """

    sender: str = "counterfoil@localhost"
    smtp: Smtp | None = None
    maildir: Path = Path("counterfoil-mail")
    portal_url: str | None = "http://127.0.0.1:8000/portal"
    headers: Sequence[Callable[[str], Mapping[str, str]]] = ()
    batch: int = 50
    lease: float = 600
    poll: float = 5

    @property
    def domain(self) -> str:
        """The right side of Message-IDs."""
        return Address(addr_spec=self.sender).domain

    @property
    def connections(self) -> int:
        """How many messages are under way at once."""
        return self.smtp.connections if self.smtp is not None else 1

    @property
    def attempt(self) -> float:
        """How many seconds an attempt may take in all. One that begins in the first half of the lease is over, and
        recorded, before the lease is.
        """
        return self.lease * 0.4


_bound: list[Mail] = [Mail()]


def bind(mail: Mail) -> None:
    """Let this process send mail so."""
    _bound[:] = [mail]


def current() -> Mail:
    """How this process sends mail."""
    return _bound[0]
