"""Whom an email greets by name, whoever writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def greeted(recipients: Sequence[T], *, separate: bool) -> list[T | None]:
    """For each recipient who it is that their message greets: themselves, or nobody where several share it."""
    if separate or len(recipients) == 1:
        return list(recipients)
    return [None] * len(recipients)
