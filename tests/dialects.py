"""Tests that one of the two databases is enough for."""

from __future__ import annotations

import pytest


def on_sqlite(reason: str) -> pytest.MarkDecorator:
    """The test runs on SQLite only: for a reason, which says where PostgreSQL is met instead or why it never is."""
    assert reason
    return pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
