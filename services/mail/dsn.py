"""Asking a mail server to report what becomes of a message (RFC 3461)."""

from __future__ import annotations

from collections.abc import Iterator

_LONGEST_ENVID = 100


def of_message(message_id: str) -> Iterator[str]:
    """The parameters of MAIL: reports have the header only, and name the message by its Message-ID."""
    yield "RET=HDRS"
    name = _xtext(message_id)
    if len(name) <= _LONGEST_ENVID:
        yield f"ENVID={name}"


def of_recipient(address: str) -> Iterator[str]:
    """The parameters of RCPT: reports of every kind, which name the address as we know it."""
    yield "NOTIFY=SUCCESS,FAILURE,DELAY"
    yield f"ORCPT=rfc822;{_xtext(address)}" if address.isascii() else f"ORCPT=utf-8;{_utf8_xtext(address)}"


def _xtext(value: str) -> str:
    """The value as a parameter of SMTP (RFC 3461, section 4)."""
    return "".join(char if "!" <= char <= "~" and char not in "+=" else f"+{ord(char):02X}" for char in value)


def _utf8_xtext(value: str) -> str:
    """utf-8-addr-xtext of RFC 6533, section 3."""
    return "".join(char if "!" <= char <= "~" and char not in "+=\\" else f"\\x{{{ord(char):X}}}" for char in value)
