"""What mutations answer: the changed object, the events that they left, and what went wrong.

A payload's source is {"ids": {name: id or ids}, "seqs": [...], "errors": [...], ...}: the objects are read after the
commit, by their ids, so that a repeated request with the same Idempotency-Key reads its answer again.
"""

from __future__ import annotations

from typing import Any

import strawberry

from models import Audited
from models.rows import by_ids
from schema.access import PARENT
from schema.errors import UserError
from schema.field import batched, derived, plain
from schema.history import HistoryEvent, stubs


@strawberry.type(description="What a mutation answers.", directives=[PARENT])
class Payload:
    """What every payload has."""

    events: list[HistoryEvent] = stubs()
    errors: list[UserError] = plain("Why nothing changed; empty when it worked.")


def changed(name: str, table: type[Audited]) -> Any:
    """The changed object."""
    return batched(lambda payload: payload["ids"].get(name), by_ids(table), "The object as it is now; null on failure.")


def changed_all(name: str, table: type[Audited]) -> Any:
    """The changed objects, in the order of the input."""
    load_rows = by_ids(table)

    async def load(keys: Any) -> list[list[Any]]:
        rows = await load_rows([identifier for ids in keys for identifier in ids])
        by_id = {row["id"]: row for row in rows if row is not None}
        return [[by_id[identifier] for identifier in ids if identifier in by_id] for ids in keys]

    return batched(
        lambda payload: tuple(ids) if (ids := payload["ids"].get(name)) is not None else None,
        load,
        "The objects as they are now, in the order of the input; null on failure.",
    )


def deleted_id() -> Any:
    """The ID of a deleted object."""
    return derived(lambda payload: payload["ids"].get("deleted"), "The ID of what was deleted; null on failure.")
