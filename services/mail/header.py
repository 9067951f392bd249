"""The header of a message, line by line.

Each line is written here, from values without line breaks, and none is folded again: what somebody is called cannot
become another header or another recipient, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.header import Header

import idna

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_LONGEST_PLAIN = 60
_FOLD = "\r\n "
# What may stand in an address on a line of a header or of SMTP. Quoted local parts are rare, and not taken.
_ADDRESS = re.compile(r'[^\s<>"(),:;@\[\]\\\x00-\x20\x7f]+@[^\s<>"(),:;@\[\]\\\x00-\x20\x7f]+')


class NoAddress(ValueError):
    """It cannot be written to, in whatever form."""


def wire(address: str) -> str:
    """The address as it is sent: its domain in ASCII (IDNA 2008), so only the rest can need SMTPUTF8. NoAddress."""
    if not _ADDRESS.fullmatch(address) or _CONTROL.search(address):
        raise NoAddress(address)
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise NoAddress(address) from error
    return f"{local}@{domain}"


def one_line(value: str) -> str:
    """The text without line breaks and other characters that control something."""
    return " ".join(_CONTROL.sub(" ", value).split())


def text(name: str, value: str) -> str:
    """A header of free text, with its line end."""
    cleaned = one_line(value)
    plain = cleaned.isascii() and len(cleaned) <= _LONGEST_PLAIN and "=?" not in cleaned
    return f"{name}: {cleaned if plain else _encoded(cleaned, len(name) + 2)}\r\n"


def addresses(name: str, people: Iterable[tuple[str, str]], *, utf8: bool) -> str:
    """A header of (name, address), one to a line, with its line end; empty without any.

    Whose address cannot be written, or only where `utf8` may be, stands there by name, in a group without members.
    """
    written = [_mailbox(who, address, utf8=utf8) for who, address in people]
    return f"{name}: {f',{_FOLD}'.join(written)}\r\n" if written else ""


def _mailbox(name: str, address: str, *, utf8: bool) -> str:
    phrase = _phrase(name)
    try:
        sent = wire(address)
    except NoAddress:
        sent = ""
    if not sent or not (utf8 or sent.isascii()):
        return f"{phrase or 'undisclosed'}:;"
    return f"{phrase}{_FOLD}<{sent}>" if phrase else f"<{sent}>"


def _phrase(name: str) -> str:
    cleaned = one_line(name)
    if not cleaned.isascii() or len(cleaned) > _LONGEST_PLAIN or "=?" in cleaned:
        return _encoded(cleaned, 0)
    if _ATOMS.fullmatch(cleaned) or not cleaned:
        return cleaned
    escaped = cleaned.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(value: str, before: int) -> str:
    """Encoded words (RFC 2047), each on a line of its own."""
    words = Header(value, "utf-8", maxlinelen=75, header_name=" " * max(0, before - 2)).encode(linesep="\n")
    return words.replace("\n ", _FOLD)
