"""Messages of graphql-transport-ws, as a client sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from counterfoil.door.closing import Closing, Code
from counterfoil.door.decoding import parsed
from counterfoil.door.refusing import Refused

LONGEST_ID = 128


def message_of(text: str) -> Mapping[str, Any]:
    """A message: an object with a `type` and at most an object as payload ("Invalid message")."""
    try:
        message = parsed(text)
    except Refused as refused:
        raise Closing(Code.BAD_REQUEST, str(refused)) from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closing(Code.BAD_REQUEST, "Messages are JSON objects with a type")
    if not isinstance(message.get("payload"), dict | None):
        raise Closing(Code.BAD_REQUEST, "A payload is a JSON object")
    return message


def identifier_of(message: Mapping[str, Any]) -> str:
    identifier = message.get("id")
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= LONGEST_ID:
        raise Closing(Code.BAD_REQUEST, f"An id is a string of 1 to {LONGEST_ID} characters")
    return identifier


def with_authorization(headers: Headers, payload: Mapping[str, Any]) -> Headers:
    """The headers with `Authorization` from the payload, which browsers cannot send with a WebSocket."""
    found = [value for name, value in payload.items() if name.lower() == "authorization" and isinstance(value, str)]
    if not found:
        return headers
    others = [(name, value) for name, value in headers.raw if name != b"authorization"]
    # JSON holds what no header could: it becomes a token that nobody has.
    return Headers(raw=[*others, (b"authorization", found[0].encode())])
