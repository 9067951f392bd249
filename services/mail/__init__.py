"""Sending mail: how this process does it."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address


@dataclass(frozen=True)
class Mail:
    """How mail leaves: `sender` is the address in From and of the envelope, `portal_url` what links begin with."""

    sender: str = "counterfoil@localhost"
    portal_url: str | None = None

    @property
    def domain(self) -> str:
        """The right side of Message-IDs."""
        return Address(addr_spec=self.sender).domain


_bound: list[Mail] = [Mail()]


def bind(mail: Mail) -> None:
    """Let this process send mail so."""
    _bound[:] = [mail]


def current() -> Mail:
    """How this process sends mail."""
    return _bound[0]
