"""Identifiers: TypeIDs (https://github.com/jetify-com/typeid), a UUIDv7 behind a prefix that names the type."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from typeid import TypeID
from typeid.errors import TypeIDException

from models import clock
from models.fault import ErrorCode, Fault

EVENT_PREFIX = "evt"


def new_id(prefix: str) -> str:
    """A new identifier such as `cus_01kwef3q8seemv6gzaf2w8kdhe`; ascending in time, which is the clock's."""
    if clock.is_set():
        # It asks for the UUID of another library, and reads only what every UUID has.
        return str(TypeID.from_uuid(_uuid7(clock.now()), prefix))  # type: ignore[arg-type]
    return str(TypeID(prefix))


def _uuid7(at: datetime) -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7): milliseconds since 1970, then random bits around version and variant."""
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62))


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
