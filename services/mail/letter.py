"""A message on its way: what the database says about it, and the bytes that leave (RFC 5322, MIME)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from audit import ActorKind
from models import CommunicationKind, RecipientField, Row, outbox
from services.communications.reports import HEADER
from services.mail import Mail, header

# Bodies are ASCII on the wire whatever they hold: every server takes that, and a repeat is the same bytes.
_POLICY = SMTP.clone(cte_type="7bit")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
# Their parts may not be in base64 (RFC 2046), and nobody writes to us about those.
_NOT_ATTACHED_AS = ("message", "multipart")
_WITH_LINK = frozenset({CommunicationKind.WELCOME.value, CommunicationKind.SET_PASSWORD.value})


@dataclass(frozen=True)
class Letter:
    """A claimed message: its row of the outbox, its communication, all its deliveries, and the settings."""

    message: Row
    communication: Row
    deliveries: Sequence[Row]
    settings: Row

    @property
    def id(self) -> str:
        """Its Message-ID, without brackets."""
        return str(self.message["message_id"])

    @property
    def leased_until(self) -> datetime:
        """Until when it is ours."""
        until: datetime = self.message["leased_until"]
        return until

    @property
    def open(self) -> list[Row]:
        """The deliveries that are still to be sent."""
        return outbox.still_open(self.message, self.deliveries)

    @property
    def wants_link(self) -> bool:
        """Whether a link to set a password stands in it, whose token is made when it leaves."""
        return self.communication["kind"] in _WITH_LINK


@dataclass(frozen=True)
class File:
    """An attachment with its bytes."""

    name: str
    media_type: str
    content: bytes


def write(letter: Letter, mail: Mail, text: str, html: str | None, files: Sequence[File], *, utf8: bool) -> bytes:
    """The message as it leaves, with these bodies. Same arguments, same bytes.

    `utf8` says that addresses may stand in its header which need SMTPUTF8.
    """
    return _header(letter, mail, utf8=utf8).encode("utf-8") + _body(letter.id, text, html, files)


def _header(letter: Letter, mail: Mail, *, utf8: bool) -> str:
    company = (letter.settings["company"] or {}).get("name") or ""
    reply_to = letter.settings["reply_to"]
    lines = [
        f"Date: {format_datetime(letter.communication['created_at'])}\r\n",
        header.addresses("From", [(company, mail.sender)], utf8=utf8),
    ]
    if reply_to and (utf8 or header.wire(reply_to).isascii()):
        lines.append(header.addresses("Reply-To", [(company, reply_to)], utf8=utf8))
    for name, field in (("To", RecipientField.TO), ("Cc", RecipientField.CC)):
        people = [(row["name"], row["email"]) for row in letter.deliveries if row["field"] == field.value]
        lines.append(header.addresses(name, people, utf8=utf8))
    lines += [header.text("Subject", letter.deliveries[0]["subject_line"]), f"Message-ID: <{letter.id}>\r\n"]
    # Some providers replace the Message-ID; a line that were encoded would not be found again.
    found_by = {HEADER: letter.id, **{name: value for make in mail.headers for name, value in make(letter.id).items()}}
    lines += [f"{name}: {value}\r\n" for name, value in found_by.items()]
    if _automatic(letter.communication["sent_by"]):
        lines.append("Auto-Submitted: auto-generated\r\n")
    return "".join(lines)


def _automatic(sent_by: Mapping[str, Any]) -> bool:
    """Whether nobody pressed a button (RFC 3834): a worker sent it. A machine with an API key has its id."""
    return sent_by["kind"] == ActorKind.SYSTEM.value and sent_by["id"] is None


def _body(message_id: str, text: str, html: str | None, files: Sequence[File]) -> bytes:
    part = EmailMessage(_POLICY)
    part.set_content(text)
    if html is not None:
        part.add_alternative(html, subtype="html")
    for file in files:
        main, _, sub = _media_type(file.media_type).partition("/")
        part.add_attachment(file.content, maintype=main, subtype=sub, filename=header.one_line(file.name))
    # The library would draw boundaries at random.
    seed = hashlib.sha256(message_id.encode()).hexdigest()[:32]
    for number, each in enumerate(part.walk()):
        if each.is_multipart():
            each.set_boundary(f"={seed}_{number}")
    return part.as_bytes()


def _media_type(said: str) -> str:
    media_type = said.partition(";")[0].strip()
    usable = _MEDIA_TYPE.fullmatch(media_type) and media_type.partition("/")[0].lower() not in _NOT_ATTACHED_AS
    return media_type if usable else "application/octet-stream"
