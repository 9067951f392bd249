"""JSON as it comes in and goes out."""

from __future__ import annotations

import orjson
from cross_web import HTTPException


def decode(data: str | bytes) -> object:
    """JSON without what no database takes: invalid Unicode, and null characters anywhere. ValueError, or 400."""
    text = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    if b"\\u0000" in text and _has_null(orjson.loads(text)):
        raise HTTPException(400, "Text must not hold null characters.")
    return orjson.loads(text)


def _has_null(value: object) -> bool:
    # Without recursion: JSON may nest deeper than Python's stack.
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
    return False
