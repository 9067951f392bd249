"""What requests leave in history: read as auditors read it, or held to be nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import models
from tests.client import Client
from tests.resolvers.documents import HISTORY

Stub = dict[str, Any]


async def last_seq() -> int:
    """The number of the last event; 0 without any."""
    rows = await models.current().fetch("SELECT coalesce(max(seq), 0) AS seq FROM event")
    return int(rows[0]["seq"])


@asynccontextmanager
async def nothing_recorded() -> AsyncIterator[None]:
    """The block leaves no event, and so it changes no row."""
    before = await last_seq()
    yield
    assert await last_seq() == before


async def recorded(
    client: Client, wanted: Mapping[str, Any] | None = None, *, after: int = 0, **filter: Any
) -> list[Stub]:
    """The events that fit the filter, oldest first: at most the last 100, of them those with a `seq` above `after`."""
    data = await client.run(HISTORY, first=100, filter={**(wanted or {}), **filter})
    return [edge["node"] for edge in reversed(data["history"]["edges"]) if edge["node"]["seq"] > after]


def actions(stubs: list[Stub]) -> list[str]:
    """What happened, in order."""
    return [stub["action"] for stub in stubs]


def changes(stub: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Field → (before, after)."""
    return {change["field"]: (change["before"], change["after"]) for change in stub["changes"]}


def texts(stub: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    """Field → (before, after) as people read them."""
    return {change["field"]: (change["beforeText"], change["afterText"]) for change in stub["changes"]}
