"""Who else a contact is: the same person at other customers."""

from __future__ import annotations

from typing import Any

import strawberry

from models import Row
from models.rows import ALSO_AT_LIMIT, also_at
from schema.connection import LIST, argument
from schema.context import Info
from schema.errors import RequestError
from schema.field import with_signature

# Few people are at more customers than that, and lists of contacts that ask for them stay affordable.
_USUAL = 10


def same_person() -> Any:
    """The contacts at other customers who are the same person; RequestError for a page of no possible size."""

    async def resolve(root: Row, info: Info, first: int) -> Any:
        if not 0 <= first <= ALSO_AT_LIMIT:
            raise RequestError("BAD_PAGE", f"first must be from 0 to {ALSO_AT_LIMIT}.")
        return (await info.context.loaders.load(also_at, also_at, root["id"]))[:first]

    told = f"How many at most: 0 to {ALSO_AT_LIMIT}, which is as many as can be linked."
    return strawberry.field(
        resolver=with_signature(resolve, {"first": (argument(int, told), _USUAL)}),
        description="The same person at other customers, by name: linked by hand, or the same contact in an accounting"
        f" system. The first {_USUAL} unless you ask for more.",
        metadata={LIST: None},
    )
