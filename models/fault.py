"""Expected failures: what a caller did wrong or has to know, never a bug."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class ErrorCode(Enum):
    """Why nothing changed. Values may be added."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    TAKEN = "TAKEN"
    LIMIT_REACHED = "LIMIT_REACHED"
    IN_USE = "IN_USE"
    READ_ONLY = "READ_ONLY"
    PRIMARY_REQUIRED = "PRIMARY_REQUIRED"
    SUCCESSOR_REQUIRED = "SUCCESSOR_REQUIRED"
    LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR"
    CONTACT_REQUIRED = "CONTACT_REQUIRED"
    ACKNOWLEDGEMENT_REQUIRED = "ACKNOWLEDGEMENT_REQUIRED"
    WRONG_STATUS = "WRONG_STATUS"
    NO_RECIPIENT = "NO_RECIPIENT"
    BAD_CREDENTIALS = "BAD_CREDENTIALS"
    THROTTLED = "THROTTLED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


class Fault(Exception):
    """One expected failure.

    `field` is the path inside the input in Python names, for example
    ("methods", 0, "value"); None when no single field is at fault.
    `current_revision` comes with CONFLICT, `retry_after` (whole seconds) with THROTTLED.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        field: Sequence[str | int] | None = None,
        *,
        current_revision: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = tuple(field) if field is not None else None
        self.current_revision = current_revision
        self.retry_after = retry_after

    @classmethod
    def invalid(cls, message: str, *field: str | int) -> Fault:
        """A value that cannot be accepted, at `field`."""
        return cls(ErrorCode.INVALID, message, field or None)


class Forbidden(Exception):
    """The actor lacks a permission; the message says which. Not a Fault: it is refused before it is looked at."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Busy(Exception):
    """Somebody else holds what is to be changed; trying again later may succeed."""

    message = "Somebody else is changing the same things right now: try again in a moment."

    def __init__(self) -> None:
        super().__init__(self.message)
