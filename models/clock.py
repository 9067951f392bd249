"""The one clock. Everything that needs the time asks here; tests and the demo set it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=_system)


def now() -> datetime:
    """The current time: UTC, microseconds."""
    return _source.get()()


def is_set() -> bool:
    """Whether something else than the system tells the time."""
    return _source.get() is not _system


@contextmanager
def set_to(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `source` tell the time inside the block, for this task and its children."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)
