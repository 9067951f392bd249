"""What is logged, as JSON lines tell it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from counterfoil import logs


@contextmanager
def told() -> Iterator[list[dict[str, Any]]]:
    """What is logged inside the block, exceptions as JSON lines tell them."""
    keep = (structlog.contextvars.merge_contextvars, logs._tell_exception)
    with structlog.testing.capture_logs(processors=keep) as entries:
        yield entries  # type: ignore[misc]
