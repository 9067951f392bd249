"""Media types and codings: what a request's body is in, and what its answer may be in (RFC 9110, 8.3, 8.4, 12.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers

# GraphQL over HTTP, Media Types.
GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"

_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_TYPE = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+", re.ASCII)
_CODING = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_UTF_8 = ("utf-8", "utf8")


def content_type(header: str | None) -> tuple[str, str | None]:
    """The media type of a Content-Type header, and its charset; "" for a header that is missing or none."""
    kind, parameters = parse_options_header(header)
    charset = parameters.get(b"charset")
    return kind.decode("latin-1").lower(), None if charset is None else charset.decode("latin-1").lower()


def is_utf_8(charset: str | None) -> bool:
    """Whether the charset is UTF-8, which is assumed where none is said (GraphQL over HTTP, Media Types)."""
    return charset is None or charset in _UTF_8


def listed(headers: Headers, name: str) -> str | None:
    """The value of a header that is a list: its lines are one (RFC 9110, 5.3). None when there is none."""
    lines = headers.getlist(name)
    return ", ".join(lines) if lines else None


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """Which of the offered media types the header likes most; None when it accepts none of them.

    Without a header it is the first one. Of those that it likes alike, one that it names goes before one that only a
    wildcard covers, and then an earlier one before a later one.
    """
    if accept is None or not accept.strip(" \t,"):
        return offered[0]
    ranges = list(_weighed(accept, _TYPE))
    ranked = []
    for place, kind in enumerate(offered):
        matching = [(exactness, quality) for name, quality in ranges if (exactness := _matches(name, kind))]
        if matching:
            exactness, quality = max(matching)
            if quality > 0:
                ranked.append((quality, exactness, -place, kind))
    return max(ranked)[-1] if ranked else None


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether an answer may be packed (RFC 9110, 12.5.3)."""
    liked = dict(_weighed(accept_encoding or "", _CODING))
    return liked.get("gzip", liked.get("x-gzip", liked.get("*", 0.0))) > 0


def _matches(name: str, kind: str) -> int:
    if name == kind:
        return 3
    if name == kind.partition("/")[0] + "/*":
        return 2
    return 1 if name == "*/*" else 0


def _weighed(header: str, form: re.Pattern[str]) -> Iterator[tuple[str, float]]:
    """The names of a list with their qualities. What is malformed, or wants another charset, is passed over."""
    for element in header.split(","):
        name, *parameters = (part.strip().lower() for part in element.split(";"))
        if not form.fullmatch(name):
            continue
        quality: float | None = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = float(value) if _QUALITY.fullmatch(value.strip()) else None
            elif key.strip() == "charset" and not is_utf_8(value.strip().strip('"')):
                quality = None
        if quality is not None:
            yield name, quality
