"""Mail servers as people write them: smtp://user:password@host:587 or smtps://user:password@host."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from services.mail import Encryption
from services.mail.session import is_here

_FORM = "Write smtp://host, smtp://user:password@host:587 or smtps://user:password@host, with %40 for an @ inside."
_PORTS = {"smtp": 587, "smtps": 465}


class Server(NamedTuple):
    """What the URL of a mail server says."""

    host: str
    port: int
    implicit: bool
    user: str | None
    password: str | None


def read(url: str) -> Server:
    """The parts of the URL. ValueError, without quoting it: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(_FORM) from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise ValueError(_FORM)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{_FORM} Nothing follows the port; a / in the password is %2F.")
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    if (user is None) != (password is None) or user == "":
        raise ValueError("A user needs a password, and a password a user.")
    return Server(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def encryption(server: Server, starttls: str | None) -> Encryption:
    """How connections are encrypted: STARTTLS is required unless the server is on this machine. ValueError."""
    if server.implicit:
        if starttls is not None:
            raise ValueError("smtps:// is encrypted from the beginning: leave STARTTLS out, or write smtp://.")
        return Encryption.IMPLICIT
    if starttls is None:
        return Encryption.OFF if is_here(server.host) else Encryption.REQUIRED
    chosen = Encryption(starttls)
    if chosen is Encryption.OFF and server.user is not None and not is_here(server.host):
        raise ValueError("Without encryption the password would be readable on its way: use required.")
    return chosen
