"""Just as much MIME as reports need (RFC 2045, RFC 2046): fields, and the parts of a message with their bytes.

The bytes come from anybody. Nothing here raises, whatever they are, and all of it ends.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

# Reports have three parts; whatever packs them adds a few.
_MOST_PARTS, _DEEPEST = 100, 5

_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A message or a part of one: its fields, by name in small letters, and its body as it was before encoding."""

    fields: dict[str, list[str]]
    body: bytes

    @property
    def type(self) -> str:
        """The media type in small letters, without parameters; text/plain when it does not say."""
        return self.first("content-type").partition(";")[0].strip().lower() or "text/plain"

    def first(self, name: str) -> str:
        """The first field of this name; empty without one."""
        return self.fields.get(name, [""])[0]

    def parameter(self, name: str) -> str:
        """A parameter of the media type; empty without one."""
        message = Message()
        message["Content-Type"] = self.first("content-type")
        return collapse_rfc2231_value(message.get_param(name, "")).strip()


def parse(data: bytes) -> Part:
    """The message, or the part of one, that these bytes are."""
    head, body = _split(data.replace(b"\r\n", b"\n"))
    fields = grouped(head)
    encoding = fields.get("content-transfer-encoding", [""])[0].strip().lower()
    if encoding == "base64":
        body = _base64(body)
    elif encoding == "quoted-printable":
        body = quopri.decodestring(body)
    return Part(fields, body.replace(b"\r\n", b"\n"))


def parts(message: Part) -> Iterator[Part]:
    """The message and all of its parts, outer ones first; what an enclosed message consists of is not among them."""
    waiting: deque[tuple[Iterator[Part], int]] = deque([(iter([message]), 0)])
    seen = 0
    while waiting and seen < _MOST_PARTS:
        siblings, depth = waiting[0]
        part = next(siblings, None)
        if part is None:
            waiting.popleft()
            continue
        seen += 1
        yield part
        boundary = part.parameter("boundary") if part.type.startswith("multipart/") else ""
        if boundary and depth < _DEEPEST:
            waiting.append((map(parse, _between(part.body, boundary)), depth + 1))


def grouped(head: bytes) -> dict[str, list[str]]:
    """Fields with their values on one line, without line breaks, by name in small letters; what is none is left out."""
    text = head.decode("utf-8", "replace")
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\r?\n(?=[ \t])", "", text).split("\n"):
        field = _FIELD.fullmatch(line)
        if field is not None:
            found.setdefault(field[1].lower(), []).append(" ".join(field[2].split()))
    return found


def _split(data: bytes) -> tuple[bytes, bytes]:
    if data.startswith(b"\n"):
        return b"", data[1:]
    head, _, body = data.partition(b"\n\n")
    return head, body


def _between(body: bytes, boundary: str) -> Iterator[bytes]:
    """What stands between the lines of the boundary; the last part may lack its end."""
    delimiter = re.compile(rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*$", re.MULTILINE)
    start: int | None = None
    for line in delimiter.finditer(body):
        if start is not None:
            yield body[start : max(start, line.start() - 1)]
        start = line.end() + 1
        if line[1]:
            return
    if start is not None:
        yield body[start:]


def _base64(body: bytes) -> bytes:
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    try:
        return binascii.a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")
    except binascii.Error:
        return b""
