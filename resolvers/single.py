"""Fields that find one object by its ID."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from models import Audited, Row
from models.rows import by_ids
from schema.access import Access
from schema.context import Info
from schema.errors import check_reference
from schema.field import REQUIRED, with_signature
from schema.node import shown_to


def single(table: type[Audited], description: str, access: Access) -> Any:
    """A field with the argument `id`: the row that the viewer may see, or null. BAD_ID for any other ID."""
    load = by_ids(table)

    async def resolve(root: Any, info: Info, **sent: Any) -> Row | None:
        check_reference("id", sent["id"], table)
        row: Row | None = await info.context.loaders.load(load, load, sent["id"])
        return shown_to(info.context.actor, row)

    identifier = Annotated[strawberry.ID, strawberry.argument(description="The object's ID.")]
    return strawberry.field(
        resolver=with_signature(resolve, {"id": (identifier, REQUIRED)}), description=description, directives=[access]
    )
