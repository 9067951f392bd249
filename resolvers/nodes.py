"""Objects by their global IDs, whatever their type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from audit.history import events_by_seq
from models import Forbidden, Row
from models.identifier import EVENT_PREFIX, prefix_of
from models.listing import MAX_PAGE
from models.rows import by_any_id
from resolvers.mutation import refused
from schema.access import SIGNED_IN
from schema.context import Info
from schema.errors import RequestError
from schema.field import SIZED_BY
from schema.node import TYPES, Node, shown_to


async def _node(info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object's ID.")]) -> Any:
    return (await _find(info, [id]))[0]


async def _nodes(
    info: Info,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"The objects' IDs: at most {MAX_PAGE}.")],
) -> Any:
    if len(ids) > MAX_PAGE:
        raise RequestError("BAD_PAGE", f"ids: ask for at most {MAX_PAGE} objects.")
    return await _find(info, ids)


async def _find(info: Info, ids: Sequence[str]) -> list[Row | None]:
    try:
        _check(info, ids)
    except Forbidden as refusal:
        raise await refused(info, refusal) from None
    rows = await by_any_id([identifier for identifier in ids if prefix_of(identifier) != EVENT_PREFIX])
    events = await events_by_seq([int(i.rpartition("_")[2]) for i in ids if prefix_of(i) == EVENT_PREFIX])
    found = {row["id"]: row for row in rows if row is not None and shown_to(info.context.actor, row) is not None}
    found.update({f"{EVENT_PREFIX}_{event['seq']}": event for event in events if event is not None})
    return [found.get(identifier) for identifier in ids]


def _check(info: Info, ids: Sequence[str]) -> None:
    """The types that IDs name need their permissions, as their own fields do; one's own user is always visible."""
    actor = info.context.actor
    for identifier in ids:
        prefix = prefix_of(identifier) or ""
        if prefix not in TYPES:
            raise RequestError("BAD_ID", "id: this is not an ID of this product.")
        name, permission = TYPES[prefix]
        if actor is None or not (actor.may(permission) or identifier == actor.id):
            raise Forbidden(f"A {name} needs the permission {permission.value}.")


@strawberry.type
class NodeQuery:
    """Reading objects by their global IDs."""

    node: Node | None = strawberry.field(
        resolver=_node,
        description="Any object by its ID; null when there is none. Its type needs the permission of its fields.",
        directives=[SIGNED_IN],
    )
    nodes: list[Node | None] = strawberry.field(
        resolver=_nodes,
        description="Several objects by their IDs, in the same order.",
        directives=[SIGNED_IN],
        metadata={SIZED_BY: ("ids",)},
    )
