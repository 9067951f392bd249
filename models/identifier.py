"""Identifiers: TypeIDs (https://github.com/jetify-com/typeid), a UUIDv7 behind a prefix that names the type."""

from __future__ import annotations

from typeid import TypeID
from typeid.errors import TypeIDException

from models.fault import ErrorCode, Fault

EVENT_PREFIX = "evt"


def new_id(prefix: str) -> str:
    """A new identifier such as `cus_01kwef3q8seemv6gzaf2w8kdhe`; ascending in time."""
    return str(TypeID(prefix))


def prefix_of(identifier: str) -> str | None:
    """The type prefix of a well-formed identifier, else None. Event ids are `evt_` and a number."""
    prefix, _, suffix = identifier.rpartition("_")
    if prefix == EVENT_PREFIX:
        return prefix if suffix.isascii() and suffix.isdigit() and len(suffix) < 19 else None
    try:
        TypeID.from_string(identifier)
    except (TypeIDException, ValueError):
        return None
    return prefix or None


def check_id(identifier: str, prefix: str, *field: str | int) -> str:
    """Return `identifier` when it has the form of a `prefix` id; otherwise Fault INVALID at `field`."""
    if prefix_of(identifier) != prefix:
        raise Fault(
            ErrorCode.INVALID, f"This is not an ID of the expected type: it should begin with {prefix}_.", field or None
        )
    return identifier
