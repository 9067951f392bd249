"""The body of a request: unpacked, and read as JSON that a database can take."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Sequence

import orjson
from starlette.requests import Request

from counterfoil.door.pace import READ
from counterfoil.door.refusing import BodyRefused, Refused, body_too_large

# So many values may stand in lists and objects: each takes far more memory and time than its two bytes.
MOST_VALUES = 20_000
NULL = "Text must not hold null characters."
_BEFORE_VALUES = (b"[", b"{", b",")
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_GZIP = 16 + zlib.MAX_WBITS
# Escapes of a null character and of a backslash (RFC 8259, 7).
_NULL, _BACKSLASH = rb"\u0000", rb"\\"


async def read_body(request: Request, most: int) -> bytes:
    """The body, unpacked when it comes in gzip; it has at most `most` bytes either way. Refused."""
    coding = coding_of(request, ("gzip", "x-gzip"))
    if coding is None:
        return await request.body()
    body = await _unpacked(request.stream(), most)
    request.scope[READ] = len(body)
    return body


def coding_of(request: Request, taken: Sequence[str] = ()) -> str | None:
    """The coding of the body: None when it comes as it is. Refused with 415 for one that is not `taken`."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return None
    if coding not in taken:
        # RFC 9110, 15.5.16: this is how a client learns what it may use.
        raise Refused(
            415,
            "Content-Encoding: a body comes as it is, and JSON also in gzip.",
            "UNSUPPORTED_CONTENT_ENCODING",
            Accept_Encoding=", ".join([*taken[:1], "identity"]),
        )
    return coding


async def _unpacked(packed: AsyncIterator[bytes], most: int) -> bytes:
    """One gzip member (RFC 1952). No more than `most` bytes are ever unpacked."""
    unpacker = zlib.decompressobj(_GZIP)
    body = bytearray()
    try:
        async for piece in packed:
            body += unpacker.decompress(piece, most + 1 - len(body))
            if len(body) > most:
                raise body_too_large(most)
            if unpacker.unused_data:
                break
    except zlib.error:
        raise BodyRefused(400, "The body is not in gzip, as Content-Encoding says.") from None
    if not unpacker.eof or unpacker.unused_data:
        raise BodyRefused(400, "The body is not one complete gzip member.")
    return bytes(body)


def decode(data: str | bytes) -> object:
    """JSON without what no database takes: invalid Unicode, and null characters anywhere.

    Refused with 400, and with 413 when it has too many values.
    """
    value = parsed(data)
    if holds_null(data):
        raise Refused(400, NULL)
    return value


def parsed(data: str | bytes) -> object:
    """JSON in Unicode, also with null characters. Refused with 400, and with 413 when it has too many values."""
    text = _bytes(data)
    # Counting takes a thousandth of what making them takes; and what stands in the first texts is none.
    if _values(text) > MOST_VALUES and _values(_TEXT.sub(b"", text, MOST_VALUES)) > MOST_VALUES:
        raise Refused(413, f"JSON is limited to {MOST_VALUES:,} values.", "VALUE_LIMIT")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused(400, "This cannot be read as JSON in UTF-8.") from None


def _values(text: bytes) -> int:
    return sum(map(text.count, _BEFORE_VALUES))


def holds_null(data: str | bytes) -> bool:
    """Whether a text or a name in this JSON, which has been parsed, holds a null character."""
    text = _bytes(data)
    # Behind an escaped backslash it is none. There are backslashes in texts only.
    return _NULL in text and _NULL in text.replace(_BACKSLASH, b"")


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
